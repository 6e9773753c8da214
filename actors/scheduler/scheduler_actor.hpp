#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

/// While this node leads: feeds the engine from the state and its events, and proposes its plans under the
/// term's fence. Answers why a task waits (AskScheduler).
caf::actor spawn_scheduler(caf::actor_system& system, const ContextPtr& context);

}  // namespace troupe
