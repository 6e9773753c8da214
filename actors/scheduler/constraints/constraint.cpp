#include "actors/scheduler/constraints/constraint.hpp"

#include <algorithm>
#include <array>

namespace troupe::scheduler {
namespace {

constexpr std::array all_constraints{
    &connected_constraint, &active_constraint,     &paused_constraint,        &placement_allowed_constraint,
    &driver_constraint,    &machine_id_constraint, &machine_group_constraint, &taint_constraint,
    &attribute_constraint, &expression_constraint,
};

}  // namespace

std::span<const Constraint* const> constraints() { return all_constraints; }

bool all_hold(const HostFacts& host, const Needs& needs) {
  return std::all_of(all_constraints.begin(), all_constraints.end(),
                     [&](const Constraint* constraint) { return constraint->holds(host, needs); });
}

std::optional<Lack> first_failure(const HostFacts& host, const Needs& needs) {
  for (const Constraint* constraint : all_constraints)
    if (!constraint->holds(host, needs)) return constraint->lack(host, needs);
  return std::nullopt;
}

std::vector<Lack> failures(const HostFacts& host, const Needs& needs) {
  std::vector<Lack> all;
  for (const Constraint* constraint : all_constraints)
    if (!constraint->holds(host, needs)) all.push_back(constraint->lack(host, needs));
  return all;
}

}  // namespace troupe::scheduler
