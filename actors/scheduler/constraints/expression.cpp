#include "actors/scheduler/constraints/constraint.hpp"

namespace troupe::scheduler {

const Constraint expression_constraint{
    "expression", "The job's expression is not true of the host's attributes.",
    [](const HostFacts& host, const Needs& needs) {
      return needs.expression_text.empty() || needs.expression.holds(host.attributes);
    },
    [](const HostFacts&, const Needs& needs) {
      return Lack{"expression", "this is not true of its attributes: " + needs.expression_text};
    }};

}  // namespace troupe::scheduler
