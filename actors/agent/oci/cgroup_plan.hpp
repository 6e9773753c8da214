#pragma once
// Which control groups a container gets, and what is written into them: v1, hybrid and v2 alike.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/fields.hpp"
#include "storage/base/result.hpp"

namespace troupe::agent {

/// Where this machine's controllers are.
struct CgroupLayout {
  std::map<std::string, std::string> v1;  ///< controller, mount point
  std::string v2;                         ///< mount point; empty: none
  std::set<std::string> v2_controllers;
};

struct CgroupLimits {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t pids_max = 0;
};

struct CgroupWrite {
  std::string file;  ///< absolute
  std::string value;
  bool is_optional = false;  ///< of a kernel that may not have it; else a failure refuses the container
  static constexpr auto fields() {
    return field_list(field("file", &CgroupWrite::file), field("value", &CgroupWrite::value),
                      field("is_optional", &CgroupWrite::is_optional));
  }
  friend bool operator==(const CgroupWrite&, const CgroupWrite&) = default;
};

/// Of one container. Its folders are made, written to, joined and removed in this order.
struct CgroupPlan {
  std::vector<std::string> parents;  ///< made before, shared, never removed by one container
  std::vector<std::string> folders;
  std::vector<CgroupWrite> writes;
  std::string core;      ///< the v2 folder, which can kill at once; empty: there is no v2
  std::string oom_file;  ///< where kills for want of memory are counted
  std::string hidden;    ///< a v2 mount beside v1, which the runtime must not see; empty: none
  /// Once the program runs: the runtime's own work would else be counted against a small share of a cpu.
  std::vector<CgroupWrite> late_writes;
  static constexpr std::size_t fields_at_first = 6;
  static constexpr auto fields() {
    return field_list(field("parents", &CgroupPlan::parents), field("folders", &CgroupPlan::folders),
                      field("writes", &CgroupPlan::writes), field("core", &CgroupPlan::core),
                      field("oom_file", &CgroupPlan::oom_file), field("hidden", &CgroupPlan::hidden),
                      field("late_writes", &CgroupPlan::late_writes));
  }
  friend bool operator==(const CgroupPlan&, const CgroupPlan&) = default;
};

/// From the text of /proc/self/mountinfo; `v2_controllers` is what the v2 root's cgroup.controllers says.
CgroupLayout cgroup_layout(std::string_view mountinfo, std::string_view v2_controllers);
/// The v2 mount alone, to read its controllers first.
std::string cgroup2_mount(std::string_view mountinfo);
/// Which of cpu, memory and pids nobody here controls; a container would be without that limit.
std::vector<std::string> missing_controllers(const CgroupLayout& layout);
/// `parent` is one path component (it is the agent's), `name` another.
CgroupPlan cgroup_plan(const CgroupLayout& layout, const std::string& parent, const std::string& name,
                       const CgroupLimits& limits);
/// Folders below which this parent's containers are, one per hierarchy.
std::vector<std::string> cgroup_parents(const CgroupLayout& layout, const std::string& parent);
/// The number behind "oom_kill" in memory.oom_control (v1) or memory.events (v2); 0: it says none.
std::uint64_t oom_kills_in(std::string_view text);

}  // namespace troupe::agent
