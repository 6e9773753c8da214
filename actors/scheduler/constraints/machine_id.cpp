#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint machine_id_constraint{"machineId", "The job asks for another host by name.",
                                       [](const HostFacts& host, const Needs& needs) {
                                         return needs.machine_id.empty() || needs.machine_id == host.name;
                                       },
                                       [](const HostFacts&, const Needs& needs) {
                                         return Lack{"machineId", "the task asks for " + needs.machine_id};
                                       }};

}  // namespace troupe::scheduler
