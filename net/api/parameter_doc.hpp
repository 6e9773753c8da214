#pragma once

#include <string>
#include <string_view>

namespace troupe::api {

/// A query parameter, as the contract says it.
struct ParameterDoc {
  std::string_view name;
  std::string schema;
  std::string_view help{};
};

}  // namespace troupe::api
