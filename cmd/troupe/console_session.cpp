#include "cmd/troupe/console_session.hpp"

#include <algorithm>
#include <ostream>

#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/console_table.hpp"
#include "cmd/troupe/console_words.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t name_shown_max = 100;
constexpr std::size_t addresses_max =
    16;  // A cell has five nodes at most; who tells of more is not followed.

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

/// Nothing came back: the node may be dead. An answer that says so of another node looks alike.
bool may_be_dead(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::outcome_unknown;
}

}  // namespace

ConsoleSession::ConsoleSession(Context& context, std::uint32_t node, Tails tails)
    : context_(context), node_(node), tails_(tails) {}

Result<Answer> ConsoleSession::get(const std::string& target) {
  auto client = context_.client();
  return client.get(target);
}

/// Does the attached node answer anything at all?
bool ConsoleSession::lives() {
  const auto answer = get("/api/v3/cell?consistency=stale");
  return answer.ok() || !may_be_dead(answer.error());
}

void ConsoleSession::learn_addresses() {
  const auto answer = get(target_of("node", 0));
  const json::Value* nodes = answer.ok() ? answer.value().value.find("nodes") : nullptr;
  if (nodes == nullptr || !nodes->array()) return;
  addresses_.clear();
  for (const auto& node : *nodes->array()) {
    auto address = text_at(node, "http");
    if (config_of(address).ok() && address != attached() && addresses_.size() < addresses_max)
      addresses_.push_back(std::move(address));
  }
}

Result<Answer> ConsoleSession::ask(const std::string& command, std::uint32_t node) {
  auto answer = get(target_of(command, node));
  if (answer.ok()) {
    if (addresses_.empty()) learn_addresses();
    return answer;
  }
  if (!may_be_dead(answer.error()) || addresses_.empty() || lives()) return answer;
  const std::string dead = attached();
  for (const std::string& address : std::vector<std::string>(addresses_)) {
    context_.options.address = address;
    if (!lives()) continue;
    context_.io.err << "node at " << dead << " does not answer; attached to " << address << '\n';
    learn_addresses();
    return get(target_of(command, node));
  }
  context_.options.address = dead;
  return answer;
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
