#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "storage/replica/disk_book.hpp"
#include "storage/replica/replica_settings.hpp"

namespace troupe {

/// Pumps the replica driver: drains its mailbox, takes the driver's effects once for all of it, and carries
/// them out. Owns the node's proposals and linearizable reads. Starts when it has met its node. `disks`
/// outlives it; null: a node is who it says it is.
caf::actor spawn_replica(caf::actor_system& system, const ContextPtr& context, const raft::Restored& restored,
                         DiskBook* disks = nullptr);

/// Applies entries, in batches, and tells the node's other actors in log order.
caf::actor spawn_applier(caf::actor_system& system, const ContextPtr& context);

/// Does what may block, away from the replica: flushes the state, gives the disk space of the log back.
enum class KeeperThread : std::uint8_t {
  own,
  shared,  ///< in simulations, whose disks do not block
};
caf::actor spawn_keeper(caf::actor_system& system, const ContextPtr& context, KeeperThread thread);

}  // namespace troupe
