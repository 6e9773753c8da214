#pragma once
// One state of the whole cluster: nodes, messages on their way, what history must not forget, and what may
// still happen.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tests/storage/raft/exhaustive/space.hpp"

namespace troupe::raft::test {

constexpr std::size_t nodes_max = 5;
constexpr std::size_t terms_max = 8;

/// How much may happen besides elections and messages.
struct Budget {
  std::uint8_t proposals = 0;
  std::uint8_t crashes = 0;
  std::uint8_t duplicates = 0;  ///< messages that arrive once more
  std::uint8_t changes = 0;     ///< of the membership
  std::uint8_t transfers = 0;
};

/// A value; its nodes and messages live in a Space.
struct World {
  struct Committed {
    Facts::Position entry;
    std::uint8_t known_in = 0;  ///< lowest term of a node that knew
  };
  std::array<NodeRef, nodes_max> nodes{};
  std::vector<MessageRef> messages;               ///< ascending: a set
  std::array<std::uint8_t, terms_max> leaders{};  ///< of each term; 0: none yet
  std::vector<Committed> committed;               ///< from index 1
  Budget left;
  bool begun = false;  ///< the first election has begun

  std::string encode() const;
  static World decode(const std::string& text, std::size_t committed_max = 32);
};

/// The invariants of Raft, after the node went from `before` to what it is in `world` now. Notes new leaders
/// and commits. Election safety, leader completeness, state-machine safety, log matching, monotone commits.
std::optional<std::string> judge(const Space& space, World& world, NodeId node, NodeRef before,
                                 bool restarted);

}  // namespace troupe::raft::test
