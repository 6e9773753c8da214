#pragma once
// `troupe console`: an operator's look into any node of a cell.

#include "cmd/troupe/cli_context.hpp"

namespace CLI {
class App;
}

namespace troupe::cli {

struct ConsoleArgs {
  std::string command;       ///< -c; empty: from a terminal, or each line of the input
  std::uint32_t node = 0;    ///< which one is asked; 0: the attached one
  std::string history_file;  ///< empty: none is kept
};
/// At a terminal: prompts until the end, always 0. Else: each line in turn up to the first that fails, whose
/// exit code is answered.
int console(Context& context, const ConsoleArgs& args);

void add_console_options(CLI::App& app, Context& context);

}  // namespace troupe::cli
