#include "actors/balancer/spare_core.hpp"

#include <algorithm>

namespace troupe {

Result<void> SpareCore::spare(SparedNode wish, const std::vector<NodeId>& live, Moment now) {
  if (std::ranges::all_of(live, [&](NodeId node) { return node == wish.node; }))
    return Error{ErrorCode::precondition_failed,
                 "no other node lives that could own the shards of node " + to_text(wish.node)};
  if (const auto other = spared(now); other && other->node != wish.node)
    return Error{ErrorCode::precondition_failed, "node " + to_text(other->node) + " is spared by " +
                                                     other->by + " (" + other->reason + "); one at a time"};
  spared_ = std::move(wish);
  return {};
}

void SpareCore::take_back(NodeId node) {
  if (spared_ && spared_->node == node) spared_.reset();
}

std::optional<SparedNode> SpareCore::spared(Moment now) const {
  return spared_ && now < spared_->until ? spared_ : std::nullopt;
}

}  // namespace troupe
