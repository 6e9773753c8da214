#pragma once

#include <caf/all.hpp>

#include "actors/node/node_context.hpp"
#include "storage/replica/disk_book.hpp"

namespace troupe {

/// Carries operators' orders about the cell itself to this node's replica, and its answers back: AskCell.
/// Changes and transfers end well at the leader only, restarts at the entity's owner. Every question is
/// answered, at its deadline at the latest; an order that is fulfilled already is answered as done. `disks`
/// outlives it.
caf::actor spawn_operations(caf::actor_system& system, const ContextPtr& context, const DiskBook* disks);

}  // namespace troupe
