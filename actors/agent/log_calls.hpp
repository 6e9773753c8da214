#pragma once
// Log reads of one link that are under way, and those that wait for more output.

#include <map>
#include <optional>
#include <vector>

#include "actors/agent/driver.hpp"

namespace troupe::agent {

/// Pure; owned by the agent core; emptied when its link goes.
class LogCalls {
 public:
  /// What the shell is to read now.
  struct Read {
    std::uint64_t call = 0;
    TaskId task;
    LogStream stream = LogStream::standard_output;
    std::uint64_t offset = 0;
    std::uint32_t bytes_max = 0;
    friend bool operator==(const Read&, const Read&) = default;
  };
  static constexpr std::size_t calls_max = 64;            ///< beyond it a call is answered `overloaded`
  static constexpr std::uint32_t bytes_max = 256 * 1024;  ///< of one answer; a call for more gets this much
  static constexpr milliseconds wait_max{30'000};         ///< a longer wait is cut to this
  static constexpr milliseconds reread_every{50};         ///< while it waits for output

  static CallAnswer refusal(const Call& call, const Error& error);
  /// Either a read to be made or the answer that refuses the call.
  std::variant<Read, CallAnswer> begin(Moment now, const Call& call);
  /// The answer, unless the call waits for more or is gone.
  std::optional<CallAnswer> finish(Moment now, std::uint64_t call, const Result<LogChunk>& outcome);
  /// Reads to be made again, because their time has come or, with `ended`, because that task ended.
  std::vector<Read> due(Moment now);
  void wake(Moment now, const TaskId& ended);
  std::optional<Moment> deadline() const;
  void clear() { calls_.clear(); }
  std::size_t size() const { return calls_.size(); }

 private:
  struct Pending {
    Read read;
    Moment give_up;
    std::optional<Moment> again;  ///< absent while the shell reads
  };
  std::map<std::uint64_t, Pending> calls_;
};

}  // namespace troupe::agent
