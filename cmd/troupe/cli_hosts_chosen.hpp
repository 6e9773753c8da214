#pragma once
// Hosts that a command acts on, and how they empty.

#include <cstdint>
#include <string>
#include <vector>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_interrupt.hpp"

namespace troupe::cli {

struct ChosenHost {
  std::string id;
  std::string name;
  std::string group;
  std::string phase;
  bool is_connected = false;
  std::int64_t tasks = 0;  ///< live ones
  bool is_paused = false;  ///< its scheduling
};

/// Those that are named, or of which the condition holds. Errors: the cell's; not_found for a name.
Result<std::vector<ChosenHost>> choose_hosts(CellClient& client, const PhaseChange& args);

/// Shows how many tasks are left on them whenever that changes, until none is. Answers the exit code.
int watch_hosts(Context& context, const std::vector<ChosenHost>& hosts, const std::string& timeout,
                const InterruptGuard& guard);

}  // namespace troupe::cli
