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

sigset_t taken_signals(SignalWait::Takes takes) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (takes == SignalWait::Takes::ends_and_dumps) sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

SignalWait::SignalWait(Takes takes) : takes_(takes), state_(std::make_shared<State>()) {
  const sigset_t set = taken_signals(takes_);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::string SignalWait::wait(const std::function<void()>& dump) {
  const sigset_t set = taken_signals(takes_);
  int taken = SIGUSR1;
  while (taken == SIGUSR1) {
    sigwait(&set, &taken);
    if (taken == SIGUSR1 && dump) dump();
  }
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
