#pragma once
// A log writer whose disk takes its time: what is written, and when, is for the test to say.

#include "storage/log/log_writer.hpp"

namespace troupe {

/// As ThreadLogWriter, in steps: it takes all that waits as one group, and is done with it later.
class StagedLogWriter final : public LogWriter {
 public:
  StagedLogWriter(LogStore& log, Done done, std::size_t queue_bytes_max)
      : log_(log), done_(std::move(done)), queue_(queue_bytes_max) {}
  Result<void> submit(LogWrite&& write) override;
  std::size_t queued_bytes() const override { return queue_.bytes(); }
  bool begin();   ///< takes a group; false: one is in hand, none waits, or a write has failed
  void finish();  ///< the group in hand is durable, or has failed, and that is told
  /// All that waits, at once; false: there was nothing.
  bool pump();
  std::size_t in_hand() const { return group_.size(); }
  /// The process dies: so many writes of the group in hand reach the disk, nobody is told.
  void abandon(std::size_t kept);

 private:
  LogStore& log_;
  const Done done_;
  LogWriteQueue queue_;
  std::vector<LogWrite> group_;
  bool failed_ = false;
};

}  // namespace troupe
