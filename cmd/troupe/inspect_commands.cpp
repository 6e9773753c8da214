#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "cmd/troupe/inspect.hpp"

namespace troupe::cli {
namespace {

constexpr const char* exit_codes =
    "Reads only; stop the node first, or inspect a copy.\n"
    "Exit codes: 0 sound, 1 damaged, 2 usage, 3 nothing of the kind there, 70 cannot be read.";

using Run = int (*)(const Inspect&, const InspectOutput&);

CLI::App* add(CLI::App& inspect, const char* name, const char* what, const std::shared_ptr<Inspect>& args,
              Run run) {
  CLI::App* sub = inspect.add_subcommand(name, what);
  sub->add_option("DIR", args->folder, "a node's data folder, or the part's own")
      ->required()
      ->check(CLI::ExistingDirectory);
  sub->add_flag("--json", args->wants_json, "one object per line; the last one is the verdict");
  sub->footer(std::string("Example: troupe inspect ") + name + " /var/lib/troupe/node-1\n" + exit_codes);
  sub->callback([args, run] {
    const int code = run(*args, {std::cout, std::cerr});
    if (code != 0) throw CLI::RuntimeError(code);
  });
  return sub;
}

}  // namespace

void add_inspect_commands(CLI::App& app) {
  CLI::App* inspect = app.add_subcommand("inspect", "Look at a node's disk, offline: log, state, snapshot");
  inspect->require_subcommand(1);
  const auto args = std::make_shared<Inspect>();
  CLI::App* log = add(*inspect, "log", "Print and verify the log", args, inspect_log);
  log->add_option("--from", args->from, "first entry to print (default: the last ten)");
  log->add_option("--to", args->to, "last entry to print");
  add(*inspect, "state", "Count and sum up the state, archive included", args, inspect_state);
  add(*inspect, "snapshot", "Verify a backup, or a snapshot being received", args, inspect_snapshot);
}

}  // namespace troupe::cli
