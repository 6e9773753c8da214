#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/console.hpp"
#include "cmd/troupe/console_table.hpp"

namespace troupe::cli {

void add_console_options(CLI::App& app, Context& context) {
  auto* sub = app.add_subcommand("console", "Look into a node: its actors, shards, duties, any entity");
  auto args = std::make_shared<ConsoleArgs>();
  sub->add_option("-c,--command", args->command,
                  "run one command; without: a prompt, or the lines of the input");
  sub->add_option("--node", args->node, "ask this node through the attached one; 0: the attached one")
      ->capture_default_str();
  sub->add_option("--history", args->history_file, "keep what was typed in this file")
      ->envname("TROUPE_CONSOLE_HISTORY");
  sub->footer(
      "Commands:\n" + console_help("") +
      "Examples:\n  troupe console\n  troupe console -c nodes\n  troupe console -c 'actors job' --node 2 "
      "--json\n  troupe console -c 'show host/host-1'\n"
      "  troupe console -c 'host where hostGroup = flex-1 and not connected limit 20'\n"
      "Lines of the input are run in turn; the first that fails ends the console with its exit code.");
  sub->callback([args, &context] { finish_with(console(context, *args)); });
}

}  // namespace troupe::cli
