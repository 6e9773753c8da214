#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint machine_group_constraint{
    "machineGroup", "The job asks for another host group.",
    [](const HostFacts& host, const Needs& needs) {
      return needs.machine_group.empty() || needs.machine_group == host.host_group;
    },
    [](const HostFacts& host, const Needs& needs) {
      return Lack{"machineGroup", "it is of " + (host.host_group.empty() ? "no group" : host.host_group) +
                                      ", the task asks for " + needs.machine_group};
    }};

}  // namespace troupe::scheduler
