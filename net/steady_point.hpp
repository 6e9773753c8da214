#pragma once
// The machine's steady clock in the type that sockets' timers and condition variables wait on.

#include <chrono>

#include "storage/base/time.hpp"

namespace troupe {

using SteadyPoint = std::chrono::steady_clock::time_point;

/// For deadlines of real sockets only; whatever decides asks the Clock that it was given. Any thread.
inline SteadyPoint steady_now() { return SteadyPoint(SystemClock().steady() - Moment{}); }

}  // namespace troupe
