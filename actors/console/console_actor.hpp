#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

/// Answers AskConsole about this node as JSON: what it is and what it runs.
caf::actor spawn_console(caf::actor_system& system, const ContextPtr& context);

}  // namespace troupe
