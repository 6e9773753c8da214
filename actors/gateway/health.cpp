#include "actors/gateway/health.hpp"

namespace troupe::gateway {

std::string why_not_serving(const NodeContext& node) {
  const NodeStatus& status = node.status;
  if (status.leader == 0) return "no leader is known";
  if (!status.leased) return "the leader has not confirmed this node lately";
  const std::uint64_t applied = status.applied;
  const std::uint64_t commit = status.commit;
  if (commit > applied + serving_lag_max)
    return "the state is " + std::to_string(commit - applied) + " entries behind";
  return {};
}

}  // namespace troupe::gateway
