#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

void add_host_list(CLI::App& hosts, Context& context) {
  auto* list = hosts.add_subcommand("ls", "List the hosts, with what is used of them");
  auto where = std::make_shared<std::string>();
  add_where(*list, *where, "only those of which this condition holds: see below");
  list->footer(
      "Examples:\n  troupe host ls\n  troupe host ls --where 'hostGroup = flex-1 and not connected'\n"
      "  troupe host ls --where 'attributes.zone in (a, b) and disconnectedAt < 10m ago'\n"
      "Conditions: = != < <= > >=, in (a, b), ~ with a pattern of * and ?, is set; joined by not, and, or "
      "and\n"
      "parentheses. Sizes such as 4GB and durations such as 10m (back from now) are understood.");
  list->callback([where, &context] { finish_with(host_list(context, *where)); });
}

void add_host_show(CLI::App& hosts, Context& context) {
  auto* show = hosts.add_subcommand("show", "Show everything about a host");
  auto name = std::make_shared<std::string>();
  show->add_option("name", *name, "the host's name")->required();
  show->footer("Example:\n  troupe host show host-1");
  show->callback([name, &context] { finish_with(host_show(context, *name)); });
}

/// Those of all verbs.
void add_phase_verb(CLI::App& hosts, Context& context, PhaseVerb verb, const char* help) {
  auto* sub = hosts.add_subcommand(std::string(verb.name), help);
  auto args = std::make_shared<PhaseChange>(PhaseChange{verb});
  auto* names = sub->add_option("name", args->names, "hosts, by name");
  auto* where = add_bulk(*sub, args->bulk, "host");
  names->excludes(where);
  where->excludes(names);
  if (verb.name == drain_verb.name) {
    auto* watch = sub->add_flag("--watch", args->watches, "then show the tasks left on them, until none is");
    sub->add_option("--timeout", args->timeout, "end watching after a time such as 2h, with 124")
        ->needs(watch);
  }
  const std::string begin = "  troupe host " + std::string(verb.name);
  sub->footer("It needs --reason TEXT, for the audit. Interrupted, it says how far it came.\nExamples:\n" +
              begin + " host-7 --reason 'INC-12: disk errors'\n" + begin +
              " --where 'hostGroup = flex-1' --dry-run\n" + begin +
              " --where 'hostGroup = flex-1' --at-most 50 --yes --reason 'INC-12'" +
              (verb.name == drain_verb.name ? " --watch" : ""));
  sub->callback([args, &context] { finish_with(change_phases(context, *args)); });
}

}  // namespace

CLI::Option* add_where(CLI::App& command, std::string& where, const std::string& help) {
  // An empty condition is a mistake, such as a variable that is not set: it must not mean everything.
  const auto check = [](const std::string& text) { return std::string(text.empty() ? "is empty" : ""); };
  return command.add_option("--where", where, help)->check(CLI::Validator(check, "CONDITION", "condition"));
}

CLI::Option* add_bulk(CLI::App& command, BulkArgs& args, const std::string& noun) {
  auto* where = add_where(command, args.where, "all " + noun + "s of which this condition holds");
  command.add_flag("--dry-run", args.is_dry_run, "say what would change, and change nothing");
  command.add_flag("--yes", args.is_confirmed, "do not ask when they are many");
  command.add_flag("--all", args.takes_all, "do not ask when --where means every " + noun + " of the cell");
  command.add_option("--at-most", args.at_most, "refuse if more " + noun + "s than this would change")
      ->check(CLI::PositiveNumber);
  command.add_option("--per-second", args.per_second, noun + "s changed in a second")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  return where;
}

void add_phase_options(CLI::App& hosts, Context& context) {
  add_phase_verb(hosts, context, drain_verb, "Let hosts take no new tasks; what runs may end");
  add_phase_verb(hosts, context, undrain_verb, "Let hosts take tasks again, also quarantined ones");
  add_phase_verb(hosts, context, quarantine_verb, "Let suspected hosts take no new tasks");
  add_phase_verb(hosts, context, pause_verb, "Place nothing on hosts for a while, whatever their phase");
  add_phase_verb(hosts, context, resume_verb, "End that pause");
}

void add_host_options(CLI::App& app, Context& context) {
  auto* hosts = app.add_subcommand(
      "host", "Hosts: ls, show, drain, undrain, quarantine, pause-scheduling, resume-scheduling");
  hosts->require_subcommand(1);
  add_host_list(*hosts, context);
  add_host_show(*hosts, context);
  add_phase_options(*hosts, context);
}

}  // namespace troupe::cli
