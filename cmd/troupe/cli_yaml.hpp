#pragma once

#include <string>
#include <string_view>

#include "net/json/value.hpp"
#include "storage/base/result.hpp"

namespace troupe::cli {

/// A YAML document as JSON values that know where they stood. Plain scalars are typed as in YAML 1.2's core
/// schema (true, 7, 1.5, null); quoted ones are strings. Aliases are expanded, within json::Limits' number of
/// values. Errors: invalid_argument with one violation.
Result<json::Value> parse_yaml(std::string_view text);

}  // namespace troupe::cli
