#pragma once
// A command of the operator's own, run here.

#include <string>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {

/// Runs `command` with /bin/sh in a process group of its own, without input, its output on our stderr; waits
/// for the shell alone. Beyond `at_most` the group is killed. Interrupts of the terminal do not reach it.
/// Errors: precondition_failed (its exit code or signal), request_timeout, io (it could not be started, or
/// not be waited for: then it was killed).
Result<void> run_hook(const std::string& command, milliseconds at_most);

/// `text` with each {name} that `values` has replaced; a value stands in single quotes, for the shell.
std::string filled_in(std::string text, const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace troupe::cli
