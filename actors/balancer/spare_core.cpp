#include "actors/balancer/spare_core.hpp"

#include <algorithm>

namespace troupe {

Result<void> SpareCore::spare(SparedNode wish, const std::vector<NodeId>& live, Moment now) {
  if (std::ranges::all_of(live, [&](NodeId node) { return node == wish.node; }))
    return Error{ErrorCode::precondition_failed,
                 "no other node lives that could own the shards of node " + to_text(wish.node)};
  if (const auto other = spared(now)) {
    const std::string who =
        "node " + to_text(other->node) + " is spared by " + other->by + " (" + other->reason + ')';
    if (other->node != wish.node) return Error{ErrorCode::precondition_failed, who + "; one at a time"};
    // Whoever else relied on it would not see that it is over.
    if (other->by != wish.by || other->reason != wish.reason)
      return Error{ErrorCode::precondition_failed, who + "; take it back first"};
  }
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
