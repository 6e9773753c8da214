#include "cmd/troupe/console_table.hpp"

#include <algorithm>

#include "cmd/troupe/console_session.hpp"
#include "net/api/selection.hpp"

namespace troupe::cli {
namespace {

constexpr std::size_t names_width = 24;
constexpr std::string_view acts_on_jobs =
    "where CONDITION [order by FIELD [desc]] [limit N] | kill|enable|disable|retry ID|--where 'CONDITION' "
    "--reason "
    "TEXT "
    "[--dry-run]";
constexpr std::string_view acts_on_tasks =
    "where CONDITION [order by FIELD [desc]] [limit N] | kill ID|--where 'CONDITION' --reason TEXT "
    "[--dry-run]";
constexpr std::string_view acts =
    "where CONDITION [...] | drain|undrain|quarantine|pause-scheduling|resume-scheduling NAME...|--where "
    "'CONDITION' --reason TEXT [--dry-run]";

const std::vector<ConsoleRow>& table() {
  static const std::vector<ConsoleRow> rows = [] {
    std::vector<ConsoleRow> all{
        {{"help", "[COMMAND]", "", "list the commands, or explain one", "help show"}, console_show_help},
        {{"nodes", "", "", "ask every node of the cell what it is", "nodes"}, console_nodes},
        {{"use", "NODE", "", "ask this node from now on; 0: the attached one", "use 2"}, console_use},
        {{"tail", "events [job/ID] [COUNT]", "events",
          "follow what happens, until interrupted or COUNT is reached",
          "tail events job/6f1c0000-0000-4000-8000-000000000001"},
         console_tail},
        {{"job", acts_on_jobs, "where kill enable disable retry",
          "jobs of which a condition holds, by the names of the API; or change them, as `troupe job kill` "
          "does",
          "job where jobDescriptor.batch.size > 100 and summary.tasks.started = 0"},
         console_entities},
        {{"task", acts_on_tasks, "where kill",
          "tasks of which a condition holds; or end them, as `troupe task kill` does",
          "task where taskContext.agent.host ~ flex-* and status.timestamp < 10m ago"},
         console_entities},
        {{"host", acts, "where drain undrain quarantine pause-scheduling resume-scheduling",
          "hosts of which a condition holds; or change whether hosts take tasks, as `troupe host drain` does",
          "host where hostGroup = flex-1 and not connected order by disconnectedAt desc limit 20"},
         console_entities},
        {{"actor", "ENTITY | where CONDITION [order by FIELD [desc]] [limit N]",
          "job/ task/ host/ group/ where",
          "one entity's actor, if it is awake on the node; or those of which a condition holds, fullest "
          "first",
          "actor where mailbox > 100 and kind = task"},
         console_actor},
        {{"trace", "start ENTITY [MESSAGES [SECONDS]] | show ID | stop ID", "start show stop",
          "follow an entity's messages, commands and events on all nodes, as `troupe trace` does",
          "trace start host/host-7 200 30"},
         console_trace},
        {{"exit", "", "", "leave the console", "exit"}, console_exit}};
    for (const ConsoleCommand& command : node_commands) {
      const auto is_there = [&](const ConsoleRow& row) { return row.words.name == command.name; };
      if (std::none_of(all.begin(), all.end(), is_there)) all.push_back({command, console_ask});
    }
    return all;
  }();
  return rows;
}

std::vector<std::string_view> words_in(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != text.npos;) {
    const auto end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const ConsoleRow& row : table()) all.emplace_back(row.words.name);
  return all;
}

/// Behind `where`: names, and the words between them. A map's name wants more behind its point.
std::vector<std::string> selection_words(std::string_view kind, std::string_view open) {
  std::vector<std::string> all;
  for (const auto what : {api::SelectionKind::job, api::SelectionKind::task, api::SelectionKind::host,
                          api::SelectionKind::actor}) {
    if (api::selection_kind_text(what) != kind) continue;
    for (const auto& field : api::selection_fields(what))
      all.push_back(std::string(open) + std::string(field.name) +
                    (field.type == api::FieldType::map ? "." : ""));
    for (const char* word : {"and", "or", "not", "in", "is", "set", "order", "by", "desc", "limit"})
      all.push_back(std::string(open) + word);
  }
  return all;
}

std::vector<std::string> choices_of(std::string_view command) {
  if (command == "help") return names();
  std::vector<std::string> all;
  if (const ConsoleRow* row = console_row(command))
    for (const std::string_view word : words_in(row->words.choices)) all.emplace_back(word);
  return all;
}

std::string usage_of(const ConsoleCommand& command) {
  std::string usage(command.name);
  if (!command.arguments.empty()) usage.append(" ").append(command.arguments);
  return usage;
}

}  // namespace

std::span<const ConsoleRow> console_rows() { return table(); }

const ConsoleRow* console_row(std::string_view name) {
  const auto found = std::find_if(table().begin(), table().end(),
                                  [&](const ConsoleRow& row) { return row.words.name == name; });
  return found == table().end() ? nullptr : &*found;
}

std::vector<std::string> console_completions(std::string_view line) {
  auto words = words_in(line);
  if (words.empty() || line.back() == ' ') words.emplace_back();
  std::vector<std::string> all;
  if (words.size() <= 2)
    all = words.size() == 1 ? names() : choices_of(words[0]);
  else if (words[1] == "where")
    all = selection_words(words[0], words.back().substr(0, words.back().find_first_not_of('(')));
  std::erase_if(all, [&](const std::string& word) { return !word.starts_with(words.back()); });
  return all;
}

std::string console_help(std::string_view command) {
  std::string text;
  if (!command.empty()) {
    const ConsoleRow* row = console_row(command);
    if (row == nullptr) return {};
    return usage_of(row->words) + "\n  " + std::string(row->words.about) + "\nExample:\n  " +
           std::string(row->words.example) + '\n';
  }
  for (const ConsoleRow& row : table()) {
    std::string usage = usage_of(row.words);
    usage.resize(std::max(usage.size() + 1, names_width), ' ');
    text += usage + std::string(row.words.about) + '\n';
  }
  return text;
}

}  // namespace troupe::cli
