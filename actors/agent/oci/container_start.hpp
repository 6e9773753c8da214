#pragma once
// From a plan to a container: what a shim's child does until it becomes the runtime.

#include <optional>
#include <string>

#include "actors/agent/oci/container_init.hpp"
#include "actors/agent/oci/container_plan.hpp"
#include "actors/agent/shim_child.hpp"

namespace troupe::agent {

/// What the driver had ready for the container; what is not open is made here.
struct ReadyFds {
  Fd ids;   ///< a user namespace of its range
  Fd disk;  ///< its disk, mounted nowhere yet
};

/// Makes the control groups and forks (the caller has one thread and is a subreaper). The child joins the
/// groups, mounts the root in a mount namespace of its own and becomes `crun run --detach`; once that has
/// ended well, the container's first process is the caller's child (container_pid()). `failure` of the answer
/// carries InitRecords and must stay open for as long as the container lives. Errors: io.
Result<ShimChild> start_container(const TaskFolder& folder, const ContainerPlan& plan, const ReadyFds& ready);
/// After the runtime's good end.
std::optional<pid_t> container_pid(const TaskFolder& folder);

/// The end of a task whose container did not come to life; `record` if it said why, else the runtime's own
/// complaint is looked for.
TaskReport container_failure(const TaskFolder& folder, const ContainerSpec& spec,
                             const std::optional<InitRecord>& record);
/// Pure: who is to blame for what the runtime complains of, and how it is said.
TaskReport runtime_failure(const ContainerSpec& spec, const std::string& complaint);
/// Pure: a want of memory outweighs exit code and signal, which only follow from it.
void explain_oom(TaskReport& end, std::uint64_t kills, std::int64_t memory_mb);

}  // namespace troupe::agent
