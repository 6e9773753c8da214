#include "cmd/troupe/console_session.hpp"

#include <algorithm>
#include <ostream>

#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/console_table.hpp"
#include "cmd/troupe/console_words.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t name_shown_max = 100;

std::string target_of(const std::string& command, std::uint32_t node) {
  std::string target = "/api/v3/console?command=" + url_text(command);
  if (node != 0) target += "&node=" + std::to_string(node);
  return target;
}

std::string trimmed(const std::string& text) {
  constexpr const char* blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

ConsoleSession::ConsoleSession(Context& context, std::uint32_t node, Tails tails)
    : context_(context), node_(node), tails_(tails) {}

Result<Answer> ConsoleSession::get(const std::string& target) {
  auto client = context_.client();
  return client.get(target);
}

Result<Answer> ConsoleSession::ask(const std::string& command, std::uint32_t node) {
  auto answer = get(target_of(command, node));
  if (answer.ok()) {
    if (context_.others.empty()) learn_others(context_);
    return answer;
  }
  if (!may_be_dead(answer.error()) || !moves_on(context_)) return answer;
  return get(target_of(command, node));
}

int ConsoleSession::run(const std::string& line) {
  const std::string text = trimmed(line);
  if (text.empty() || text.front() == '#') return exit_ok;
  if (const auto complaint = line_complaint(text); !complaint.empty()) {
    context_.io.err << "troupe: " << complaint << '\n';
    return exit_usage;
  }
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  const std::string name = text.substr(0, end);
  const std::string argument = trimmed(text.substr(end));
  const ConsoleRow* row = console_row(name);
  if (row == nullptr || (row->words.arguments.empty() && !argument.empty())) {
    context_.io.err << "troupe: "
                    << (row ? name + " takes no argument"
                            : "there is no command '" + name.substr(0, name_shown_max) + "'")
                    << "; help lists what there is\n";
    return exit_usage;
  }
  return row->run(*this, row->words, argument);
}

}  // namespace troupe::cli
