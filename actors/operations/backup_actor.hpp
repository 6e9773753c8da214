#pragma once

#include <caf/all.hpp>

#include "actors/node/node_context.hpp"
#include "actors/operations/backup_desk.hpp"

namespace troupe {

/// To the backup actor; answered by Answered, always.
struct AskBackup {
  BackupOrder order;
  std::uint64_t cookie = 0;
  caf::strong_actor_ptr asker;
};

/// Serves this node's snapshot to the gateway, on a thread of its own where `thread` says so: taking one
/// reads the whole state, and neither the keeper's transfers nor the gateway may wait for that.
enum class BackupThread : std::uint8_t {
  own,
  shared,  ///< in simulations, whose disks do not block
};
caf::actor spawn_backups(caf::actor_system& system, const ContextPtr& context, BackupThread thread);

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AskBackup)
