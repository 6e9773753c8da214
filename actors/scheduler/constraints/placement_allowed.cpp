#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {
namespace {

// Titus' names: the first is the operator's, the second the system's.
const std::string* forbidding_attribute(const HostFacts& host) {
  static const std::string names[] = {"titus.scheduler.noPlacement", "titus.scheduler.systemNoPlacement"};
  for (const std::string& name : names)
    if (const auto found = host.attributes.find(name);
        found != host.attributes.end() && found->second == "true")
      return &name;
  return nullptr;
}

}  // namespace

const Constraint placement_allowed_constraint{
    "noPlacement", "An attribute of the host says that nothing is to be placed there.",
    [](const HostFacts& host, const Needs&) { return forbidding_attribute(host) == nullptr; },
    [](const HostFacts& host, const Needs&) {
      return Lack{"noPlacement", *forbidding_attribute(host) + " is true"};
    }};

}  // namespace troupe::scheduler
