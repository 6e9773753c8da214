#pragma once
// The shells around the entities' cores. Each derives all it knows from the state when it starts; nothing of
// it survives, and nothing need.

#include "actors/entities/entity_meter.hpp"
#include "actors/messages.hpp"
#include "actors/node/node_context.hpp"

namespace troupe {

/// What an entity's actor is given. `directory` takes its effects.
struct EntityHome {
  ContextPtr context;
  caf::actor directory;
  EntityRef entity;
  std::uint64_t seed = 0;
  Instant cared_since;  ///< since when this node has had the right to care for it, see CareTime
  EntityMeterPtr meter = std::make_shared<EntityMeter>();
};

caf::actor spawn_job(caf::actor_system& system, const EntityHome& home);
caf::actor spawn_task(caf::actor_system& system, const EntityHome& home);
caf::actor spawn_host(caf::actor_system& system, const EntityHome& home);
caf::actor spawn_group(caf::actor_system& system, const EntityHome& home);

}  // namespace troupe
