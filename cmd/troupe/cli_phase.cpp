// Drain, undrain, quarantine: one host after another, said before it is done.

#include <istream>
#include <ostream>

#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_hosts_chosen.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t unasked_max = 5;  ///< so many hosts are changed without a question
constexpr std::size_t rows_max = 20;

struct PhasePlan {
  std::vector<ChosenHost> selected;
  std::vector<ChosenHost> changes;
  std::int64_t tasks = 0;  ///< live, on those that change
  bool is_everything = false;
};

std::size_t already(const PhasePlan& plan) { return plan.selected.size() - plan.changes.size(); }

Result<PhasePlan> plan_phases(CellClient& client, const PhaseChange& args) {
  auto chosen = choose_hosts(client, args);
  if (!chosen.ok()) return chosen.error();
  PhasePlan plan;
  plan.selected = std::move(chosen).value();
  for (const ChosenHost& host : plan.selected) {
    if (host.phase == args.verb.phase) continue;
    plan.changes.push_back(host);
    plan.tasks += host.tasks;
  }
  if (args.where.empty()) return plan;
  const auto all = client.get("/api/v3/hosts?pageSize=1&fields=name");
  if (!all.ok()) return all.error();
  const auto total = integer_at(all.value().value, "pagination/totalItems");
  plan.is_everything = static_cast<std::int64_t>(plan.selected.size()) >= total;
  return plan;
}

std::string complaint_of(const Context& context, const PhaseChange& args) {
  if (args.names.empty() == args.where.empty())
    return "name the hosts, or select them with --where CONDITION";
  if (!args.timeout.empty() && !duration_of(args.timeout))
    return "--timeout must be a time such as 90s or 2h";
  if (!args.is_dry_run && context.options.reason.find_first_not_of(' ') == std::string::npos)
    return "say why: --reason TEXT (it is kept in the audit)";
  return {};
}

void show_plan(std::ostream& out, const PhaseChange& args, const PhasePlan& plan) {
  const auto count = [](std::size_t n) { return counted(static_cast<std::int64_t>(n), "host"); };
  out << args.verb.name << ": " << count(plan.changes.size()) << " to become " << args.verb.phase << ", with "
      << counted(plan.tasks, "live task");
  if (already(plan) > 0) out << "; " << count(already(plan)) << " already " << args.verb.phase;
  out << '\n';
  if (plan.changes.empty()) return;
  Table table({"NAME", "GROUP", "PHASE", "CONNECTED", "TASKS"});
  for (std::size_t n = 0; n < plan.changes.size() && n < rows_max; ++n) {
    const ChosenHost& host = plan.changes[n];
    table.add(
        {host.name, host.group, host.phase, host.is_connected ? "yes" : "no", std::to_string(host.tasks)});
  }
  table.print(out);
  if (plan.changes.size() > rows_max) out << "and " << plan.changes.size() - rows_max << " more\n";
}

/// For --json: what was or would be done. The first `done` are.
void print_plan(Context& context, const PhaseChange& args, const PhasePlan& plan, std::size_t done) {
  json::Writer writer;
  writer.begin_object();
  writer.key("verb");
  writer.text(args.verb.name);
  writer.key("phase");
  writer.text(args.verb.phase);
  writer.key("dryRun");
  writer.boolean(args.is_dry_run);
  writer.key("selected");
  writer.uint(plan.selected.size());
  writer.key("tasks");
  writer.integer(plan.tasks);
  for (const bool wants_done : {true, false}) {
    writer.key(wants_done ? "changed" : "left");
    writer.begin_array();
    for (std::size_t n = 0; n < plan.changes.size(); ++n)
      if ((n < done) == wants_done) writer.text(plan.changes[n].name);
    writer.end_array();
  }
  writer.end_object();
  print_json(context, writer.take());
}

/// Asks for a word. Answers whether it was given.
bool asks_for(Context& context, std::string_view word, const std::string& why) {
  if (!context.io.has_person) {
    context.io.err << "troupe: " << why << ", and nobody is here to be asked: say "
                   << (word == "all" ? "--all (and --yes) if every host is meant\n"
                                     : "--yes if that is meant\n");
    return false;
  }
  context.io.err << why << ". Type " << word << " to go on: " << std::flush;
  std::string answer;
  std::getline(context.io.in, answer);
  if (answer == word) return true;
  context.io.err << "nothing was changed\n";
  return false;
}

bool is_agreed(Context& context, const PhaseChange& args, const PhasePlan& plan) {
  if (plan.is_everything && !args.takes_all)
    return asks_for(context, "all", "this is every host of the cell");
  if (args.is_confirmed || plan.changes.size() <= unasked_max) return true;
  return asks_for(context, "yes", "these are more than " + std::to_string(unasked_max) + " hosts");
}

struct PhaseRun {
  std::size_t done = 0;
  std::optional<Error> error{};
};

/// Host after host, until one fails or somebody interrupts.
PhaseRun run_phases(Context& context, const PhaseChange& args, const PhasePlan& plan,
                    const InterruptGuard& guard) {
  auto client = context.client();
  const std::string body = "{\"phase\":\"" + std::string(args.verb.phase) + "\"}";
  const milliseconds between(1000 / args.per_second);
  PhaseRun run;
  for (const ChosenHost& host : plan.changes) {
    if (run.done > 0) context.io.pause(between);
    if (guard.was_interrupted()) return run;
    const auto answer = client.change("PUT", "/api/v3/hosts/" + url_text(host.name) + "/phase", body);
    if (!answer.ok()) {
      run.error = answer.error();
      return run;
    }
    ++run.done;
    if (!context.options.wants_json)
      context.io.out << printable(host.name) << " is " << args.verb.phase << " (" << run.done << " of "
                     << plan.changes.size() << ')' << std::endl;
  }
  return run;
}

int tell_end(Context& context, const PhaseChange& args, const PhasePlan& plan, const PhaseRun& run) {
  if (context.options.wants_json) print_plan(context, args, plan, run.done);
  if (run.done == plan.changes.size()) return exit_ok;
  context.io.err << "troupe: " << (run.error ? "stopped" : "interrupted") << " after " << run.done << " of "
                 << counted(static_cast<std::int64_t>(plan.changes.size()), "host") << ", before "
                 << printable(plan.changes[run.done].name) << "; the same command goes on from there\n";
  return run.error ? report(context.io.err, *run.error) : exit_interrupted;
}

}  // namespace

int change_phases(Context& context, const PhaseChange& args) {
  if (const auto complaint = complaint_of(context, args); !complaint.empty()) {
    context.io.err << "troupe: " << complaint << '\n';
    return exit_usage;
  }
  auto client = context.client();
  const auto planned = plan_phases(client, args);
  if (!planned.ok()) return report(context.io.err, planned.error());
  const PhasePlan& plan = planned.value();
  if (plan.selected.empty())
    return report(context.io.err, Error{ErrorCode::not_found, "the condition holds of no host"});
  show_plan(context.options.wants_json ? context.io.err : context.io.out, args, plan);
  if (args.is_dry_run) {
    if (context.options.wants_json) print_plan(context, args, plan, 0);
    return exit_ok;
  }
  if (args.at_most && plan.changes.size() > *args.at_most) {
    context.io.err << "troupe: these are more than --at-most " << *args.at_most << ": nothing was changed\n";
    return exit_refused;
  }
  if (!plan.changes.empty() && !is_agreed(context, args, plan)) return exit_refused;
  const InterruptGuard guard(context.io.signals, [] {});
  const PhaseRun run = run_phases(context, args, plan, guard);
  if (const int code = tell_end(context, args, plan, run); code != exit_ok) return code;
  return args.watches ? watch_hosts(context, plan.selected, args.timeout, guard) : exit_ok;
}

}  // namespace troupe::cli
