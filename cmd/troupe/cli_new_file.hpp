#pragma once
// A file of what the cell tells.

#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

/// For its owner alone, from the first byte on. Errors: precondition_failed (it is there already), io; then
/// nothing of it is left.
Result<void> write_new_file(const std::string& path, const std::string& bytes);

}  // namespace troupe::cli
