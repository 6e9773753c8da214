#pragma once
// One operator at one cell: which node is attached, which one is asked, and the commands.

#include "actors/console/console_commands.hpp"
#include "cmd/troupe/cli_context.hpp"

namespace troupe::cli {

/// May a command that follows a stream be ended alone, leaving the console?
enum class Tails : std::uint8_t {
  inside,      ///< in this process: a signal ends all
  in_a_child,  ///< in a child process, which the terminal's interrupt ends
};

/// Not thread-safe. When the attached node does not answer at all, the others that it told of are tried, and
/// the first that answers is attached.
class ConsoleSession {
 public:
  ConsoleSession(Context& context, std::uint32_t node, Tails tails);

  /// What a node answers to a command. Errors: the node's, or unavailable when none answers.
  Result<Answer> ask(const std::string& command, std::uint32_t node);
  Result<Answer> ask(const std::string& command) { return ask(command, node_); }
  /// One line: a command with its argument. Answers its exit code.
  int run(const std::string& line);

  Context& context() { return context_; }
  std::uint32_t node() const { return node_; }
  void use(std::uint32_t node) { node_ = node; }
  Tails tails() const { return tails_; }
  void leave() { is_over_ = true; }
  bool is_over() const { return is_over_; }
  const std::string& attached() const { return context_.options.address; }

 private:
  Result<Answer> get(const std::string& target);

  Context context_;
  std::uint32_t node_;  ///< 0: the attached one
  const Tails tails_;
  bool is_over_ = false;
};

// ---- the commands, for the table ----
int console_ask(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
int console_show_help(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
int console_nodes(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
int console_use(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
int console_tail(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
int console_trace(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
/// job, task, host: `where`, and what the command line does to them: kill, enable, disable; kill; drain,
/// undrain, quarantine.
int console_entities(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
/// One entity's, or `where`.
int console_actor(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);
int console_exit(ConsoleSession& session, const ConsoleCommand& command, const std::string& argument);

}  // namespace troupe::cli
