#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

void add_cell(CLI::App& app, Context& context) {
  auto* cell = app.add_subcommand("cell",
                                  "The cell: status, policy, set-policy, members, transfer-leader, "
                                  "move-shard, upgrade, pause-scheduling,\n"
                                  "resume-scheduling");
  cell->require_subcommand(1);
  auto* status = cell->add_subcommand("status", "Show who leads, how far the log is, how much lives");
  status->footer("Example:\n  troupe cell status --address 10.0.0.7:7001");
  status->callback([&context] { finish_with(cell_status(context)); });
  add_policy_options(*cell, context);
  add_scheduling_options(*cell, context, "cell");
  add_member_options(*cell, context);
  add_upgrade_options(*cell, context);
}

void add_events(CLI::App& app, Context& context) {
  auto* sub = app.add_subcommand("events", "Follow what happens: first what is, then what changes");
  auto args = std::make_shared<Events>();
  auto* job = sub->add_option("--job", args->job, "only this job's (id, or its beginning)");
  sub->add_option("--only", args->only,
                  "only jobs and tasks that fit, NAME=VALUE: applicationName, capacityGroup, owner, jobType, "
                  "attributes, jobIds, taskIds and others; all that are given must fit")
      ->check([](const std::string& given) {
        return given.find('=') == std::string::npos ? "must be NAME=VALUE" : std::string();
      })
      ->excludes(job);
  sub->add_option("--limit", args->limit, "end after so many events; 0: never")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sub->footer(
      "Examples:\n  troupe events\n  troupe events --only capacityGroup=payments --only jobType=service\n"
      "  troupe events --job 6f1c2a --json | jq .taskState");
  sub->callback([args, &context] { finish_with(events(context, *args)); });
}

}  // namespace

void add_cell_options(CLI::App& app, Context& context) {
  add_host_options(app, context);
  add_cell(app, context);
  add_events(app, context);
}

}  // namespace troupe::cli
