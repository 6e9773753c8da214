#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "storage/replica/replica_settings.hpp"

namespace troupe {

/// Pumps the replica driver: drains its mailbox, takes the driver's effects once for all of it, and carries
/// them out. Owns the node's proposals and linearizable reads. Starts when it has met its node.
caf::actor spawn_replica(caf::actor_system& system, const ContextPtr& context,
                         const raft::Restored& restored);

/// Applies entries, in batches, and tells the node's other actors in log order.
caf::actor spawn_applier(caf::actor_system& system, const ContextPtr& context);

}  // namespace troupe
