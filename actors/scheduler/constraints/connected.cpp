#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint connected_constraint{"not connected", "The host's agent has no session.",
                                      [](const HostFacts& host, const Needs&) { return host.connected; },
                                      [](const HostFacts&, const Needs&) {
                                        return Lack{"not connected", "its agent has no session"};
                                      }};

}  // namespace troupe::scheduler
