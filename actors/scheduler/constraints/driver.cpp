#include <algorithm>

#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint driver_constraint{
    "driver", "The host lacks the container driver that the job asks for.",
    [](const HostFacts& host, const Needs& needs) {
      if (needs.driver.empty()) return !host.drivers.empty();
      return std::find(host.drivers.begin(), host.drivers.end(), needs.driver) != host.drivers.end();
    },
    [](const HostFacts&, const Needs& needs) {
      return Lack{"driver", needs.driver.empty() ? "it has no driver" : "it has no driver " + needs.driver};
    }};

}  // namespace troupe::scheduler
