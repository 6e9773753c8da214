#pragma once
// The scopes that are explored, by name.

#include <string>

#include "tests/storage/raft/exhaustive/explorer.hpp"

namespace troupe::raft::test {

struct NamedScope {
  std::string name;
  Scope scope;
  std::uint64_t states_max = 0;  ///< RAFT_EXPLORE_STATES overrides it
};

/// Three voters with empty logs. One entry an append and one append unanswered, so that batches hide nothing.
Scope three_nodes(std::uint8_t term_max, std::uint8_t in_flight);
/// The same in the language of talks.
Scope three_nodes_talking(std::uint8_t term_max);

/// Four voters and a learner that may be promoted while node 1 is removed; settled, in talks of the fewest
/// messages.
Scope four_and_one(std::uint8_t term_max);
/// Three voters and two learners; both may be promoted.
Scope three_and_two(std::uint8_t term_max);

/// What the core as it is must pass.
std::vector<NamedScope> all_scopes();

/// states_max, or what the environment wants instead.
std::uint64_t states_max_of(const NamedScope& scope);

}  // namespace troupe::raft::test
