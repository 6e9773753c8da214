#pragma once

#include <functional>
#include <memory>
#include <string>

namespace troupe::cli {

/// SIGINT, SIGTERM and, for those who dump, SIGUSR1 are blocked from construction on, so call it before any
/// thread starts; wait() takes them.
class SignalWait {
 public:
  enum class Takes { ends, ends_and_dumps };
  explicit SignalWait(Takes takes = Takes::ends);
  /// Returns when a signal to end came, or when stop() was called. Empty: a signal; otherwise why it was
  /// stopped. Each SIGUSR1 before runs `dump` on this thread; those that come meanwhile count as one.
  std::string wait(const std::function<void()>& dump = {});
  /// From any thread.
  void stop(const std::string& why);

 private:
  struct State;
  const Takes takes_;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::cli
