#include <algorithm>

#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint driver_constraint{
    "driver", "The host has no container driver that isolates as much as the job asks for.",
    [](const HostFacts& host, const Needs& needs) {
      if (needs.drivers.empty()) return !host.drivers.empty();
      return std::find_first_of(host.drivers.begin(), host.drivers.end(), needs.drivers.begin(),
                                needs.drivers.end()) != host.drivers.end();
    },
    [](const HostFacts&, const Needs& needs) {
      std::string wanted;
      for (const std::string& driver : needs.drivers)
        wanted.append(wanted.empty() ? " " : " or ").append(driver);
      return Lack{"driver", "it has no driver" + wanted};
    }};

}  // namespace troupe::scheduler
