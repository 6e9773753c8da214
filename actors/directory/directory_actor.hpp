#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

/// Which entities does this node care for? Activates their actors when an event or a duty concerns them,
/// passivates them when they have nothing to wait for, restarts the ones that crash, and carries their
/// proposals under the shard's fence. Without a lease it stays still: what is due is done by the next owner,
/// or here when the lease is back.
caf::actor spawn_directory(caf::actor_system& system, const ContextPtr& context);

/// Where agents arrive: reads their hellos, registers new hosts, sends them on to the owner of their host,
/// and carries calls (logs) to those that are here.
caf::actor spawn_door(caf::actor_system& system, const ContextPtr& context);

/// Mail between nodes: proposals to the leader, questions to whoever knows, and their answers.
caf::actor spawn_post(caf::actor_system& system, const ContextPtr& context);

}  // namespace troupe
