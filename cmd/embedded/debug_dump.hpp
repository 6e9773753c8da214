#pragma once

#include "actors/node/node.hpp"

namespace troupe::embedded {

/// More than the node's own patience with its actors.
constexpr milliseconds debug_patience{6'500};

/// Writes what the node tells of itself for a diagnosis to the log, a few lines per section. If it does not
/// answer in time, what can be told without its actors. Waits that long: not on one of the node's own
/// threads, and the node outlives the call.
void debug_to_log(Node& node, NodeId self, milliseconds patience = debug_patience);

}  // namespace troupe::embedded
