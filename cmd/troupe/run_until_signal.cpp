#include "cmd/troupe/run_until_signal.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <mutex>

namespace troupe::cli {

struct SignalWait::State {
  std::mutex mutex;
  std::string why;
};

namespace {

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

SignalWait::SignalWait() : state_(std::make_shared<State>()) {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::string SignalWait::wait() {
  const sigset_t set = ending_signals();
  int taken = 0;
  sigwait(&set, &taken);
  const std::lock_guard lock(state_->mutex);
  return state_->why;
}

void SignalWait::stop(const std::string& why) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->why.empty()) state_->why = why;
  }
  kill(getpid(), SIGTERM);
}

}  // namespace troupe::cli
