#include "cmd/troupe/cli_interrupt.hpp"

#include <unistd.h>

namespace troupe::cli {
namespace {

constexpr long wake_ns = 100'000'000;  // How late the end of the guard may be seen.

}  // namespace

InterruptGuard::InterruptGuard(Signals signals, std::function<void()> on_first)
    : on_first_(std::move(on_first)) {
  if (signals == Signals::leave) return;
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGINT);
  sigaddset(&watched_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  thread_ = std::thread([this] { wait(); });
}

InterruptGuard::~InterruptGuard() {
  if (!thread_.joinable()) return;
  is_over_ = true;
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void InterruptGuard::wait() {
  const timespec wake{0, wake_ns};
  while (!is_over_) {
    if (sigtimedwait(&watched_, nullptr, &wake) < 0) continue;
    if (++count_ > 1) _exit(exit_interrupted);
    on_first_();
  }
}

}  // namespace troupe::cli
