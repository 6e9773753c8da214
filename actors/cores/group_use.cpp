#include "actors/cores/group_use.hpp"

namespace troupe::cores {

GroupStanding group_standing(const GroupRecord& group, const GroupUse& use) {
  GroupStanding standing;
  const auto count = static_cast<std::int64_t>(group.instance_count);
  standing.reservation = {group.instance.cpu_milli * count, group.instance.memory_mb * count,
                          group.instance.disk_mb * count, group.instance.network_mbps * count,
                          group.instance.gpu * count};
  standing.is_over_cap = group.tasks_max != 0 && use.tasks > group.tasks_max;
  const auto compare = [&](const char* name, std::int64_t used, std::int64_t reserved) {
    if (used > reserved) standing.above.emplace_back(name);
  };
  compare("cpu", use.resources.cpu_milli, standing.reservation.cpu_milli);
  compare("memory", use.resources.memory_mb, standing.reservation.memory_mb);
  compare("disk", use.resources.disk_mb, standing.reservation.disk_mb);
  compare("network", use.resources.network_mbps, standing.reservation.network_mbps);
  compare("gpu", use.resources.gpu, standing.reservation.gpu);
  return standing;
}

}  // namespace troupe::cores
