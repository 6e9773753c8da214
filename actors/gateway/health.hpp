#pragma once

#include <string>

#include "actors/node/node_context.hpp"

namespace troupe::gateway {

/// Entries that a node may be behind what it knows to be committed and still be called caught up.
constexpr std::uint64_t serving_lag_max = 1'000;

/// Empty: this node has a leader that confirmed it lately, and is caught up.
std::string why_not_serving(const NodeContext& node);

}  // namespace troupe::gateway
