#pragma once
// From a spec to a running program.

#include "actors/agent/protocol.hpp"
#include "actors/agent/task_folder.hpp"

namespace troupe::agent {

/// The variable by which a task's processes are found when their shim is dead.
std::string mark_of(const TaskId& task);
/// The user's variables, and ours on top; "NAME=value".
std::vector<std::string> environment_of(const ContainerSpec& spec);
/// What no program could be started with. Empty: nothing.
std::string complaint_about(const ContainerSpec& spec);

/// Why a child could not become the program; sent through a pipe.
struct ExecFailure {
  enum class Stage : std::uint8_t { session, folder, output, program };
  Stage stage = Stage::session;
  int error = 0;
};

struct ShimChild {
  pid_t pid = -1;
  Fd output, error;  ///< what it writes; non-blocking
  Fd failure;        ///< an ExecFailure, or its end once the program runs; non-blocking
};

/// Forks (the caller has one thread). The child leads its own session, gets SIGKILL when its parent dies, and
/// has /dev/null as input, default signals, umask 022 and `work/` as its folder. Errors: io.
Result<ShimChild> start_child(const TaskFolder& folder, const ContainerSpec& spec);
/// The end of a task that could not be started.
TaskReport failure_report(const ContainerSpec& spec, const ExecFailure& failure);

}  // namespace troupe::agent
