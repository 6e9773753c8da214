#pragma once

#include <iosfwd>

#include "storage/base/error.hpp"

namespace troupe::cli {

/// The exit code for an error of the cell or of the way to it.
int exit_code_of(const Error& error);
/// Writes what is wrong, where, and what to do; answers the exit code.
int report(std::ostream& err, const Error& error);

}  // namespace troupe::cli
