#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/top.hpp"

namespace troupe::cli {

void add_top_options(CLI::App& app, Context& context) {
  auto* sub =
      app.add_subcommand("top", "Nodes, actors, groups, hosts, jobs and tasks at a glance, again and again");
  auto args = std::make_shared<TopArgs>();
  sub->add_option("view", args->view, "nodes, actors, groups, hosts, jobs or tasks")->capture_default_str();
  add_where(*sub, args->where, "only those of which this condition holds");
  sub->add_option("--every", args->every, "how often the cell is asked")->capture_default_str();
  sub->add_flag("--once", args->is_once, "one picture as text");
  sub->footer(
      "Keys: ? explains them; n a g h j t another view, / a condition, o another order, enter what is known "
      "of a\n"
      "row, space holds the picture, q leaves. Where nobody is at a terminal it is --once.\n"
      "Examples:\n  troupe top\n  troupe top hosts --where 'not connected or launches.failures > 0'\n"
      "  troupe top tasks --where 'status.state = Launched' --once");
  sub->callback([args, &context] { finish_with(top(context, *args)); });
}

}  // namespace troupe::cli
