#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::api {

enum class ConstraintValue : std::uint8_t { boolean, text, expression, spread, neighbours, tolerations };
struct ConstraintName {
  std::string_view name;  ///< as Titus writes it; requests may use any case
  ConstraintValue value;
};
/// The constraints that a descriptor may name.
std::span<const ConstraintName> constraint_names();
/// Without regard to case; nothing if there is none of that name.
std::optional<ConstraintName> find_constraint(std::string_view name);
/// What is wrong with the value; empty: nothing.
std::string value_complaint(ConstraintValue kind, std::string_view value);

}  // namespace troupe::api
