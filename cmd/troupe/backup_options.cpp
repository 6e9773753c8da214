#include <CLI/CLI.hpp>

#include "cmd/troupe/backup_commands.hpp"
#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

/// The global options as they were given, wherever they stood.
Context context_of(const CLI::App& app, Surroundings& surroundings) {
  Context context{surroundings, {}};
  context.options.address = app.get_option("--address")->as<std::string>();
  context.options.caller = app.get_option("--caller")->as<std::string>();
  if (app.get_option("--reason")->count() > 0)
    context.options.reason = app.get_option("--reason")->as<std::string>();
  context.options.tls = tls_of(app);
  context.options.token = surroundings.environment("TROUPE_TOKEN").value_or("");
  context.options.wants_json = app.get_option("--json")->count() > 0;
  return context;
}

template <class Args>
void run_with(CLI::App& app, CLI::App* sub, const std::shared_ptr<Args>& args, Surroundings& surroundings,
              int (*run)(Context&, const Args&)) {
  sub->callback([&app, args, &surroundings, run] {
    Context context = context_of(app, surroundings);
    finish_with(run(context, *args));
  });
}

void add_node(CLI::App* sub, std::uint32_t& node) {
  sub->add_option("--node", node, "the node to take it from (default: the one at --address)")
      ->check(CLI::PositiveNumber);
}

void add_restore(CLI::App& app, CLI::App& cell, Surroundings& surroundings) {
  auto* restore = cell.add_subcommand("restore", "Make a new cell of one node from a backup, offline");
  const auto args = std::make_shared<Restore>();
  restore->add_option("BACKUP", args->backup, "the backup's folder")
      ->required()
      ->check(CLI::ExistingDirectory);
  restore->add_option("DIR", args->folder, "the new node's data folder")->required();
  restore->add_option("--node", args->node, "the new node's number")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  restore->add_option("--cell", args->cell, "the new cell's name (default: the backup's)");
  restore->footer(
      "Example:\n  troupe cell restore /backup/monday /var/lib/troupe/node-1 --node 1 --cell north\n"
      "Start it with a file whose 'nodes' names this node alone; let others join it as learners.");
  run_with(app, restore, args, surroundings, cell_restore);
}

}  // namespace

void add_backup_commands(CLI::App& app, Surroundings& surroundings) {
  CLI::App& cell = *app.get_subcommand("cell");
  auto* snapshot = cell.add_subcommand("snapshot", "Take a snapshot on a node, and say what it is");
  const auto take = std::make_shared<SnapshotTake>();
  add_node(snapshot, take->node);
  snapshot->footer("Example:\n  troupe cell snapshot --node 2");
  run_with(app, snapshot, take, surroundings, cell_snapshot);

  auto* backup = cell.add_subcommand("backup", "Fetch a consistent backup from a node into a folder here");
  const auto args = std::make_shared<Backup>();
  backup->add_option("DIR", args->folder, "new, empty, or left unfinished by an earlier try")->required();
  add_node(backup, args->node);
  backup->footer(
      "Example:\n  troupe cell backup /backup/monday --node 2\n"
      "Without a MANIFEST in it the folder is unfinished: run the same command again.");
  run_with(app, backup, args, surroundings, cell_backup);
  add_restore(app, cell, surroundings);
}

}  // namespace troupe::cli
