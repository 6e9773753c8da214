#include "net/api/constraint_names.hpp"

#include <algorithm>
#include <array>

namespace troupe::api {
namespace {

using enum ConstraintValue;
constexpr std::array names{
    ConstraintName{"exclusiveHost", boolean}, ConstraintName{"uniqueHost", boolean},
    ConstraintName{"zoneBalance", boolean},   ConstraintName{"activeHost", boolean},
    ConstraintName{"availabilityZone", text}, ConstraintName{"machineId", text},
    ConstraintName{"machineGroup", text},     ConstraintName{"machineType", text},
    ConstraintName{"cpuModel", text},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_but_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::span<const ConstraintName> constraint_names() { return names; }

std::optional<ConstraintName> find_constraint(std::string_view name) {
  for (const auto& known : names)
    if (same_but_case(known.name, name)) return known;
  return std::nullopt;
}

}  // namespace troupe::api
