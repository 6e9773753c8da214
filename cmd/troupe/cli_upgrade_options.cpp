#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/upgrade_core.hpp"

namespace troupe::cli {

void add_upgrade_options(CLI::App& cell, Context& context) {
  auto* sub =
      cell.add_subcommand("upgrade", "Replace the nodes' program, one after the other, the leader last");
  auto args = std::make_shared<CellUpgrade>();
  sub->add_option("--hook", args->hook,
                  "stops node {node}, and starts it again with the new program; {peer} and {http} are its "
                  "addresses");
  sub->add_option("--build", args->build, "that every node shall have; else that of this very program")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return std::string(is_build(text) ? "" : "a build is 16 hexadecimal digits: troupe --version");
          },
          "BUILD", "build"));
  sub->add_flag("--dry-run", args->is_dry_run, "make the checks, say in which order, and change nothing");
  sub->add_flag("--yes", args->is_confirmed, "do not ask");
  sub->add_option("--hook-timeout", args->hook_timeout, "kill the hook after this time")
      ->capture_default_str();
  sub->add_option("--return-timeout", args->return_timeout, "until a node is back and has caught up")
      ->capture_default_str();
  auto* hold = sub->add_flag("--hold-level", args->holds_level,
                             "keep the cell's feature level, so that the old program could come back");
  auto* raise = sub->add_flag("--raise-level", args->raises_level, "at the end, let the feature level rise");
  hold->excludes(raise);
  sub->add_flag("--take-over", args->takes_over,
                "go on where another run was ended half-way; neither it nor its hook may still run");
  sub->footer(
      "For each node: its shards are handed over, the hook runs, and it must be back with the new build, "
      "caught\nup and healthy, before the next one begins. Stops at the first check that fails, says where "
      "it "
      "stands, and\ngoes on from there when it is run again. Run it with the new program, or name the build "
      "(troupe --version).\nExamples:\n"
      "  troupe cell upgrade --dry-run\n"
      "  troupe cell upgrade --hook './swap.sh {node}' --reason 'release 12'\n"
      "  troupe cell upgrade --hook 'ssh ctl-{node} systemctl restart troupe' --yes --raise-level --reason "
      "'release 12'");
  sub->callback([args, &context] { finish_with(cell_upgrade(context, *args)); });
}

}  // namespace troupe::cli
