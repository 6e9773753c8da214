#include "tests/storage/raft/exhaustive/world.hpp"

#include <algorithm>
#include <cstring>

#include "storage/base/check.hpp"

namespace troupe::raft::test {

namespace {

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T get(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

}  // namespace

std::string World::encode() const {
  std::string out;
  put(out, nodes);
  put(out, leaders);
  put(out, left);
  put(out, begun);
  put(out, static_cast<std::uint8_t>(committed.size()));
  for (const Committed& each : committed) put(out, each);
  for (const MessageRef each : messages) put(out, each);
  return out;
}

World World::decode(const std::string& text, std::size_t committed_max) {
  World world;
  const char* at = text.data();
  world.nodes = get<decltype(world.nodes)>(at);
  world.leaders = get<decltype(world.leaders)>(at);
  world.left = get<Budget>(at);
  world.begun = get<bool>(at);
  world.committed.resize(std::min<std::size_t>(get<std::uint8_t>(at), committed_max));
  for (Committed& each : world.committed) each = get<Committed>(at);
  while (at < text.data() + text.size()) world.messages.push_back(get<MessageRef>(at));
  return world;
}

namespace {

using Text = std::optional<std::string>;

Text complete(const World& world, const Facts& leader) {
  for (std::size_t index = 0; index < world.committed.size(); ++index) {
    const auto& known = world.committed[index];
    if (known.known_in >= leader.term) continue;
    if (index >= leader.log.size() || !(leader.log[index] == known.entry)) {
      return "leader_lacks_committed index=" + std::to_string(index + 1);
    }
  }
  return {};
}

Text note_leader(World& world, const Facts& node) {
  TROUPE_CHECK(node.term < terms_max);
  std::uint8_t& leader = world.leaders[node.term];
  if (leader != 0 && leader != node.id.value) return "two_leaders term=" + std::to_string(node.term);
  leader = static_cast<std::uint8_t>(node.id.value);
  return complete(world, node);
}

Text note_commits(const Space& space, World& world, const Facts& node) {
  if (node.commit > node.log.size()) return "commit_beyond_log index=" + std::to_string(node.commit);
  bool news = false;
  for (std::size_t index = 0; index < node.commit; ++index) {
    if (index == world.committed.size()) {
      world.committed.push_back({node.log[index], node.term});
      news = true;
    }
    auto& known = world.committed[index];
    if (!(known.entry == node.log[index])) return "states_differ index=" + std::to_string(index + 1);
    if (node.term < known.known_in) {
      known.known_in = node.term;
      news = true;
    }
  }
  if (!news) return {};
  for (std::uint32_t id = 1; id <= space.options().nodes; ++id) {
    const Facts& other = space.facts(world.nodes[id - 1]);
    if (other.role != Role::leader) continue;
    if (auto wrong = complete(world, other)) return wrong;
  }
  return {};
}

bool logs_match(const Facts& one, const Facts& two) {
  bool agree = false;
  for (std::size_t index = std::min(one.log.size(), two.log.size()); index-- > 0;) {
    agree = agree || one.log[index].term == two.log[index].term;
    if (agree && !(one.log[index] == two.log[index])) return false;
  }
  return true;
}

}  // namespace

Text judge(const Space& space, World& world, NodeId id, NodeRef before, bool restarted) {
  const Facts& old = space.facts(before);
  const Facts& now = space.facts(world.nodes[id.value - 1]);
  if (!restarted && now.commit < old.commit) return "commit_goes_back";
  if (now.durable_term < old.durable_term) return "term_goes_back";
  if (now.role == Role::leader && (old.role != Role::leader || old.term != now.term)) {
    if (auto wrong = note_leader(world, now)) return wrong;
  }
  // Most steps change neither what is committed nor the log: then all that was compared before still holds.
  if (now.commit != old.commit || now.term != old.term || restarted) {
    if (auto wrong = note_commits(space, world, now)) return wrong;
  }
  if (now.log == old.log) return {};
  for (std::uint32_t other = 1; other <= space.options().nodes; ++other) {
    if (!logs_match(now, space.facts(world.nodes[other - 1]))) return "logs_do_not_match";
  }
  return {};
}

}  // namespace troupe::raft::test
