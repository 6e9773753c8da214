#pragma once
// The control groups themselves. Used by a container's shim and, when that is dead, by the agent.

#include "actors/agent/oci/cgroup_plan.hpp"

namespace troupe::agent {

/// Errors: io.
Result<CgroupLayout> cgroups_of_this_machine();
/// Makes the folders and sets the limits. Errors: io; what was made stays, for remove_cgroups().
Result<void> make_cgroups(const CgroupPlan& plan);
/// Moves the calling process in. Only system calls: fit for a forked child. Returns 0 or errno.
int join_cgroups(const CgroupPlan& plan);
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
