#pragma once

#include <iosfwd>

#include "net/json/value.hpp"

namespace troupe::cli {

/// Any answer for people: what is single as aligned lines, each list of objects as a table under its name. A
/// newer cell may tell more than we know of; it is all printed.
void print_value(std::ostream& out, const json::Value& value);

}  // namespace troupe::cli
