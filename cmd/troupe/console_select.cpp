// What the console has of the command line: selections, and acting on what is selected.

#include <CLI/CLI.hpp>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/console_session.hpp"
#include "cmd/troupe/console_table.hpp"
#include "cmd/troupe/console_words.hpp"

namespace troupe::cli {
namespace {

void add_acts(CLI::App& app, Context& context) {
  if (app.get_name() == "job") return add_job_acts(app, context);
  if (app.get_name() == "task") return add_task_kill(app, context);
  add_phase_options(app, context);
}

int act(ConsoleSession& session, const std::string& kind, const std::string& line) {
  const auto words = shell_words(line);
  if (!words) {
    session.context().io.err << "troupe: the quotes do not end\n";
    return exit_usage;
  }
  // The reason and --json are of this one command: the next one starts without.
  Context context = session.context();
  CLI::App app("Acts on what is selected", kind);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--reason", context.options.reason, "why, for the audit");
  app.add_flag("--json", context.options.wants_json, "print JSON");
  add_acts(app, context);
  std::vector<const char*> arguments{kind.c_str()};
  for (const std::string& word : *words) arguments.push_back(word.c_str());
  const int code = run_app(app, static_cast<int>(arguments.size()), arguments.data(), context.io);
  // It may have gone on at another node; that is where the next one begins.
  session.context().options.address = context.options.address;
  session.context().others = context.others;
  return code;
}

bool is_choice(std::string_view choices, const std::string& word) {
  return !word.empty() && (' ' + std::string(choices) + ' ').find(' ' + word + ' ') != std::string::npos;
}

}  // namespace

int console_entities(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument) {
  const std::string verb = argument.substr(0, argument.find(' '));
  const std::string kind(command.name);
  if (verb == "where") return print_selection(session.context(), kind + ' ' + argument);
  if (is_choice(command.choices, verb)) return act(session, kind, argument);
  session.context().io.err << "usage: " << command.name << ' ' << command.arguments << '\n';
  return exit_usage;
}

int console_actor(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument) {
  if (argument.substr(0, argument.find(' ')) != "where") return console_ask(session, command, argument);
  return print_selection(session.context(), "actor " + argument, session.node());
}

}  // namespace troupe::cli
