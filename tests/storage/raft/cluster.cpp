#include "tests/storage/raft/cluster.hpp"

#include "storage/base/check.hpp"

namespace troupe::raft::test {

namespace {
constexpr int deliver_rounds_max = 10'000;
}

Membership Cluster::first_members(std::uint32_t voters, std::uint32_t learners) {
  Membership membership;
  for (std::uint32_t id = 1; id <= voters; ++id) membership.voters.push_back(NodeId{id});
  for (std::uint32_t id = voters + 1; id <= voters + learners; ++id)
    membership.learners.push_back(NodeId{id});
  return membership;
}

Cluster::Cluster(std::uint32_t voters, std::uint32_t learners, Config config, std::uint32_t strangers)
    : checker_(first_members(voters, learners)) {
  const Membership members = first_members(voters, learners);
  for (std::uint32_t id = 1; id <= voters + learners + strangers; ++id) {
    nodes_[NodeId{id}] =
        std::make_unique<Node>(NodeId{id}, config, id <= voters + learners ? members : Membership{}, seed_++);
  }
}

Cluster::~Cluster() {
  checker_.compare_logs(nodes_);
  EXPECT_EQ(checker_.violation().value_or(""), "");
}

void Cluster::campaign(std::uint32_t id) {
  const Term before = core(id).term();
  for (int ticks = 0; ticks < 10'000; ++ticks) {
    core(id).tick();
    if (core(id).role() == Role::pre_candidate || core(id).term() > before) return;
  }
  ADD_FAILURE() << "node " << id << " did not campaign";
}

void Cluster::elect(std::uint32_t id) {
  campaign(id);
  deliver();
  EXPECT_EQ(core(id).role(), Role::leader) << "node " << id;
}

void Cluster::tick(std::uint32_t id, std::uint32_t times) {
  for (; times > 0; --times) core(id).tick();
}

void Cluster::pass(std::uint32_t ticks) {
  for (; ticks > 0; --ticks) {
    for (auto& [id, node] : nodes_) {
      if (node->up()) node->core().tick();
    }
    deliver();
  }
}

void Cluster::collect(Node& node) {
  for (Message& message : node.outbox) {
    sent_.push_back(message);
    network_.push_back(std::move(message));
  }
  node.outbox.clear();
}

void Cluster::flush(std::uint32_t id) {
  Node& one = node(id);
  one.flush([&](const Ready& ready) { checker_.on_ready(nodes_, one, ready); });
  collect(one);
}

bool Cluster::sync_one(std::uint32_t id) {
  const bool done = node(id).sync_one();
  collect(node(id));
  return done;
}

void Cluster::sync(std::uint32_t id) {
  while (sync_one(id)) {
  }
}

bool Cluster::move_messages() {
  auto batch = std::exchange(network_, {});
  for (Message& message : batch) {
    const auto to = nodes_.find(message.to);
    if (to == nodes_.end() || !to->second->up() || cuts_.contains({message.from, message.to})) continue;
    if (drop_ && drop_(message)) continue;
    to->second->core().step(message);
  }
  return !batch.empty();
}

void Cluster::deliver() {
  for (int round = 0; round < deliver_rounds_max; ++round) {
    bool moved = false;
    for (auto& [id, node] : nodes_) {
      if (!node->up()) continue;
      moved = moved || node->core().has_ready();
      flush(id.value);
      if (held_.contains(id)) continue;
      moved = moved || !node->writes.empty();
      sync(id.value);
    }
    if (!move_messages() && !moved) return;
  }
  ADD_FAILURE() << "the cluster never comes to rest";
}

void Cluster::cut(std::uint32_t a, std::uint32_t b) {
  cut_one_way(a, b);
  cut_one_way(b, a);
}

void Cluster::isolate(std::uint32_t id) {
  for (const auto& [other, node] : nodes_) {
    if (other.value != id) cut(id, other.value);
  }
}

void Cluster::crash(std::uint32_t id) { node(id).crash(); }

void Cluster::restart(std::uint32_t id) {
  checker_.on_restart(node(id));
  node(id).restart(seed_++);
}

std::vector<Message> Cluster::sent(MessageType type, std::uint32_t from) const {
  std::vector<Message> out;
  for (const Message& message : sent_) {
    if (message.type == type && message.from.value == from) out.push_back(message);
  }
  return out;
}

void Cluster::step(std::uint32_t id, Message message) {
  message.to = NodeId{id};
  core(id).step(message);
}

Result<Index> Cluster::propose(std::uint32_t id, const std::string& data, std::size_t count) {
  const std::vector<Proposal> proposals(count, Proposal{Instant{1}, Blob(data)});
  return core(id).propose(proposals);
}

Result<void> Cluster::read(std::uint32_t id, ReadToken token) {
  auto result = core(id).read(token);
  if (result.ok()) checker_.read_started(NodeId{id}, token);
  return result;
}

Result<Index> Cluster::change(std::uint32_t id, MemberChangeKind kind, std::uint32_t member) {
  return core(id).change({kind, NodeId{member}, "at " + std::to_string(member), Instant{1}});
}

void Cluster::compact(std::uint32_t id, std::uint64_t to) {
  node(id).flush_state();
  node(id).compact_to(Index{to});
}

bool Cluster::carry_snapshot(std::uint32_t from) {
  auto& needs = node(from).snapshots;
  if (needs.empty()) return false;
  const NodeId peer = needs.front().peer;
  needs.erase(needs.begin());
  node(from).flush_state();
  const Snapshot snapshot = node(from).take_snapshot();
  const bool taken = install(peer.value, snapshot);
  core(from).snapshot_sent(peer, snapshot.meta.index);
  return taken;
}

bool Cluster::install(std::uint32_t id, const Snapshot& snapshot) {
  flush(id);
  if (!node(id).install(snapshot)) return false;
  checker_.on_installed(node(id), snapshot);
  return true;
}

std::string Cluster::applied(std::uint32_t id) {
  std::string out;
  for (const Entry& entry : node(id).applied) {
    if (entry.kind != EntryKind::command) continue;
    out += (out.empty() ? "" : " ") + std::string(entry.data.view());
  }
  return out;
}

std::string Cluster::terms(std::uint32_t id) {
  std::string out;
  for (Index index = log(id).first(); index <= log(id).last(); index = index.next()) {
    out += (out.empty() ? "" : " ") + to_text(log(id).term(index));
  }
  return out;
}

void Cluster::restore(std::uint32_t id, const std::vector<std::uint64_t>& terms, HardState hard) {
  Disk& disk = node(id).disk;
  disk = {};
  disk.hard = hard;
  disk.state.membership = node(id).membership;
  for (const std::uint64_t term : terms) {
    disk.log.append(
        {Term{term}, disk.log.last().next(), EntryKind::command, {}, Blob("t" + std::to_string(term))});
  }
  restart(id);
}

}  // namespace troupe::raft::test
