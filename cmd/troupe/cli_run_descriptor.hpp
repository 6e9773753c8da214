#pragma once

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {

/// The body of `job run`. What was not given is left out, so that the cell's own defaults hold.
/// Errors: invalid_argument with one violation per option that is wrong.
Result<std::string> run_descriptor(const Context& context, const JobRun& args);

}  // namespace troupe::cli
