#include <algorithm>

#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {
namespace {

bool is_tolerated(std::string_view taint, const std::string& value, const Needs& needs) {
  return std::any_of(needs.tolerations.begin(), needs.tolerations.end(), [&](const Toleration& toleration) {
    return toleration.taint == "*" ||
           (toleration.taint == taint && (toleration.value.empty() || toleration.value == value));
  });
}

/// Null: there is none.
const std::string* untolerated_taint(const HostFacts& host, const Needs& needs) {
  for (auto at = host.attributes.lower_bound(std::string(taint_prefix));
       at != host.attributes.end() && at->first.starts_with(taint_prefix); ++at)
    if (!is_tolerated(std::string_view(at->first).substr(taint_prefix.size()), at->second, needs))
      return &at->first;
  return nullptr;
}

}  // namespace

const Constraint taint_constraint{
    "taint", "The host has a taint that the job does not tolerate.",
    [](const HostFacts& host, const Needs& needs) { return untolerated_taint(host, needs) == nullptr; },
    [](const HostFacts& host, const Needs& needs) {
      return Lack{"taint", "the task does not tolerate " + *untolerated_taint(host, needs)};
    }};

}  // namespace troupe::scheduler
