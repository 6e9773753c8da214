// What a cell that is well does about single, simple faults: not only in the end, but at once.

#include <algorithm>

#include "tests/storage/raft/simulation.hpp"

namespace troupe::raft::test {

void Simulation::drill() {
  const std::function<void()> drills[] = {[this] { lose_one_link(); }, [this] { hand_over(); },
                                          [this] { lose_leader(); }, [this] { leave_leader_alone(); },
                                          [this] { remove_leader(); }};
  for (const auto& each : drills) {
    if (checker_.committed_members().voters.size() < 2) return;
    each();
    heal();
    if (!checker_.violation() && !settles()) checker_.fail("never_well_again_after_a_drill");
    if (checker_.violation()) return;
  }
}

bool Simulation::settles() {
  for (std::uint32_t ticks = 0; ticks < settle_election_times * config_.election_ticks; ++ticks) {
    tick_all();
    run_quietly();
    if (checker_.violation() || is_well()) return true;
  }
  return false;
}

Node& Simulation::follower() {
  for (const NodeId id : checker_.committed_members().voters)
    if (nodes_.at(id)->core().role() != Role::leader) return *nodes_.at(id);
  return *only_leader();
}

// Of two followers one hears the leader, so nobody needs another one.
void Simulation::lose_one_link() {
  if (checker_.committed_members().voters.size() < 3) return;
  const Node& leader = *only_leader();
  const Term term = leader.core().term();
  const NodeId lost = follower().id;
  cuts_.insert({leader.id, lost});
  cuts_.insert({lost, leader.id});
  for (std::uint32_t ticks = 0; ticks < 4 * config_.election_ticks; ++ticks) {
    tick_all();
    run_quietly();
  }
  const Node* now = only_leader();
  if (!checker_.violation() && (now != &leader || now->core().term() != term))
    checker_.fail("deposed_though_most_hear_it");
}

void Simulation::hand_over() {
  Node& leader = *only_leader();
  const NodeId next = follower().id;
  guard(leader, [&] { (void)leader.core().transfer(next).ok(); });
  run_quietly();
  if (!checker_.violation() && nodes_.at(next)->core().role() != Role::leader)
    checker_.fail("not_handed_over_at_once");
}

// All links to it break. The first in rank is elected by the others at the first try, also when one of those
// takes its time to sync the vote.
void Simulation::lose_leader() {
  if (checker_.committed_members().voters.size() < 3) return;
  Node& old = *only_leader();
  const Term term = old.core().term();
  const auto voters = checker_.committed_members().voters;
  const std::uint32_t slow_ticks = 2 * config_.link_retry_ticks;
  const bool slow = slow_ticks + 3 < config_.election_ticks;
  if (slow) held_ = *std::find_if(voters.rbegin(), voters.rend(), [&](NodeId id) { return id != old.id; });
  old.crash();
  for (auto& [id, node] : nodes_)
    if (node->up()) guard(*node, [&] { node->core().link_down(old.id); });
  for (std::uint32_t ticks = 0; ticks < config_.election_ticks - 1; ++ticks) {
    if (ticks > slow_ticks + 1) held_ = {};
    for (auto& [id, node] : nodes_)
      if (node->up()) guard(*node, [&] { node->core().tick(); });
    run_quietly();
  }
  held_ = {};
  run_quietly();
  const Node* now = only_leader();
  if (checker_.violation()) return;
  if (now == nullptr) return checker_.fail("no_leader_soon_after_its_links_broke");
  if (now->core().term() != term.next()) checker_.fail("elected_at_the_second_try");
}

void Simulation::leave_leader_alone() {
  Node& leader = *only_leader();
  const Term term = leader.core().term();
  for (auto& [id, node] : nodes_) {
    if (id == leader.id) continue;
    cuts_.insert({leader.id, id});
    cuts_.insert({id, leader.id});
  }
  for (std::uint32_t ticks = 0; ticks < 3 * config_.election_ticks; ++ticks) {
    tick_all();
    run_quietly();
  }
  if (leader.up() && leader.core().role() == Role::leader && leader.core().term() == term)
    checker_.fail("leads_alone");
}

void Simulation::remove_leader() {
  Node& leader = *only_leader();
  bool asked = false;
  guard(leader, [&] { asked = leader.core().change({MemberChangeKind::remove, leader.id, "", {}}).ok(); });
  if (!asked) return;
  run_quietly();
  tick_all();
  run_quietly();
  const Node* now = only_leader();
  if (!checker_.violation() && (now == nullptr || now == &leader)) checker_.fail("left_without_a_successor");
}

}  // namespace troupe::raft::test
