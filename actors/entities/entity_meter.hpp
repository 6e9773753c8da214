#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace troupe {

/// What an entity's actor counts of itself, so that its directory can tell how full its mailbox is: what was
/// sent less what was handled. Shared by the two.
struct EntityMeter {
  std::atomic<std::uint64_t> handled{0};
  std::string failure;  ///< written by the actor before it ends, read by the directory once it is down
};
using EntityMeterPtr = std::shared_ptr<EntityMeter>;

}  // namespace troupe
