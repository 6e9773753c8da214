#pragma once
// What a container driver does for the agent. Handles are task ids: a driver keeps what it needs under its
// own folder, so that a restarted agent adopts what still runs.

#include <functional>
#include <string>
#include <vector>

#include "actors/agent/protocol.hpp"

namespace troupe::agent {

/// A driver's news about one task; at most one `finished` per task and process life.
struct DriverEvent {
  TaskReport report;
};

struct LogChunk {
  Bytes data;
  std::uint64_t next_offset = 0;
  bool ended = false;  ///< nothing will follow
};

/// All calls return at once and come from one thread. News come through the listener, from any thread.
class Driver {
 public:
  using Listener = std::function<void(DriverEvent)>;
  virtual ~Driver() = default;
  virtual std::string name() const = 0;
  using HealthListener = std::function<void(std::vector<std::string> problems)>;
  /// Why this host is unfit for new tasks, as found before this returns; from adopt() on each further look
  /// goes to the listener, from any thread. Called once, before adopt(). A driver that does not look finds
  /// nothing.
  virtual std::vector<std::string> watch_health(HealthListener) { return {}; }
  /// Starts listening and reports, through the listener, every task that an earlier life of this agent left
  /// behind: running ones as started, ended ones as finished. Called once, before any launch. Returns all
  /// their ids.
  virtual std::vector<TaskId> adopt(Listener listener) = 0;
  /// Idempotent by task id. Reports start_initiated, started, finished; a failure to start is a finished one.
  virtual void launch(const ContainerSpec& spec) = 0;
  /// SIGTERM, grace, SIGKILL; the end is reported. Unknown tasks are ignored.
  virtual void stop(const TaskId& task, milliseconds grace) = 0;
  /// Forgets an ended task's bookkeeping; its logs stay until the driver's retention drops them. Idempotent.
  virtual void discard(const TaskId& task) = 0;
  /// Errors: not_found (no such log, or dropped by retention), io.
  virtual Result<LogChunk> read_log(const TaskId& task, LogStream stream, std::uint64_t offset,
                                    std::size_t bytes_max) = 0;
};

}  // namespace troupe::agent
