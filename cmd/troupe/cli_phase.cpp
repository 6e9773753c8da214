// Drain, undrain, quarantine, pause and resume scheduling: one host after another, said before it is done.

#include <ostream>

#include "cmd/troupe/cli_bulk.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_hosts_chosen.hpp"
#include "cmd/troupe/cli_table.hpp"

namespace troupe::cli {
namespace {

struct PhasePlan {
  Bulk bulk;
  std::vector<ChosenHost> selected;
};

bool is_already(const PhaseVerb& verb, const ChosenHost& host) {
  return verb.pauses ? host.is_paused == *verb.pauses : host.phase == verb.phase;
}

void add_change(PhasePlan& plan, const PhaseVerb& verb, const ChosenHost& host) {
  *plan.bulk.tasks += host.tasks;
  plan.bulk.changes.push_back(
      {host.name,
       "/api/v3/hosts/" + url_text(host.name) + (verb.pauses ? "/scheduling" : "/phase"),
       {host.name, host.group, host.phase, host.is_connected ? "yes" : "no", std::to_string(host.tasks)}});
}

std::string headline_of(const PhaseChange& args, const Bulk& bulk) {
  const auto count = [](std::size_t n) { return counted(static_cast<std::int64_t>(n), "host"); };
  const std::string phase(args.verb.phase);
  const std::size_t already = bulk.selected - bulk.changes.size();
  std::string line = std::string(args.verb.name) + ": " + count(bulk.changes.size()) + " to become " + phase +
                     ", with " + counted(*bulk.tasks, "live task");
  if (already > 0) line += "; " + count(already) + " already " + phase;
  return line;
}

Result<PhasePlan> plan_phases(CellClient& client, const PhaseChange& args, const std::string& becomes) {
  auto chosen = choose_hosts(client, args);
  if (!chosen.ok()) return chosen.error();
  PhasePlan plan{Bulk{args.verb.name, "host", becomes, "PUT"}, std::move(chosen).value()};
  Bulk& bulk = plan.bulk;
  bulk.body = args.verb.pauses ? std::string("{\"paused\":") + (*args.verb.pauses ? "true}" : "false}")
                               : "{\"phase\":\"" + std::string(args.verb.phase) + "\"}";
  bulk.header = {"NAME", "GROUP", "PHASE", "CONNECTED", "TASKS"};
  bulk.phase = args.verb.phase;
  bulk.tasks = 0;
  bulk.selected = plan.selected.size();
  for (const ChosenHost& host : plan.selected)
    if (!is_already(args.verb, host)) add_change(plan, args.verb, host);
  bulk.headline = headline_of(args, bulk);
  if (args.bulk.where.empty()) return plan;
  const auto is_all = is_all_of(client, "/api/v3/hosts", bulk.selected);
  if (!is_all.ok()) return is_all.error();
  bulk.is_everything = is_all.value();
  return plan;
}

std::string complaint_of(const Context& context, const PhaseChange& args) {
  if (args.names.empty() == args.bulk.where.empty())
    return "name the hosts, or select them with --where CONDITION";
  if (!args.timeout.empty() && !duration_of(args.timeout))
    return "--timeout must be a time such as 90s or 2h";
  return bulk_complaint(context, args.bulk);
}

}  // namespace

int change_phases(Context& context, const PhaseChange& args) {
  if (const auto complaint = complaint_of(context, args); !complaint.empty()) {
    context.io.err << "troupe: " << complaint << '\n';
    return exit_usage;
  }
  const std::string becomes = "is " + std::string(args.verb.phase);
  const auto planned = read_anywhere<PhasePlan>(
      context, [&](CellClient& client) { return plan_phases(client, args, becomes); });
  if (!planned.ok()) return report(context.io.err, planned.error());
  const PhasePlan& plan = planned.value();
  const InterruptGuard guard(context.io.signals, [] {});
  const int code = run_bulk(context, args.bulk, plan.bulk, guard);
  const bool is_to_watch = code == exit_ok && args.watches && !args.bulk.is_dry_run;
  return is_to_watch ? watch_hosts(context, plan.selected, args.timeout, guard) : code;
}

}  // namespace troupe::cli
