#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint active_constraint{
    "not active", "The host is draining or quarantined.",
    [](const HostFacts& host, const Needs&) { return host.phase == HostPhase::active; },
    [](const HostFacts& host, const Needs&) {
      return Lack{"not active", "it is " + std::string(phase_text(host.phase))};
    }};

}  // namespace troupe::scheduler
