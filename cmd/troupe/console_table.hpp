#pragma once
// The console's commands, declared once: help, completion and dispatch come from one table.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/console/console_commands.hpp"

namespace troupe::cli {

class ConsoleSession;

/// Answers an exit code; reports its own errors. `argument` is what stands behind the command's name.
using ConsoleRun = int (*)(ConsoleSession& session, const ConsoleCommand& command,
                           const std::string& argument);

struct ConsoleRow {
  ConsoleCommand words;
  ConsoleRun run;
};
/// Those of a node, and those of the command line itself; where both have one (help), the latter.
std::span<const ConsoleRow> console_rows();
/// Null if there is none.
const ConsoleRow* console_row(std::string_view name);

/// What the word under the cursor may become: `line` ends at the cursor. Whole words, in the table's order.
std::vector<std::string> console_completions(std::string_view line);
/// All commands, or one with its example. Empty: there is no such command.
std::string console_help(std::string_view command);

}  // namespace troupe::cli
