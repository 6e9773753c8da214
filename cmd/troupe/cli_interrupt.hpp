#pragma once
// SIGINT and SIGTERM as an ordinary call on a thread of its own.

#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

#include "cmd/troupe/cli.hpp"

namespace troupe::cli {

/// While it lives, the first signal runs `on_first`; a second one leaves the process at once with
/// exit_interrupted. Make it before other threads are started: they inherit the blocked signals.
class InterruptGuard {
 public:
  InterruptGuard(Signals signals, std::function<void()> on_first);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  bool was_interrupted() const { return count_ > 0; }

 private:
  void wait();

  std::function<void()> on_first_;
  sigset_t watched_{};
  sigset_t before_{};
  std::atomic<int> count_{0};
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

}  // namespace troupe::cli
