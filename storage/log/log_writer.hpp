#pragma once
// The seam between the core, which must not wait, and the disk, on which it must.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/log/log_store.hpp"

namespace troupe {

/// Makes writes durable in the order of submission and says so. After a failure nothing more is written or
/// completed.
class LogWriter {
 public:
  /// Told the highest ticket that is durable (all before it are too), or once, last, the error.
  using Done = std::function<void(Result<std::uint64_t> finished)>;

  static constexpr std::size_t default_queue_bytes_max = std::size_t{64} << 20;
  /// A group is closed at this size, so that one sync's latency stays bounded.
  static constexpr std::size_t group_bytes_max = std::size_t{4} << 20;

  virtual ~LogWriter() = default;
  /// Returns at once. When refused the write is untouched. Errors: overloaded (the queue is full: submit
  /// again after the next completion), io (stopped by a failure).
  virtual Result<void> submit(LogWrite&& write) = 0;
  virtual std::size_t queued_bytes() const = 0;  ///< submitted and not yet durable
};

/// The queue that both writers share: bounded bytes, groups of bounded bytes. A write larger than the whole
/// bound is taken when the queue is empty. Not thread-safe.
class LogWriteQueue {
 public:
  explicit LogWriteQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  bool push(LogWrite&& write);  ///< false and untouched when full
  std::vector<LogWrite> take_group();
  void finish_group();  ///< the group taken last counts no longer
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }
  std::size_t bytes() const { return bytes_ + taken_bytes_; }

 private:
  const std::size_t bytes_max_;
  std::deque<LogWrite> waiting_;
  std::size_t bytes_ = 0;
  std::size_t taken_bytes_ = 0;
};

/// One thread that drains its queue into one synced batch at a time. `done` is called on that thread.
/// Destroying it finishes the group in hand and drops the rest without a word.
class ThreadLogWriter final : public LogWriter {
 public:
  ThreadLogWriter(LogStore& log, Done done, std::size_t queue_bytes_max = default_queue_bytes_max);
  ~ThreadLogWriter() override;
  Result<void> submit(LogWrite&& write) override;
  std::size_t queued_bytes() const override;

 private:
  void run();

  LogStore& log_;
  const Done done_;
  mutable std::mutex mutex_;  ///< guards all below
  std::condition_variable changed_;
  LogWriteQueue queue_;
  bool stopping_ = false;
  bool failed_ = false;
  std::thread thread_;
};

/// For simulations: completes when told to.
class InlineLogWriter final : public LogWriter {
 public:
  InlineLogWriter(LogStore& log, Done done, std::size_t queue_bytes_max = default_queue_bytes_max);
  Result<void> submit(LogWrite&& write) override;
  std::size_t queued_bytes() const override { return queue_.bytes(); }
  std::size_t pending() const { return queue_.size(); }
  /// Writes one group and reports it; false when there was none.
  bool pump();

 private:
  LogStore& log_;
  const Done done_;
  LogWriteQueue queue_;
  bool failed_ = false;
};

}  // namespace troupe
