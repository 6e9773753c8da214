#pragma once

#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"
#include "storage/log/log_cache.hpp"
#include "storage/raft/core.hpp"

namespace troupe {

inline constexpr Setting lease_ms{"lease_ms", 1000, 100, 60'000,
                                  "a node that the leader has not confirmed for this long gives no orders"};
inline constexpr Setting heartbeat_ms{"heartbeat_ms", 50, 10, 5'000,
                                      "the leader's heartbeats; multiples of 10"};
inline constexpr Setting election_ms{
    "election_ms", 300, 50, 60'000,
    "silence of the leader before an election, doubled at random; multiples of 10"};

/// Drives the Raft core: drains its mailbox, takes one Ready, hands writes to the log writer and entries to
/// the applier. Owns the node's proposals and linearizable reads. Starts when it has met its node.
caf::actor spawn_replica(caf::actor_system& system, const ContextPtr& context,
                         const raft::Restored& restored);

/// Applies entries, in batches, and tells the node's other actors in log order.
caf::actor spawn_applier(caf::actor_system& system, const ContextPtr& context);

}  // namespace troupe
