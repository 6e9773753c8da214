#pragma once
// What several nodes noted of one trace, in causal order. Pure.

#include <map>
#include <string>

#include "storage/base/bytes.hpp"
#include "storage/base/id.hpp"
#include "storage/base/result.hpp"

namespace troupe {

/// `told`: TraceCore::json() of each node that was asked, or why it did not answer. {"id", "entity", "state",
/// "nodes": [{"node", "state", "why"?, "messages"} | {"node", "error"}], "items": [{"nodes": [1], …the
/// note}]}. Each node's notes stay in its own order. Between nodes what had seen less of the log comes first,
/// an entry's facts before what saw them, and what travelled is sent before it is taken. A fact that several
/// nodes applied is told once, with their numbers, at the first one's place. Error: the first one, where no
/// node has the trace.
Result<std::string> merged_trace(const std::map<NodeId, Result<Bytes>>& told);

}  // namespace troupe
