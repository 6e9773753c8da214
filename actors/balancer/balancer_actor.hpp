#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

inline constexpr Setting owner_dead_ms{"owner_dead_ms", 700, 200, 600'000,
                                       "a node silent for this long loses its shards; must exceed lease_ms"};
inline constexpr Setting owner_back_ms{
    "owner_back_ms", 1000, 0, 600'000,
    "a node that came back must be heard for this long before it is given shards"};

/// While this node leads: bootstraps an empty log as a cell, and keeps every shard with a live node.
caf::actor spawn_balancer(caf::actor_system& system, const ContextPtr& context);

}  // namespace troupe
