// One binary: the client's commands, and those that run a cell, a node or an agent.

#include <CLI/CLI.hpp>

#include "actors/agent/shim.hpp"
#include "cmd/troupe/backup_commands.hpp"
#include "cmd/troupe/bench_commands.hpp"
#include "cmd/troupe/cli.hpp"
#include "cmd/troupe/huge_pages.hpp"
#include "cmd/troupe/inspect.hpp"
#include "cmd/troupe/server_commands.hpp"
#include "cmd/troupe/sim_command.hpp"
#include "storage/base/build_id.hpp"

int main(int argc, char** argv) {
  // The shim is started for every task: nothing else is set up for it.
  if (argc > 1 && std::string_view(argv[1]) == "shim") return troupe::agent::run_shim(argc - 1, argv + 1);
  if (argc > 1 && std::string_view(argv[1]) == "node") troupe::cli::prefer_huge_pages(argv);
  CLI::App app{"Troupe runs containers on a fleet of hosts."};
  app.require_subcommand(1);
  app.set_version_flag("--version", "troupe build " + troupe::build_id());
  troupe::cli::add_client_commands(app);
  troupe::cli::add_server_commands(app);
  troupe::cli::add_bench_commands(app);
  troupe::cli::add_sim_command(app);
  troupe::cli::add_inspect_commands(app);
  troupe::cli::add_skip_command(app);
  troupe::cli::add_backup_commands(app);
  return troupe::cli::run_app(app, argc, argv);
}
