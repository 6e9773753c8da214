#pragma once
// A task's folder: the one thing that agent and shim share, and what survives both.
//
//   spec                ContainerSpec, written by the driver; never changes
//   lock                held (flock) by the shim for as long as it lives
//   control             the shim's socket (SOCK_SEQPACKET)
//   shim.pid, task.pid  "pid start-ticks" for people and tests; nothing is decided by them
//   exit                the end, a TaskReport; it appears whole or not at all, and never changes
//   stdout.N, stderr.N  log segments, N the offset of their first byte
//   work/               the task's working directory; of a container its writable layer
//   container           of a container: oci/container_plan.hpp; beside it config.json, runtime.log,
//   container.pid

#include <filesystem>
#include <optional>
#include <string>

#include "actors/agent/driver.hpp"
#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

struct TaskFolder {
  std::filesystem::path path;

  /// Errors: io, not_found.
  Result<ContainerSpec> read_spec() const;
  Result<void> write_spec(const ContainerSpec& spec) const;
  /// Absent: it has not ended, as far as this folder knows.
  std::optional<TaskReport> read_exit() const;
  /// Synced to the disk before it appears. Call with the lock held.
  Result<void> write_exit(const TaskReport& end) const;
  void write_pid(const char* name, pid_t pid) const;
  /// Not open: another process holds it. With `waits`, until it does not.
  Fd try_lock() const;
  Fd wait_lock() const;
  /// Not open: no shim listens.
  Fd connect_control() const;
  Fd listen_control() const;
};

/// From the log segments of a folder; an offset that was rotated away continues at the oldest byte kept.
/// Errors: not_found, io.
Result<LogChunk> read_segments(const TaskFolder& folder, LogStream stream, std::uint64_t offset,
                               std::size_t bytes_max);

/// The shim's side of one log: segments of bounded size, the oldest deleted beyond a number.
class SegmentWriter {
 public:
  SegmentWriter(TaskFolder folder, LogStream stream, std::uint64_t segment_bytes, std::size_t segments_max);
  /// False: the disk refused some of it. What is refused is lost; the task is never held up by its log.
  bool append(BytesView bytes);

 private:
  std::filesystem::path segment_path(std::uint64_t offset) const;
  bool open_next();
  TaskFolder folder_;
  LogStream stream_;
  std::uint64_t segment_bytes_;
  std::size_t segments_max_;
  Fd file_;
  std::uint64_t offset_ = 0;
  std::vector<std::uint64_t> starts_;
};

// What the driver and a shim say to each other, one datagram each.
constexpr char shim_started = 'S';  ///< the program runs
constexpr char driver_stops = 'T';  ///< followed by the grace in ms, decimal
constexpr char driver_fails = 'F';  ///< followed by what the task did wrong; it is killed at once
constexpr std::size_t fail_message_bytes_max = 512;

}  // namespace troupe::agent
