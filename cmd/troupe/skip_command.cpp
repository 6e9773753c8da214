// `troupe cell skip`: the one offline command that writes, and only beside the databases.

#include <CLI/CLI.hpp>
#include <iostream>

#include "cmd/troupe/cli.hpp"
#include "cmd/troupe/inspect.hpp"
#include "storage/base/time.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/log/log_store.hpp"
#include "storage/snapshot/skip.hpp"

namespace troupe::cli {
namespace {

struct Skip {
  std::string folder;
  std::uint64_t entry = 0;
  std::string who, why;
};

Result<SkippedEntry> record(const Skip& args) {
  auto folder = NodeFolder::look(system_files(), args.folder);
  if (!folder.ok()) return folder.error();
  const auto log = open_rocks_read_only(
      {.path = folder.value().log_path(), .role = RocksConfig::Role::log, .tables = LogStore::tables()});
  if (!log.ok()) return log.error();
  return record_skip(folder.value(), *log.value(), Index{args.entry}, args.who, args.why,
                     SystemClock().wall());
}

void run(const Skip& args) {
  const auto recorded = record(args);
  if (recorded.ok()) {
    std::cout << "entry " << args.entry << " of term " << recorded.value().term.value
              << " is left out from this node's next start on; record it on every node of the cell\n";
    return;
  }
  std::cerr << "troupe: " << recorded.error().message << '\n';
  const ErrorCode code = recorded.error().code;
  if (code == ErrorCode::not_found) throw CLI::RuntimeError(exit_not_found);
  throw CLI::RuntimeError(code == ErrorCode::precondition_failed ? exit_refused : exit_internal);
}

}  // namespace

void add_skip_command(CLI::App& app) {
  const auto args = std::make_shared<Skip>();
  CLI::App* skip = app.get_subcommand("cell")->add_subcommand(
      "skip", "Leave out one entry at which nodes die, on this stopped node");
  skip->add_option("DIR", args->folder, "the node's data folder")->required()->check(CLI::ExistingDirectory);
  skip->add_option("--entry", args->entry, "its index; see `troupe inspect log`")
      ->required()
      ->check(CLI::PositiveNumber);
  skip->add_option("--who", args->who, "who says so")->required();
  skip->add_option("--why", args->why, "for those who ask later")->required();
  skip->footer("Example: troupe cell skip /var/lib/troupe/node-1 --entry 4711 --who ann --why 'issue 12'");
  skip->callback([args] { run(*args); });
}

}  // namespace troupe::cli
