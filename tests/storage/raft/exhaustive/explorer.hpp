#pragma once
// Breadth first through everything that can happen, so that what is found is found by a shortest way.

#include "tests/storage/raft/exhaustive/moves.hpp"

namespace troupe::raft::test {

struct Found {
  std::uint64_t states = 0;
  std::uint64_t moves = 0;
  std::uint32_t depth = 0;  ///< explored completely up to here
  bool complete = false;    ///< the scope has no other states
  std::size_t node_states = 0;
  std::size_t messages = 0;
  std::uint64_t leaders = 0, commits = 0;  ///< moves that made one
  std::optional<std::string> wrong;
  std::vector<std::string> way;  ///< to the violation
};

/// Up to states_max different states. States are told apart by 64 bits of a hash: with 10^7 of them, one in a
/// million explorations merges two. Deterministic.
Found explore(const Scope& scope, std::uint64_t states_max);

/// One line for the test's output.
std::string summary(const Found& found);

}  // namespace troupe::raft::test
