#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {

void add_run_options(CLI::App& app, Context& context) {
  auto* run = app.add_subcommand("run", "Run a procedure, step by step, over all that a condition selects");
  auto args = std::make_shared<ProcedureRun>();
  auto lists = std::make_shared<bool>(false);
  run->add_option("procedure", args->procedure, "a built-in one, or a YAML file");
  run->add_flag("--list", *lists, "list the built-in procedures");
  add_where(*run, args->bulk.where, "those of which this condition holds");
  run->add_option("--at-once", args->at_once, "so many at a time")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  run->add_option("--command", args->command, "what stands at {command}; {name} and {id} are filled in");
  run->add_option("--into", args->into, "the folder that stands at {into}");
  run->add_flag("--dry-run", args->bulk.is_dry_run, "say what would be done, and do nothing");
  run->add_flag("--yes", args->bulk.is_confirmed, "do not ask when they are many");
  run->add_flag("--all", args->bulk.takes_all, "do not ask when they are all of the cell");
  run->add_option("--at-most", args->bulk.at_most, "refuse if more would be changed")
      ->check(CLI::PositiveNumber);
  run->footer(
      "It stops at the first step that fails: nobody begins another step. Changes need --reason TEXT.\n"
      "A file:\n  procedure: reboot\n  over: host        # or job, task\n  steps:\n"
      "    - do: drain                    # or undrain, quarantine; job: kill, enable, disable, retry; task: "
      "kill\n"
      "    - await: taskCount = 0         # a condition, or gone\n      within: 2h\n"
      "    - command: ssh {name} reboot   # here, in a shell\n      within: 5m\n"
      "    - await: reconnected           # its agent, since the command\n"
      "    - check: phase = Draining      # must hold now\n    - do: undrain\n"
      "Examples:\n  troupe run --list\n"
      "  troupe run reboot.yaml --where 'hostGroup = flex-1' --dry-run\n"
      "  troupe run replace-hosts --command './replace.sh {name}' --where 'hostGroup = flex-1' --at-once 5 "
      "--yes --reason 'INC-7'\n"
      "  troupe run collect-diagnostics --into ./inc-7 --where 'not connected' --reason 'INC-7'");
  run->callback([args, lists, &context] {
    finish_with(*lists ? list_procedures(context) : run_procedure(context, *args));
  });
}

}  // namespace troupe::cli
