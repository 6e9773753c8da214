// What the console has of the command line: selections, and acting on hosts.

#include <CLI/CLI.hpp>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/console_session.hpp"
#include "cmd/troupe/console_words.hpp"

namespace troupe::cli {
namespace {

int act_on_hosts(ConsoleSession& session, const std::string& line) {
  const auto words = shell_words(line);
  if (!words) {
    session.context().io.err << "troupe: the quotes do not end\n";
    return exit_usage;
  }
  // The reason and --json are of this one command: the next one starts without.
  Context context = session.context();
  CLI::App app("Acts on hosts", "host");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--reason", context.options.reason, "why, for the audit");
  app.add_flag("--json", context.options.wants_json, "print JSON");
  add_phase_options(app, context);
  std::vector<const char*> arguments{"host"};
  for (const std::string& word : *words) arguments.push_back(word.c_str());
  return run_app(app, static_cast<int>(arguments.size()), arguments.data(), context.io);
}

}  // namespace

int console_entities(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument) {
  const std::string verb = argument.substr(0, argument.find(' '));
  if (verb == "where") return print_selection(session.context(), std::string(command.name) + ' ' + argument);
  const bool acts = verb == drain_verb.name || verb == undrain_verb.name || verb == quarantine_verb.name;
  if (acts && command.name == "host") return act_on_hosts(session, argument);
  session.context().io.err << "usage: " << command.name << ' ' << command.arguments << '\n';
  return exit_usage;
}

}  // namespace troupe::cli
