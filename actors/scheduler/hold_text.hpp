#pragma once
// Why nothing is placed although there may be room: scheduling is paused, or launches are at a limit.

#include <string>

#include "storage/model/records.hpp"

namespace troupe::scheduler {

/// "the cell", "capacity group payments", "host h1".
std::string pause_text(const std::string& whose, const PauseRecord& pause);

struct LaunchHold {
  std::string sentence;  ///< empty: nothing holds them back
  Instant until;         ///< when time alone lets them launch, if nobody else does before; unset: it does not
};
/// Of so many tasks that start at once; of more than the limit ever allows at once, all of that is asked for.
LaunchHold launch_hold(const std::string& whose, const LaunchStanding& standing, std::uint64_t count,
                       Instant now);

}  // namespace troupe::scheduler
