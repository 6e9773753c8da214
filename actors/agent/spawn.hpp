#pragma once

#include <spawn.h>

#include <string>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::agent {

/// Starts a program with nothing of this process but what `actions` give it: no variables, no blocked or
/// ignored signals. `flags` are more of posix_spawn's. Errors: io.
Result<pid_t> spawn_bare(std::vector<std::string> argv, const posix_spawn_file_actions_t& actions,
                         short flags = 0);

}  // namespace troupe::agent
