#pragma once
// What the cores of all entities share: how they ask, and how they learn what came of it.

#include <cstdint>
#include <vector>

#include "storage/model/outcome.hpp"

namespace troupe::cores {

/// Put this body into an envelope with the entity's fence and propose it. Answered by one Settled with the
/// same number.
struct Propose {
  std::uint64_t number = 0;  ///< the core's own count
  CommandBody body;
};

/// Look again at that state time; replaces every earlier wish.
struct WakeAt {
  Instant at;
};

/// Nothing to wait for: the actor may be passivated. Any later event may be sent to a fresh core instead.
struct Rest {};

/// What came of a proposal. The view of the same call is at least as fresh as the outcome.
struct Settled {
  enum class How : std::uint8_t {
    taken,    ///< applied, but for the `refused` items
    refused,  ///< surely nothing of it was applied
    unknown,  ///< it may yet be applied
  };
  std::uint64_t number = 0;
  How how = How::taken;
  ErrorCode error = ErrorCode::internal;  ///< of refused
  std::vector<ItemRefusal> refused;       ///< of taken; positions in the body that was proposed
};

/// The entity was activated, has changed, or its wake came: all the same to a core that derives everything
/// from the view.
struct Look {};

}  // namespace troupe::cores
