#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {
namespace {

using Wanted = StringMap::value_type;

const Wanted* missing_attribute(const HostFacts& host, const Needs& needs) {
  for (const Wanted& wanted : needs.attributes) {
    const auto has = host.attributes.find(wanted.first);
    if (has == host.attributes.end() || has->second != wanted.second) return &wanted;
  }
  return nullptr;
}

}  // namespace

const Constraint attribute_constraint{
    "attribute", "The host lacks an attribute that the job asks for.",
    [](const HostFacts& host, const Needs& needs) { return missing_attribute(host, needs) == nullptr; },
    [](const HostFacts& host, const Needs& needs) {
      const Wanted& wanted = *missing_attribute(host, needs);
      const auto has = host.attributes.find(wanted.first);
      return Lack{wanted.first, "it is " + (has == host.attributes.end() ? "not set" : has->second) +
                                    ", the task asks for " + wanted.second};
    }};

}  // namespace troupe::scheduler
