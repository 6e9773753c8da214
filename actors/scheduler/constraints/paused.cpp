#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint paused_constraint{"paused", "The host's scheduling is paused.",
                                   [](const HostFacts& host, const Needs&) { return host.paused.empty(); },
                                   [](const HostFacts& host, const Needs&) {
                                     return Lack{"paused", host.paused};
                                   }};

}  // namespace troupe::scheduler
