#include "actors/gateway/health.hpp"

#include "actors/gateway/gateway_settings.hpp"

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

std::string why_read_only(const NodeContext& node) {
  const std::uint64_t count = node.reads().set_aside();
  const auto most = static_cast<std::uint64_t>(node.settings.get(set_aside_max));
  if (count < most) return {};
  return "the cell is read-only: " + std::to_string(count) + " entities are set aside, from " +
         std::to_string(most) +
         " on nothing may be changed; they may be looked at, released and ended. What was asked before under "
         "the same request id may have been done";
}

}  // namespace troupe::gateway
