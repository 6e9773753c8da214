#pragma once
// Which node hands its shards over and gets none for now. Pure.

#include <vector>

#include "actors/node/spare_board.hpp"
#include "storage/base/result.hpp"

namespace troupe {

/// One node at a time: a cell must stand the loss of another one meanwhile. Forgotten when the leader
/// changes; whoever asked asks again. Owner: the balancer.
class SpareCore {
 public:
  /// The same node again, by the same caller for the same reason: for longer. Errors: precondition_failed
  /// (nobody of `live` would be left; another one is spared, or this one for somebody else).
  Result<void> spare(SparedNode wish, const std::vector<NodeId>& live, Moment now);
  /// It may own shards again. Of another node, or of none: nothing happens.
  void take_back(NodeId node);
  void forget() { spared_.reset(); }
  /// Nothing once its time is over.
  std::optional<SparedNode> spared(Moment now) const;

 private:
  std::optional<SparedNode> spared_;
};

}  // namespace troupe
