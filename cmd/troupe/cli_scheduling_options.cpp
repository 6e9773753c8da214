#include <CLI/CLI.hpp>

#include "cmd/troupe/cli_commands.hpp"

namespace troupe::cli {
namespace {

void add_verb(CLI::App& app, Context& context, const std::string& noun, const PhaseVerb& verb,
              const std::string& help) {
  auto* sub = app.add_subcommand(std::string(verb.name), help);
  auto args = std::make_shared<SchedulingChange>();
  args->pauses = *verb.pauses;
  const bool is_group = noun != "cell";
  if (is_group) sub->add_option("name", args->group, "the group's name")->required();
  sub->add_flag("--dry-run", args->bulk.is_dry_run, "say what would change, and change nothing");
  sub->add_flag("--yes", args->bulk.is_confirmed, "do not ask");
  const std::string line = is_group ? "  troupe capacity-group " + std::string(verb.name) + " payments"
                                    : "  troupe cell " + std::string(verb.name);
  sub->footer(
      "It needs --reason TEXT, for the audit and for whoever waits. What runs, runs on, and can be ended.\n"
      "Examples:\n" +
      line + " --dry-run\n" + line + " --reason 'INC-12: bad image'");
  sub->callback([args, &context] { finish_with(change_scheduling(context, *args)); });
}

}  // namespace

void add_scheduling_options(CLI::App& app, Context& context, const std::string& noun) {
  const bool is_group = noun != "cell";
  add_verb(app, context, noun, pause_verb,
           is_group ? "Place no task of a group for a while" : "Place no task at all for a while");
  add_verb(app, context, noun, resume_verb, "End that pause");
}

}  // namespace troupe::cli
