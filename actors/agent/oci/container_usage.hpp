#pragma once
// What a container uses, from its control groups, and how it is told to whoever collects metrics.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/agent/host_probes.hpp"
#include "actors/agent/oci/container_plan.hpp"

namespace troupe::agent {

/// Time in which some, or all, of a group's processes waited; grows.
struct Pressure {
  std::uint64_t some_us = 0, full_us = 0;
  friend bool operator==(const Pressure&, const Pressure&) = default;
};
/// Of the text of cpu.pressure and its like; nothing where the kernel has none.
std::optional<Pressure> read_pressure(std::string_view text);

struct ContainerUsage {
  std::uint64_t cpu_us = 0;  ///< grows
  std::uint64_t memory_bytes = 0, processes = 0, disk_bytes = 0;
  std::uint64_t oom_kills = 0;               ///< grows
  std::map<std::string, Pressure> pressure;  ///< cpu, memory, io
};
/// What cannot be read is 0 or absent: the container may have ended meanwhile.
ContainerUsage sample_container(const ContainerPlan& plan, const std::string& work_folder);

struct TaskUsage {
  TaskId task;
  JobId job;
  ContainerUsage usage;
};
/// Prometheus' text format. `problems`: why the host is unfit.
std::string metrics_text(const HostLook& host, const std::vector<std::string>& problems,
                         const std::vector<TaskUsage>& tasks);

}  // namespace troupe::agent
