#pragma once
// The operators of a simulated cell who add, replace and remove nodes.

#include <deque>
#include <functional>
#include <string>

#include "cmd/embedded/sim_cluster.hpp"

namespace troupe::simulation {

/// One change after another, each asked for again until it is done. A new node has a new number. One thread.
class Members {
 public:
  using Note = std::function<void(const std::string& what)>;
  Members(embedded::SimCluster& cluster, std::uint32_t nodes, Note note)
      : cluster_(cluster), first_nodes_(nodes), last_(nodes), note_(std::move(note)) {}

  bool is_idle() const { return changes_.empty(); }
  void add();                        ///< one more than the cell began with, not two
  void remove(std::uint32_t node);   ///< unless the cell would be smaller than it began
  void replace(std::uint32_t node);  ///< which has lost its disk; another takes its place
  /// Takes answers and asks again. To be called often.
  void poll();
  /// As many again as at the beginning: begins what is missing of that. True: nothing is.
  bool restore();
  /// Whether it may be taken away: somebody must be left whom the agents know from the beginning.
  bool may_go(std::uint32_t node) const;

 private:
  struct Change {
    raft::MemberChangeKind kind;
    std::uint32_t node;
  };
  void join();
  void ask();
  void take(const Result<Index>& outcome);

  embedded::SimCluster& cluster_;
  const std::uint32_t first_nodes_;
  std::uint32_t last_;  ///< the highest number that was ever given
  Note note_;
  std::deque<Change> changes_;
  embedded::SimOutcome outcome_;  ///< of the first, if it is under way
  Instant until_;                 ///< of waiting for it, or for the next try
};

}  // namespace troupe::simulation
