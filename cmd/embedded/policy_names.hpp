#pragma once
// The cell's policies by name, as the public options have them.

#include <string_view>

#include "storage/base/result.hpp"
#include "storage/model/records.hpp"

namespace troupe::embedded {

/// False: there is no policy of that name. Error: invalid_argument: the value is no whole number above 0.
Result<bool> set_policy(CellPolicy& policy, std::string_view name, std::string_view value);

}  // namespace troupe::embedded
