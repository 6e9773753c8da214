#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

inline constexpr Setting crash_launches_per_s{
    "crash_launches_per_s", 500, 0, 1'000'000,
    "launches a second, of the whole cell, that follow a crash or are of what crashes again and again; 0: no "
    "limit"};

/// While this node leads: feeds the engine from the state and its events, and proposes its plans under the
/// term's fence. Answers why a task waits (AskScheduler).
caf::actor spawn_scheduler(caf::actor_system& system, const ContextPtr& context);

}  // namespace troupe
