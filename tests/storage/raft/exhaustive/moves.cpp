#include "tests/storage/raft/exhaustive/moves.hpp"

#include <algorithm>
#include <bit>

#include "storage/base/check.hpp"

namespace troupe::raft::test {

World Moves::first() {
  World world;
  for (std::uint32_t id = 1; id <= scope_.nodes.nodes; ++id) world.nodes[id - 1] = space_.initial(NodeId{id});
  world.left = scope_.budget;
  if (!scope_.settled) return world;
  const auto take = [&](World&& next, const Move&, const std::optional<std::string>& wrong) {
    TROUPE_CHECK(!wrong);
    world = std::move(next);
  };
  const std::size_t votes = scope_.nodes.membership.voters.size() / 2;
  ask_votes(World(world), NodeId{1}, ((1u << votes) - 1) << 1, take);
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t id = 2; id <= scope_.nodes.nodes; ++id) {
      bring_up_to_date(World(world), NodeId{1}, NodeId{id}, take);
    }
  }
  return world;
}

void Moves::each(const World& world, const Visit& visit) {
  if (!scope_.talks) each_message(world, visit);
  for (std::uint32_t id = 1; id <= scope_.nodes.nodes; ++id) {
    // All nodes are alike at first, so the first election can be node 1's.
    if (!world.begun && id > 1) break;
    if (scope_.talks) each_talk(world, NodeId{id}, visit);
    each_local(world, NodeId{id}, visit);
  }
}

// An answer of a term that the receiver has durably left has no effect any more, now or later.
bool Moves::dead(const World& world, MessageRef ref) const {
  using enum MessageType;
  const Message& message = space_.message(ref);
  if (message.to.value > scope_.nodes.nodes) return true;
  if (message.type != vote_reply && message.type != append_reply && message.type != heartbeat_reply)
    return false;
  return message.term.value < space_.facts(world.nodes[message.to.value - 1]).durable_term;
}

bool Moves::may_elect(const Facts& node) const { return node.term < scope_.term_max && node.may_campaign; }

std::optional<std::string> Moves::step(World& world, NodeId node, Input input,
                                       std::vector<MessageRef>& sent) {
  const NodeRef before = world.nodes[node.value - 1];
  const Outcome& outcome = space_.step(before, input);
  world.nodes[node.value - 1] = outcome.node;
  sent = outcome.sent;
  if (outcome.node == before) return {};
  if (scope_.watch_configs && !space_.facts(outcome.node).configs_fit) return "configurations_overlap";
  return judge(space_, world, node, before, input.step == Step::crash);
}

void Moves::go(World world, const Move& move, const Visit& visit) {
  std::vector<MessageRef> sent;
  const NodeRef before = world.nodes[move.node.value - 1];
  const std::size_t waiting = world.messages.size();
  const auto wrong = step(world, move.node, move.input, sent);
  if (move.input.step != Step::receive && sent.empty() && before == world.nodes[move.node.value - 1]) return;
  TROUPE_CHECK(world.messages.size() == waiting);
  if (scope_.talks) rest(world, move.node);
  keep_some(std::move(world), move, sent, wrong, visit);
}

// Of all that is on its way, every set that fits may go on; the rest is lost.
void Moves::keep_some(World&& world, const Move& move, const std::vector<MessageRef>& sent,
                      const std::optional<std::string>& wrong, const Visit& visit) {
  std::vector<MessageRef> all = std::exchange(world.messages, {});
  if (!scope_.talks) all.insert(all.end(), sent.begin(), sent.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::erase_if(all, [&](MessageRef ref) { return dead(world, ref); });
  const std::size_t keep = std::min<std::size_t>(all.size(), scope_.in_flight);
  TROUPE_CHECK(all.size() < 32);
  for (std::uint32_t set = 0; set < (1u << all.size()); ++set) {
    if (static_cast<std::size_t>(std::popcount(set)) != keep) continue;
    World next = world;
    for (std::size_t at = 0; at < all.size(); ++at) {
      if (set >> at & 1) next.messages.push_back(all[at]);
    }
    visit(std::move(next), move, wrong);
  }
}

void Moves::each_message(const World& world, const Visit& visit) {
  for (std::size_t at = 0; at < world.messages.size(); ++at) {
    const MessageRef ref = world.messages[at];
    const Move move{space_.message(ref).to, {Step::receive, ref}};
    World next = world;
    next.messages.erase(next.messages.begin() + static_cast<std::ptrdiff_t>(at));
    go(std::move(next), move, visit);
    if (world.left.duplicates == 0) continue;
    World again = world;
    --again.left.duplicates;
    go(std::move(again), move, visit);
  }
}

void Moves::each_local(const World& world, NodeId node, const Visit& visit) {
  const Facts& facts = space_.facts(world.nodes[node.value - 1]);
  const auto with = [&](Step step, std::uint32_t argument, std::uint8_t Budget::*cost = nullptr) {
    World next = world;
    if (cost) --(next.left.*cost);
    next.begun = true;
    go(std::move(next), {node, {step, argument}}, visit);
  };
  if (!scope_.talks && may_elect(facts)) with(Step::elect, 0);
  if (facts.writes > 0) with(Step::sync, 0);
  if (world.left.crashes > 0 && world.begun) {
    for (std::uint32_t survive = 0; survive <= facts.writes; ++survive)
      with(Step::crash, survive, &Budget::crashes);
  }
  if (facts.role != Role::leader) return;
  if (world.left.proposals > 0 && facts.log.size() < scope_.nodes.log_max)
    with(Step::propose, 0, &Budget::proposals);
  if (!scope_.talks && scope_.heartbeats) with(Step::heartbeat, 0);
  for (std::uint32_t to = 1; to <= scope_.nodes.nodes && world.left.transfers > 0; ++to) {
    if (to != node.value) with(Step::transfer, to, &Budget::transfers);
  }
  for (std::uint32_t at = 0; at < scope_.nodes.changes.size() && world.left.changes > 0; ++at) {
    with(Step::change, at, &Budget::changes);
  }
}

// Between talks nothing is on its way.
void Moves::rest(World& world, NodeId node) {
  NodeRef& ref = world.nodes[node.value - 1];
  if (space_.facts(ref).role == Role::leader) ref = space_.step(ref, {Step::lose_sent, 0}).node;
}

void Moves::each_talk(const World& world, NodeId node, const Visit& visit) {
  const Facts& facts = space_.facts(world.nodes[node.value - 1]);
  if (may_elect(facts)) {
    for (std::uint32_t with = 0; with < (1u << scope_.nodes.nodes); ++with) {
      if (with >> (node.value - 1) & 1) continue;
      ask_votes(world, node, with, visit);
    }
  }
  if (facts.role != Role::leader) return;
  for (std::uint32_t other = 1; other <= scope_.nodes.nodes; ++other) {
    if (other != node.value) bring_up_to_date(world, node, NodeId{other}, visit);
  }
}

// The candidate reaches exactly these; each answers. What a new leader sends at once is lost.
void Moves::ask_votes(const World& world, NodeId node, std::uint32_t with, const Visit& visit) {
  World next = world;
  next.begun = true;
  std::vector<MessageRef> asked, answers, lost;
  auto wrong = step(next, node, {Step::elect, 0}, asked);
  std::uint32_t reached = 0;
  for (const MessageRef ref : asked) {
    const Message& message = space_.message(ref);
    if (message.type != MessageType::vote || !(with >> (message.to.value - 1) & 1)) continue;
    if (scope_.few && space_.facts(next.nodes[node.value - 1]).role == Role::leader) return;
    reached |= 1u << (message.to.value - 1);
    if (!wrong) wrong = step(next, message.to, {Step::receive, ref}, answers);
    for (const MessageRef answer : std::exchange(answers, {})) {
      if (!wrong && space_.message(answer).to == node)
        wrong = step(next, node, {Step::receive, answer}, lost);
    }
  }
  if (scope_.few && space_.facts(next.nodes[node.value - 1]).role != Role::leader) return;
  rest(next, node);
  if (reached == with) visit(std::move(next), {node, {Step::elect, 0}, with, 0}, wrong);
}

namespace {
constexpr std::uint32_t talk_rounds = 4, talk_messages_max = 24;
}

// Heartbeats and appends between the two, in order; every shorter talk is a world of its own.
void Moves::bring_up_to_date(const World& world, NodeId node, NodeId other, const Visit& visit) {
  World next = world;
  std::uint32_t steps = 0;
  for (std::uint32_t round = 0; round < talk_rounds; ++round) {
    std::vector<MessageRef> way, sent;
    auto wrong = step(next, node, {Step::heartbeat, 0}, way);
    for (std::size_t at = 0; at < way.size() && steps < talk_messages_max; ++at) {
      const Message& message = space_.message(way[at]);
      const bool theirs =
          (message.from == node && message.to == other) || (message.from == other && message.to == node);
      if (!theirs) continue;
      const NodeRef before = next.nodes[message.to.value - 1];
      const std::size_t length = space_.facts(before).log.size();
      wrong = step(next, message.to, {Step::receive, way[at]}, sent);
      way.insert(way.end(), sent.begin(), sent.end());
      ++steps;
      if (before == next.nodes[message.to.value - 1]) continue;
      if (scope_.few && !wrong && space_.facts(next.nodes[message.to.value - 1]).log.size() == length)
        continue;
      World broken_off = next;
      rest(broken_off, node);
      visit(std::move(broken_off), {node, {Step::heartbeat, 0}, 1u << (other.value - 1), steps}, wrong);
      if (wrong) return;
    }
  }
  rest(next, node);
  visit(std::move(next), {node, {Step::heartbeat, 0}, 1u << (other.value - 1), steps}, {});
}

std::string Moves::text(const Move& move) const {
  static constexpr const char* names[] = {"elect", "propose", "receive",  "heartbeat", "sync",
                                          "crash", "change",  "transfer", "lose_sent"};
  std::string out =
      "node " + std::to_string(move.node.value) + ": " + names[static_cast<std::size_t>(move.input.step)];
  if (move.input.step == Step::receive) {
    const Message& message = space_.message(move.input.argument);
    out += " type=" + std::to_string(static_cast<int>(message.type)) + " from=" + to_text(message.from) +
           " term=" + to_text(message.term) + " index=" + to_text(message.index) +
           " log_term=" + to_text(message.log_term) + " commit=" + to_text(message.commit) +
           " entries=" + std::to_string(message.entries.size()) + (message.reject ? " reject" : "");
  } else {
    out += " " + std::to_string(move.input.argument);
  }
  if (move.with == 0) return out;
  out += " with";
  for (std::uint32_t id = 1; id <= nodes_max; ++id) {
    if (move.with >> (id - 1) & 1) out += " " + std::to_string(id);
  }
  return move.steps == 0 ? out : out + " messages=" + std::to_string(move.steps);
}

}  // namespace troupe::raft::test
