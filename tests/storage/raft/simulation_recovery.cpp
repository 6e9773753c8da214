// All faults end; then the cell must get well, and stay so whatever those do who are not members.

#include <algorithm>

#include "tests/storage/raft/simulation.hpp"

namespace troupe::raft::test {

namespace {
constexpr std::uint32_t recovery_election_times =
    40;  ///< a healed cluster must be well after so many election timeouts
constexpr std::uint32_t well_election_times = 6;
constexpr int quiet_rounds_max = 20'000;
}  // namespace

void Simulation::tick_all() {
  for (auto& [id, node] : nodes_) {
    if (!node->up()) restart(*node);
    if (node->up()) guard(*node, [&at = *node] { at.core().tick(); });
  }
}

void Simulation::get_well() {
  for (auto& [id, node] : nodes_) {
    if (!node->up()) restart(*node);
  }
  heal();
  bool proposed = false;
  for (std::uint32_t ticks = 0; ticks < recovery_election_times * config_.election_ticks; ++ticks) {
    run_quietly();
    if (checker_.violation()) return;
    if (proposed && is_well()) {
      stay_well();
      if (!checker_.violation()) drill();
      return;
    }
    Node* leader = only_leader();
    if (leader && ticks > 2 * config_.election_ticks) {
      propose(*leader);
      proposed = true;
    }
    tick_all();
  }
  if (!checker_.violation()) checker_.fail("never_well_again");
}

// Nobody has a reason to change the leader now.
void Simulation::stay_well() {
  const Term term = only_leader()->core().term();
  for (std::uint32_t ticks = 0; ticks < well_election_times * config_.election_ticks; ++ticks) {
    tick_all();
    run_quietly();
    const Node* leader = only_leader();
    if (checker_.violation()) return;
    if (!leader || leader->core().term() != term) return checker_.fail("deposed_though_all_was_well");
  }
}

void Simulation::run_quietly() {
  for (int round = 0; round < quiet_rounds_max && !checker_.violation(); ++round) {
    bool moved = !network_.empty() || !bulk_.empty();
    for (auto& [id, node] : nodes_) {
      if (!node->up()) continue;
      moved = moved || node->core().has_ready() || (id != held_ && !node->writes.empty());
      flush(*node);
      while (node->up() && id != held_ && !node->writes.empty()) sync(*node);
    }
    for (const Bulk& bulk : std::exchange(bulk_, {})) {
      deliver_bulk(bulk);
      tell_sender(bulk, nodes_.at(bulk.to)->up() ? bulk.snapshot.meta.index : Index{});
    }
    const auto batch = std::exchange(network_, {});
    for (const Message& message : batch) {
      Node& node = *nodes_.at(message.to);
      if (can_pass(message)) guard(node, [&] { node.core().step(message); });
    }
    if (!moved) return;
  }
  if (!checker_.violation()) checker_.fail("never_quiet");
}

// The leader that a member of the newest membership follows, if they follow one.
Node* Simulation::only_leader() {
  for (const NodeId id : checker_.committed_members().voters) {
    Node& node = *nodes_.at(id);
    if (node.up() && node.core().role() == Role::leader) return &node;
  }
  return nullptr;
}

// One leader, equal logs all applied, every member can read, and what was proposed since is committed.
bool Simulation::is_well() {
  const Node* leader = only_leader();
  if (!leader) return false;
  const Membership members = checker_.committed_members();
  if (leader->core().status().membership != members) return false;
  const Index last = leader->log.last();
  std::vector<NodeId> all = members.voters;
  all.insert(all.end(), members.learners.begin(), members.learners.end());
  for (const NodeId id : all) {
    if (!nodes_.at(id)->up()) return false;
    const Status status = nodes_.at(id)->core().status();
    if (status.last != last || status.applied != last || status.leader != leader->id) return false;
  }
  const auto answered = checker_.reads_answered();
  for (const NodeId id : all) (void)read(*nodes_.at(id), next_token_++).ok();
  run_quietly();
  return checker_.reads_answered() == answered + all.size();
}

}  // namespace troupe::raft::test
