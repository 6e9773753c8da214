#include "net/api/constraint_names.hpp"

#include <algorithm>
#include <array>

#include "storage/model/attribute_expression.hpp"
#include "storage/model/placement_terms.hpp"

namespace troupe::api {
namespace {

using enum ConstraintValue;
constexpr std::array names{
    ConstraintName{"exclusiveHost", boolean},
    ConstraintName{"uniqueHost", boolean},
    ConstraintName{"zoneBalance", boolean},
    ConstraintName{"activeHost", boolean},
    ConstraintName{"availabilityZone", text},
    ConstraintName{"machineId", text},
    ConstraintName{"machineGroup", text},
    ConstraintName{"machineType", text},
    ConstraintName{"cpuModel", text},
    // Ours; storage/model says what their values mean.
    ConstraintName{"expression", expression},
    ConstraintName{"topologySpread", spread},
    ConstraintName{"jobAffinity", neighbours},
    ConstraintName{"jobAntiAffinity", neighbours},
    ConstraintName{"tolerations", tolerations},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_but_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

template <class T>
std::string complaint_of(const Result<T>& parsed) {
  return parsed.ok() ? std::string() : parsed.error().message;
}

}  // namespace

std::string value_complaint(ConstraintValue kind, std::string_view value) {
  switch (kind) {
    case boolean:
      return value == "true" || value == "false" ? "" : "must be \"true\" or \"false\"";
    case text:
      return value.find_first_not_of(" \t\r\n") == std::string_view::npos ? "must not be blank" : "";
    case expression:
      return complaint_of(AttributeExpression::parse(value));
    case spread:
      return complaint_of(parse_spread(value));
    case neighbours:
      return complaint_of(parse_neighbours(value));
    case tolerations:
      return complaint_of(parse_tolerations(value));
  }
  return {};
}

std::span<const ConstraintName> constraint_names() { return names; }

std::optional<ConstraintName> find_constraint(std::string_view name) {
  for (const auto& known : names)
    if (same_but_case(known.name, name)) return known;
  return std::nullopt;
}

}  // namespace troupe::api
