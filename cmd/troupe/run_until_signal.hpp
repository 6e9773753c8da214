#pragma once

#include <memory>
#include <string>

namespace troupe::cli {

/// SIGINT and SIGTERM are blocked from construction on, so call it before any thread starts; wait() takes the
/// first.
class SignalWait {
 public:
  SignalWait();
  /// Returns when a signal came, or when stop() was called. Empty: a signal; otherwise why it was stopped.
  std::string wait();
  /// From any thread.
  void stop(const std::string& why);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::cli
