#include "tests/storage/raft/exhaustive/scopes.hpp"

#include <cstdlib>

namespace troupe::raft::test {

namespace {

constexpr std::uint64_t all = UINT64_MAX;

Scope voters(std::uint32_t count) {
  Scope scope;
  scope.nodes.nodes = count;
  scope.nodes.config.heartbeat_ticks = 1;
  scope.nodes.config.election_ticks = 10;
  scope.nodes.config.max_append_bytes = 1;
  scope.nodes.config.max_inflight_appends = 1;
  for (std::uint32_t id = 1; id <= count; ++id) scope.nodes.membership.voters.push_back(NodeId{id});
  scope.heartbeats = false;
  return scope;
}

Scope with(Scope scope, Budget budget) {
  scope.budget = budget;
  return scope;
}

Scope with_heartbeats(Scope scope) {
  scope.heartbeats = true;
  return scope;
}

Scope with_slow_disk(Scope scope) {
  scope.nodes.slow_disk = true;
  return scope;
}

}  // namespace

Scope three_nodes(std::uint8_t term_max, std::uint8_t in_flight) {
  Scope scope = voters(3);
  scope.term_max = term_max;
  scope.in_flight = in_flight;
  return scope;
}

Scope three_nodes_talking(std::uint8_t term_max) {
  Scope scope = voters(3);
  scope.term_max = term_max;
  scope.talks = true;
  return scope;
}

namespace {
Scope members(std::uint32_t voting, std::uint32_t learning, std::vector<MemberChange> changes) {
  Scope scope = voters(voting);
  scope.nodes.nodes = voting + learning;
  for (std::uint32_t id = voting + 1; id <= voting + learning; ++id) {
    scope.nodes.membership.learners.push_back(NodeId{id});
  }
  scope.nodes.changes = std::move(changes);
  scope.talks = scope.few = scope.settled = true;
  scope.budget.changes = 2;
  return scope;
}
}  // namespace

Scope four_and_one(std::uint8_t term_max) {
  using enum MemberChangeKind;
  Scope scope = members(4, 1, {{promote, NodeId{5}, "", {}}, {remove, NodeId{1}, "", {}}});
  scope.term_max = term_max;
  return scope;
}

Scope three_and_two(std::uint8_t term_max) {
  using enum MemberChangeKind;
  Scope scope = members(3, 2, {{promote, NodeId{4}, "", {}}, {promote, NodeId{5}, "", {}}});
  scope.term_max = term_max;
  return scope;
}

std::vector<NamedScope> all_scopes() {
  return {
      {"TwoTermsThreeMessages", three_nodes(2, 3), all},
      {"TwoTermsTwoMessagesOneArrivesTwice", with(three_nodes(2, 2), {.duplicates = 1}), all},
      {"ThreeTermsOneMessage", three_nodes(3, 1), all},
      {"ThreeTermsTwoMessages", three_nodes(3, 2), 1'000'000},
      {"FourTermsOneMessage", three_nodes(4, 1), 1'000'000},
      {"TwoTermsACommandAndHeartbeats", with(with_heartbeats(three_nodes(2, 2)), {.proposals = 1}),
       1'000'000},
      {"TwoTermsSlowDisksAndACrash", with(with_slow_disk(three_nodes(2, 1)), {.crashes = 1}), 1'000'000},
      {"TwoTermsSlowDisksTwoMessagesACrash", with(with_slow_disk(three_nodes(2, 2)), {.crashes = 1}),
       1'000'000},
      {"ThreeTermsACommandACrashAndATransfer",
       with(three_nodes(3, 2), {.proposals = 1, .crashes = 1, .transfers = 1}), 500'000},
      {"ThreeTermsInTalks", three_nodes_talking(3), all},
      {"FourTermsInTalksWithACommand", with(three_nodes_talking(4), {.proposals = 1}), 500'000},
      {"FourVotersAndALearnerTwoTerms", four_and_one(2), all},
      {"FourVotersAndALearnerThreeTerms", four_and_one(3), 300'000},
      {"ThreeVotersAndTwoLearnersTwoTerms", three_and_two(2), 200'000},
  };
}

std::uint64_t states_max_of(const NamedScope& scope) {
  const char* text = std::getenv("RAFT_EXPLORE_STATES");
  return text ? std::strtoull(text, nullptr, 10) : scope.states_max;
}

}  // namespace troupe::raft::test
