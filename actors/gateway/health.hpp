#pragma once

#include <string>

#include "actors/node/node_context.hpp"

namespace troupe::gateway {

/// Entries that a node may be behind what it knows to be committed and still be called caught up.
constexpr std::uint64_t serving_lag_max = 1'000;

/// Empty: this node has a leader that confirmed it lately, and is caught up.
std::string why_not_serving(const NodeContext& node);

/// Why this node takes no changes but those that mend; empty: it takes them. Many entities that break at once
/// are one failure of ours, which further changes would only feed.
std::string why_read_only(const NodeContext& node);

}  // namespace troupe::gateway
