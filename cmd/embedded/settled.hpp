#pragma once
// Does everything that is up work together?

#include <functional>
#include <string>
#include <vector>

#include "actors/node/node_context.hpp"
#include "storage/state/reads.hpp"

namespace troupe::embedded {

/// One node, for the question; status and reads are null while it is down.
struct NodeLook {
  std::string failure;  ///< it gave up, and why
  const NodeStatus* status = nullptr;
  const Reads* reads = nullptr;
};

/// What is missing; empty: one leader, whom every running node follows and is level with; `hosts` agents
/// connected, each with the owner of its host's shard; no shard with a node that is down, and as many with
/// each as its share where all are up. `nodes`: the members' numbers.
std::string why_not_settled(const std::vector<std::uint32_t>& nodes, std::size_t hosts,
                            const std::function<NodeLook(std::uint32_t node)>& look);

}  // namespace troupe::embedded
