#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

/// A node's HTTP door: answers everything that users ask, from this node's state or through the leader.
///
/// Takes HttpCall (sent by the server's I/O thread) and StateApplied. Mutations go to `replica` as Propose
/// with a request id, reads wait for AwaitRead unless `?consistency=stale`; questions about agents, the
/// scheduler and other nodes go to `post` as Ask, and what concerns a backup to `backups` as AskBackup.
/// `declared`: the settings that a debug document tells.
caf::actor spawn_gateway(caf::actor_system& system, const ContextPtr& context, caf::actor replica,
                         caf::actor post, caf::actor backups, std::vector<const Setting*> declared);

}  // namespace troupe
