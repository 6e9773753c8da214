#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <ostream>
#include <sstream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/console_print.hpp"
#include "cmd/troupe/console_session.hpp"
#include "cmd/troupe/console_table.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

int print(ConsoleSession& session, const Result<Answer>& answer) {
  Context& context = session.context();
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json)
    print_json(context, answer.value().text);
  else
    print_value(context.io.out, answer.value().value);
  return exit_ok;
}

std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

int usage(ConsoleSession& session, const ConsoleCommand& command) {
  session.context().io.err << "usage: " << command.name << ' ' << command.arguments << '\n';
  return exit_usage;
}

/// What each node said, or why it did not.
struct NodeSaid {
  std::string node;
  Result<Answer> answer;
};

std::string json_of(const std::vector<NodeSaid>& all) {
  json::Writer writer;
  writer.begin_object();
  writer.key("nodes");
  writer.begin_array();
  for (const NodeSaid& said : all) {
    if (said.answer.ok()) {
      json::write_value(writer, said.answer.value().value);
      continue;
    }
    writer.begin_object();
    writer.key("node");
    writer.integer(static_cast<std::int64_t>(number_of(said.node).value_or(0)));
    writer.key("error");
    writer.text(said.answer.error().message);
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

void print_nodes(std::ostream& out, const std::vector<NodeSaid>& all) {
  Table table({"NODE", "ROLE", "TERM", "LEADER", "COMMIT", "APPLIED", "LEASED", "SHARDS", "PENDING", "AGENTS",
               "HTTP"});
  for (const NodeSaid& said : all) {
    if (!said.answer.ok()) {
      table.add({said.node, "no answer: " + said.answer.error().message});
      continue;
    }
    const json::Value& value = said.answer.value().value;
    std::string http;
    if (const json::Value* nodes = value.find("nodes"))
      for (const auto& node : items_of(*nodes))
        if (text_at(node, "node") == said.node) http = text_at(node, "http");
    table.add({said.node, text_at(value, "role"), text_at(value, "term"), text_at(value, "leader"),
               text_at(value, "commit"), text_at(value, "applied"),
               is_true_at(value, "leased") ? "yes" : "no", text_at(value, "shardsOwned"),
               text_at(value, "proposalsPending"), text_at(value, "linksUp/agent"), http});
  }
  table.print(out);
}

/// In a child, so that the terminal's interrupt ends the stream and not the console.
int in_a_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child < 0) return work();
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL);
    _exit(work());
  }
  const auto before = std::signal(SIGINT, SIG_IGN);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::signal(SIGINT, before);
  return WIFEXITED(status) ? WEXITSTATUS(status) : exit_ok;
}

}  // namespace

int console_ask(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument) {
  std::string line(command.name);
  if (!argument.empty()) line.append(" ").append(argument);
  return print(session, session.ask(line));
}

int console_show_help(ConsoleSession& session, const ConsoleCommand&, const std::string& argument) {
  Context& context = session.context();
  const std::string text = console_help(argument);
  if (text.empty()) {
    context.io.err << "troupe: there is no command '" << printable(argument) << "'\n";
    return exit_usage;
  }
  context.io.out << text;
  return exit_ok;
}

int console_nodes(ConsoleSession& session, const ConsoleCommand&, const std::string&) {
  const auto first = session.ask("node", 0);
  if (!first.ok()) return report(session.context().io.err, first.error());
  std::vector<NodeSaid> all;
  if (const json::Value* nodes = first.value().value.find("nodes"))
    for (const auto& node : items_of(*nodes)) {
      const std::string number = text_at(node, "node");
      const bool is_first = number == text_at(first.value().value, "node");
      all.push_back({number, is_first ? first
                                      : session.ask("node", static_cast<std::uint32_t>(
                                                                number_of(number).value_or(0)))});
    }
  if (session.context().options.wants_json)
    print_json(session.context(), json_of(all));
  else
    print_nodes(session.context().io.out, all);
  return exit_ok;
}

int console_use(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument) {
  const auto node = number_of(argument);
  if (!node || *node > UINT32_MAX) return usage(session, command);
  session.use(static_cast<std::uint32_t>(*node));
  return exit_ok;
}

int console_tail(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument) {
  constexpr std::string_view job_prefix = "job/";
  std::istringstream words(argument);
  std::string what, word;
  Events args;
  if (!(words >> what) || what != "events") return usage(session, command);
  while (words >> word) {
    const auto count = number_of(word);
    if (word.starts_with(job_prefix) && args.job.empty())
      args.job = word.substr(job_prefix.size());
    else if (count && args.limit == 0)
      args.limit = *count;
    else
      return usage(session, command);
  }
  const auto follow = [&] { return events(session.context(), args); };
  return session.tails() == Tails::in_a_child ? in_a_child(follow) : follow();
}

int console_trace(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument) {
  std::istringstream words(argument);
  std::string verb, what, messages, seconds, more;
  words >> verb >> what >> messages >> seconds >> more;
  if (verb == "show" && messages.empty() && !what.empty()) return trace_show(session.context(), what);
  if (verb == "stop" && messages.empty() && !what.empty()) return trace_stop(session.context(), what);
  TraceStart args{what};
  const auto number = number_of(messages);
  const bool is_usual = messages.empty() || (number && *number <= UINT32_MAX);
  if (verb != "start" || what.empty() || !more.empty() || !is_usual) return usage(session, command);
  if (number) args.messages = static_cast<std::uint32_t>(*number);
  if (!seconds.empty()) args.time = seconds;
  return trace_start(session.context(), args);
}

int console_exit(ConsoleSession& session, const ConsoleCommand&, const std::string&) {
  session.leave();
  return exit_ok;
}

}  // namespace troupe::cli
