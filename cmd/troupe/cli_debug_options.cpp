#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {

void add_debug_options(CLI::App& app, Context& context) {
  auto* debug = app.add_subcommand("debug", "For a diagnosis: bundle");
  debug->require_subcommand(1);
  auto* bundle = debug->add_subcommand(
      "bundle", "Put all that a node can tell of itself into one file (.tar.gz), without secrets");
  auto args = std::make_shared<DebugBundle>();
  auto* node = bundle->add_option("--node", args->node, "that node (default: the one at --address)")
                   ->check(CLI::PositiveNumber);
  bundle->add_flag("--all", args->takes_all, "every node; one that does not answer leaves a note")
      ->excludes(node);
  bundle->add_option(
      "-o,--output", args->file,
      "the file, which must be new; -: standard output (default: named by cell, node and time)");
  bundle->footer(
      "Examples:\n"
      "  troupe debug bundle --node 2\n"
      "  troupe debug bundle --all -o incident-7.tar.gz\n"
      "  troupe debug bundle -o - | tar xzO --wildcards '*/log.txt'\n"
      "A node that answers nothing any more: SIGUSR1 lets `troupe node` and `troupe up` write it to their "
      "log.");
  bundle->callback([args, &context] { finish_with(debug_bundle(context, *args)); });
}

}  // namespace troupe::cli
