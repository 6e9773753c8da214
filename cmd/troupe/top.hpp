#pragma once
// `troupe top`: the cell at a glance, again and again.

#include "cmd/troupe/cli_context.hpp"

namespace CLI {
class App;
}

namespace troupe::cli {

struct TopArgs {
  std::string view = "nodes";
  std::string where{};
  std::string every = "2s";  ///< a duration
  bool is_once = false;      ///< one picture as text, also where nobody is at a terminal
};
/// Answers the exit code.
int top(Context& context, const TopArgs& args);
void add_top_options(CLI::App& app, Context& context);

}  // namespace troupe::cli
