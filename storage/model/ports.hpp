#pragma once
// The ports of a host that its tasks may be given. How many there are is a resource like others; which of
// them a task gets, apply counts out.

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "storage/base/id.hpp"
#include "storage/base/result.hpp"
#include "storage/model/job_descriptor.hpp"

namespace troupe {

/// A host's attribute: "20000-29999", or several in rising order, "8080,20000-20099".
inline constexpr std::string_view ports_attribute = "ports";

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  ///< this one, too
  friend bool operator==(const PortRange&, const PortRange&) = default;
};
using PortRanges = std::vector<PortRange>;

/// Errors: invalid_argument, with what is expected.
Result<PortRanges> parse_ports(std::string_view text);
/// None: it has no such attribute, or one that nobody can read.
PortRanges ports_of(const StringMap& attributes);
std::int64_t port_count(const PortRanges& ranges);
/// So many that nobody has; fewer: there are no more. The search begins where the task's id says, so that a
/// port that has just become free is seldom the next task's.
std::vector<std::uint16_t> choose_ports(const PortRanges& ranges, const std::set<std::uint16_t>& taken,
                                        std::int64_t count, const TaskId& task);

}  // namespace troupe
