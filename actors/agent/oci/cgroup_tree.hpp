#pragma once
// The control groups themselves. Used by a container's shim and, when that is dead, by the agent.

#include <sys/types.h>

#include <cstdint>

#include "actors/agent/oci/cgroup_plan.hpp"

namespace troupe::agent {

/// Errors: io.
Result<CgroupLayout> cgroups_of_this_machine();
/// Makes the folders and sets the limits, but for the late ones. Errors: io; what was made stays, for
/// remove_cgroups().
Result<void> make_cgroups(const CgroupPlan& plan);
/// Errors: io.
Result<void> set_late_limits(const CgroupPlan& plan);
/// Where a forked child is.
enum class Birth : std::uint8_t { outside, in_core };
struct Forked {
  pid_t pid = -1;  ///< as of fork(); errno is set
  Birth birth = Birth::outside;
};
/// As fork(), for a process of one thread: the child is born in the plan's v2 group, where kernel and plan
/// have it. A process that moves there later waits until no other of the whole machine forks or exits, which
/// takes up to tens of ms.
Forked fork_into_core(const CgroupPlan& plan);
/// Moves the calling process, which has one thread, into all groups that it was not born in. Only system
/// calls: fit for a forked child. Returns 0 or errno.
int join_cgroups(const CgroupPlan& plan, Birth birth);
/// Processes killed so far for want of memory.
std::uint64_t count_oom_kills(const CgroupPlan& plan);
/// SIGKILLs all that is inside, also while frozen, and what it starts meanwhile.
void kill_cgroups(const std::vector<std::string>& folders);
/// Kills and removes, for at most remove_wait_ms_max. Returns how many processes are left.
std::size_t remove_cgroups(const std::vector<std::string>& folders);
constexpr int remove_wait_ms_max = 5'000;
/// Names of the containers that have a folder below any of these parents.
std::vector<std::string> names_below(const std::vector<std::string>& parents);

}  // namespace troupe::agent
