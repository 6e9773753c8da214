#include "cmd/embedded/world.hpp"

namespace troupe::embedded {

std::string fault_text(const FaultOrder& order) {
  const std::string node = "node " + std::to_string(order.node);
  const std::string host = "host-" + std::to_string(order.host);
  switch (order.kind) {
    case FaultKind::crash_node:
      return "crash " + node;
    case FaultKind::restart_node:
      return "restart " + node;
    case FaultKind::freeze_node:
      return "freeze " + node;
    case FaultKind::thaw_node:
      return "thaw " + node;
    case FaultKind::isolate_node:
      return "isolate " + node;
    case FaultKind::cut_link:
      return "cut the link from " + node + " to node " + std::to_string(order.to);
    case FaultKind::lose_disk:
      return "lose the disk of " + node;
    case FaultKind::fail_writes:
      return "fail the writes of " + node;
    case FaultKind::fail_syncs:
      return "fail the syncs of " + node;
    case FaultKind::leap_clock:
      return "leap the clock of " + node + " by " + std::to_string(order.amount) + " ms";
    case FaultKind::drift_clock:
      return "drift the clock of " + node + " by " + std::to_string(order.amount) + " ppm";
    case FaultKind::crash_agent:
      return "crash the agent of " + host;
    case FaultKind::restart_agent:
      return "restart the agent of " + host;
    case FaultKind::kill_host:
      return "kill " + host;
    case FaultKind::isolate_host:
      return "isolate " + host;
    case FaultKind::freeze_agent:
      return "freeze the agent of " + host;
    case FaultKind::slow_agent:
      return "slow the agent of " + host + " down to a turn each " + std::to_string(order.amount) + " ms";
    case FaultKind::slow_link:
      return "slow the link of " + node + " and node " + std::to_string(order.to) + " by " +
             std::to_string(order.amount) + " ms";
    case FaultKind::stray_agent:
      return "start an agent of another cell";
    case FaultKind::fail_registry:
      return "fail the registry of images";
    case FaultKind::heal:
      return "heal";
  }
  return {};
}

}  // namespace troupe::embedded
