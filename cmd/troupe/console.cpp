#include "cmd/troupe/console.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>

#include "cmd/troupe/console_editor.hpp"
#include "cmd/troupe/console_session.hpp"
#include "cmd/troupe/console_table.hpp"

namespace troupe::cli {
namespace {

bool is_terminal(const Context& context) { return &context.io.in == &std::cin && isatty(STDIN_FILENO) != 0; }

std::string prompt_of(const ConsoleSession& session) {
  return session.attached() + (session.node() == 0 ? "" : " node " + std::to_string(session.node())) + "> ";
}

int converse(ConsoleSession& session, const std::string& history_file) {
  // The interrupt key ends what a command follows, in its child process; it does not end the console.
  std::signal(SIGINT, SIG_IGN);
  LineEditor editor(stdin, stdout, stderr, console_completions, history_file);
  while (!session.is_over()) {
    const auto line = editor.read(prompt_of(session));
    if (!line) break;
    session.run(*line);
    session.context().io.out << std::flush;
  }
  return 0;
}

int run_lines(ConsoleSession& session, std::istream& in) {
  for (std::string line; !session.is_over() && std::getline(in, line);)
    if (const int code = session.run(line); code != 0) return code;
  return 0;
}

}  // namespace

int console(Context& context, const ConsoleArgs& args) {
  const bool is_person = args.command.empty() && is_terminal(context);
  ConsoleSession session(context, args.node, is_person ? Tails::in_a_child : Tails::inside);
  if (!args.command.empty()) return session.run(args.command);
  return is_person ? converse(session, args.history_file) : run_lines(session, context.io.in);
}

}  // namespace troupe::cli
