#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::http {

struct Target {
  std::string path;  ///< decoded; an encoded slash is a slash afterwards
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order; "+" is a space
};

/// A request target: "/path?query" or "http://host/path?query" (RFC 9112 section 3.2).
/// Errors: invalid_argument for anything else, for bad percent-encoding, and for what decodes to NUL or to no
/// UTF-8.
Result<Target> parse_target(std::string_view target);

}  // namespace troupe::http
