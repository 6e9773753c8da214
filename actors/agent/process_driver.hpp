#pragma once
// Containers as plain processes of this machine: no root needed, and no isolation claimed.

#include <functional>
#include <map>
#include <memory>

#include "actors/agent/driver.hpp"
#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

struct TaskFolder;

struct ProcessDriverConfig {
  std::string root;                         ///< its own folder; made if missing
  std::vector<std::string> shim_command;    ///< absolute program and first arguments; `--dir ...` is appended
  std::uint64_t segment_bytes = 8 << 20;    ///< of one log segment
  std::size_t segments_max = 4;             ///< of each log; the oldest is deleted beyond
  std::size_t ended_kept_max = 256;         ///< discarded tasks whose logs stay
  std::uint64_t ended_bytes_max = 1 << 30;  ///< of all their logs together; at least the newest task stays
  /// Ends what a dead shim left running; returns how many processes are left. Called on the watcher's thread.
  /// Empty: by the variable that marks a task's processes.
  std::function<std::size_t(const TaskId& task, const TaskFolder& folder)> end_orphans{};
};

/// `troupe-shim` beside this program if there is one (it starts faster), else this program's own subcommand
/// `shim`.
std::vector<std::string> default_shim_command();

/// Descriptors that a shim gets beside its socket, by the option that names each.
using ShimFds = std::map<std::string, Fd>;

/// One shim process per task (shim.hpp), which lives on when the agent dies; destroying the driver stops no
/// task. Calls come from one thread (launch_prepared from any) and return at once; one watcher thread starts
/// shims, listens to them and gives the news. What survives is in the task folders (task_folder.hpp). A task
/// whose shim died ends as local_system_error, after everything that it started was killed; it is never run
/// again.
class ProcessDriver final : public Driver {
 public:
  explicit ProcessDriver(ProcessDriverConfig config);
  ~ProcessDriver() override;
  std::string name() const override { return "process"; }
  std::vector<TaskId> adopt(Listener listener) override;
  void launch(const ContainerSpec& spec) override;
  /// With `prepare` called, on this thread, between the making of the task's folder and its shim. Its error
  /// ends the task: conflict as killed, invalid_argument and not_found as the user's fault, else as the
  /// host's.
  using Prepare = std::function<Result<ShimFds>(const TaskFolder& folder)>;
  void launch_prepared(const ContainerSpec& spec, const Prepare& prepare);
  void stop(const TaskId& task, milliseconds grace) override;
  /// Kills it at once; it ends as failed, with this message. Calls come from any thread.
  void fail(const TaskId& task, const std::string& message);
  void discard(const TaskId& task) override;
  /// An offset that was rotated away continues at the oldest byte kept: next_offset less the data's size
  /// tells where.
  Result<LogChunk> read_log(const TaskId& task, LogStream stream, std::uint64_t offset,
                            std::size_t bytes_max) override;

 private:
  class Watcher;
  ProcessDriverConfig config_;
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace troupe::agent
