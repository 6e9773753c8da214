#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "storage/base/time.hpp"

namespace troupe {

/// Threads of a real cell make it true, and tell nobody: looked at every few milliseconds, for a bounded
/// time.
inline bool await_within(milliseconds patience, const std::function<bool()>& done) {
  constexpr milliseconds look_every{5};
  const SystemClock clock;
  const Moment end = clock.steady() + patience;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  while (!done()) {
    if (clock.steady() >= end) return false;
    never.wait_for(lock, look_every);
  }
  return true;
}

}  // namespace troupe
