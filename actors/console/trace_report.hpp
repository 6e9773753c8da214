#pragma once
// This node's part of a trace, as its console is asked for it.

#include <string>
#include <string_view>

#include "actors/node/node_context.hpp"

namespace troupe::console {

/// "start ID MESSAGES SECONDS ENTITY", "show ID" or "stop ID"; the gateway asks every node alike. Answers the
/// trace as TraceCore::json(). Errors: invalid_argument, not_found, precondition_failed.
Result<std::string> trace_json(NodeContext& context, std::string_view argument);

}  // namespace troupe::console
