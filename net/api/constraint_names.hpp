#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace troupe::api {

enum class ConstraintValue : std::uint8_t { boolean, text };
struct ConstraintName {
  std::string_view name;  ///< as Titus writes it; requests may use any case
  ConstraintValue value;
};
/// The constraints that a descriptor may name.
std::span<const ConstraintName> constraint_names();
/// Without regard to case; nothing if there is none of that name.
std::optional<ConstraintName> find_constraint(std::string_view name);

}  // namespace troupe::api
