// Membership, compaction and snapshots in the mix.

#include <algorithm>

#include "tests/storage/raft/simulation.hpp"

namespace troupe::raft::test {

namespace {
bool contains(const std::vector<NodeId>& nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}
bool is_member(const Membership& members, NodeId node) {
  return contains(members.voters, node) || contains(members.learners, node);
}
}  // namespace

void Simulation::compact(Node& node) {
  const Index first = node.log.first();
  const std::uint64_t room =
      node.disk.state.applied.next().value - std::min(first, node.disk.state.applied.next()).value;
  if (room == 0) return;
  const Index to{first.value + random_.below(room)};
  guard(node, [&] { node.compact_to(to); });
  ++tally_.compactions;
}

void Simulation::change_members(Node& node) {
  const NodeId id = any_node().id;
  const Membership members = node.core().status().membership;
  MemberChange change{MemberChangeKind::add_learner, id, "at " + to_text(id), {}};
  if (contains(members.voters, id) || random_.chance(10)) {
    if (!random_.chance(remove_percent_)) return;
    change.kind = MemberChangeKind::remove;
  } else if (contains(members.learners, id)) {
    change.kind = MemberChangeKind::promote;
  } else if (random_.chance(50)) {
    wipe_stranger(id);
  }
  guard(node, [&] {
    if (!node.up() || !node.core().change(change).ok()) return;
    if (change.kind == MemberChangeKind::promote) ever_voters_.insert(id);
  });
}

// A node that lost its disk may come back under its number if it never voted: else one removed before it, and
// not told, may still count on the vote it no longer knows to refuse. And no leader may have it as a member,
// who relies on what it has accepted. Nothing sent in its earlier life arrives any more: its links broke with
// it.
void Simulation::wipe_stranger(NodeId id) {
  if (ever_voters_.contains(id) || is_member(checker_.committed_members(), id)) return;
  for (const auto& [other, leader] : nodes_) {
    if (!leader->up() || leader->core().role() != Role::leader) continue;
    if (other == id || is_member(leader->core().status().membership, id)) return;
  }
  Node& node = *nodes_.at(id);
  std::erase_if(network_, [&](const Message& message) { return message.from == id || message.to == id; });
  std::erase_if(bulk_, [&](const Bulk& bulk) { return bulk.from == id || bulk.to == id; });
  const std::uint64_t seed = random_.next();
  guard(node, [&] { node.wipe(seed); });
  checker_.on_restart(node);
  ++tally_.wipes;
}

void Simulation::carry_bulk() {
  if (bulk_.empty()) return;
  const auto at = bulk_.begin() + static_cast<std::ptrdiff_t>(random_.below(bulk_.size()));
  const Bulk bulk = std::move(*at);
  bulk_.erase(at);
  const bool arrives = !random_.chance(loss_percent_) && !cuts_.contains({bulk.from, bulk.to});
  if (arrives && random_.chance(duplicate_percent_)) bulk_.push_back({bulk.from, bulk.to, 0, bulk.snapshot});
  if (arrives) deliver_bulk(bulk);
  const bool known = arrives && nodes_.at(bulk.to)->up() && !random_.chance(loss_percent_);
  tell_sender(bulk, known ? bulk.snapshot.meta.index : Index{});
}

void Simulation::deliver_bulk(const Bulk& bulk) {
  Node& node = *nodes_.at(bulk.to);
  if (!node.up()) return;
  flush(node);
  if (!node.up()) return;
  guard(node, [&] {
    if (node.install(bulk.snapshot)) {
      ++tally_.snapshots;
      checker_.on_installed(node, bulk.snapshot);
    } else {
      ++tally_.stale_snapshots;
    }
  });
  settle_node(node);
}

void Simulation::tell_sender(const Bulk& bulk, Index index) {
  Node& sender = *nodes_.at(bulk.from);
  if (!sender.up() || sender.life != bulk.from_life) return;
  guard(sender, [&] { sender.core().snapshot_sent(bulk.to, index); });
  settle_node(sender);
}

}  // namespace troupe::raft::test
