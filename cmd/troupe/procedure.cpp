#include "cmd/troupe/procedure.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_yaml.hpp"
#include "net/api/selection.hpp"
#include "net/json/object_reader.hpp"

namespace troupe::cli {
namespace {

using StepKind = ProcedureStep::Kind;

constexpr std::string_view reconnected = "reconnected";
constexpr milliseconds within_default{600'000};
constexpr milliseconds check_max{60'000};

struct StepWord {
  std::string_view word;
  StepKind kind;
};
constexpr std::array step_words{StepWord{"do", StepKind::act}, StepWord{"check", StepKind::check},
                                StepWord{"await", StepKind::await}, StepWord{"command", StepKind::command},
                                StepWord{"collect", StepKind::collect}};

const std::map<std::string_view, std::vector<std::string_view>> verbs{
    {"host", {"drain", "undrain", "quarantine"}},
    {"job", {"kill", "enable", "disable", "retry"}},
    {"task", {"kill"}}};

api::SelectionKind selection_of(std::string_view over) {
  if (over == "host") return api::SelectionKind::host;
  return over == "job" ? api::SelectionKind::job : api::SelectionKind::task;
}

/// What stays in braces is filled in for each entity.
std::string with_values(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [name, value] : values) {
    const std::string mark = '{' + name + '}';
    for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += value.size())
      text.replace(at, mark.size(), value);
  }
  return text;
}

/// What is awaited that is no condition.
bool is_word_for_await(const std::string& text, const std::string& over) {
  return text == "gone" || (text == reconnected && over == "host");
}

void check_step(json::ObjectReader& reader, std::string_view word, const ProcedureStep& step,
                const std::string& over) {
  const auto& known = verbs.at(over);
  if (step.text.find_first_not_of(' ') == std::string::npos) {
    reader.complain(word, "is empty");
  } else if (step.kind == StepKind::act && std::ranges::find(known, step.text) == known.end()) {
    std::string list;
    for (const auto verb : known) list += (list.empty() ? "" : ", ") + std::string(verb);
    reader.complain(word, "of a " + over + " must be one of " + list);
  } else if (step.kind == StepKind::check ||
             (step.kind == StepKind::await && !is_word_for_await(step.text, over))) {
    const auto condition = api::Condition::parse(selection_of(over), step.text);
    if (!condition.ok()) reader.complain(word, condition.error().message);
  } else if ((step.kind == StepKind::command || step.kind == StepKind::collect) &&
             (step.text.find("{command}") != step.text.npos || step.text.find("{into}") != step.text.npos)) {
    reader.complain(word,
                    "needs the option --" + std::string(step.kind == StepKind::command ? "command" : "into"));
  }
}

ProcedureStep read_step(json::ObjectReader& reader, const std::string& over,
                        const std::vector<std::pair<std::string, std::string>>& values) {
  ProcedureStep step;
  const auto word = reader.exactly_one_of({"do", "check", "await", "command", "collect"});
  const auto within = reader.optional_string("within");
  step.within = within_default;
  if (within) {
    const auto time = duration_of(*within);
    if (!time) reader.complain("within", "must be a time such as 90s or 2h");
    step.within = time.value_or(within_default);
  }
  if (!word) return step;
  step.kind = std::ranges::find(step_words, *word, &StepWord::word)->kind;
  if (step.kind == StepKind::check) step.within = check_max;
  step.text = with_values(reader.required_string(*word), values);
  check_step(reader, *word, step, over);
  if (within && step.kind != StepKind::await && step.kind != StepKind::command)
    reader.complain("within", "belongs to await and command");
  reader.finish();
  return step;
}

const std::vector<BuiltInProcedure> built_in{
    {"replace-hosts", "drains each host, waits until it is empty, runs --command, takes it back", "--command",
     R"(
procedure: replace-hosts
about: drains each host, waits until it is empty, runs --command, takes it back
over: host
steps:
  - do: drain
  - await: taskCount = 0
    within: 24h
  - command: "{command}"
    within: 30m
  - await: reconnected
    within: 15m
  - check: phase = Draining
  - do: undrain
  - check: connected and phase = Active
)"},
    {"restart-agents", "runs --command for each host and waits until its agent is connected again",
     "--command", R"(
procedure: restart-agents
about: runs --command for each host and waits until its agent is connected again
over: host
steps:
  - check: connected
  - command: "{command}"
    within: 5m
  - await: reconnected
    within: 5m
)"},
    {"collect-diagnostics", "writes all that the cell knows of each host to a file in --into", "--into", R"(
procedure: collect-diagnostics
about: writes all that the cell knows of each host to a file in --into
over: host
steps:
  - collect: "{into}"
)"}};

}  // namespace

const std::vector<BuiltInProcedure>& built_in_procedures() { return built_in; }

Result<Procedure> parse_procedure(std::string_view yaml,
                                  const std::vector<std::pair<std::string, std::string>>& values) {
  const auto document = parse_yaml(yaml);
  if (!document.ok()) return document.error();
  std::vector<Violation> violations;
  json::ObjectReader reader(document.value(), "", violations);
  Procedure procedure;
  procedure.name = reader.required_string("procedure");
  procedure.about = reader.optional_string("about").value_or("");
  procedure.over = reader.required_string("over");
  if (!verbs.contains(procedure.over)) {
    reader.complain("over", "must be host, job or task");
    return json::violations_error(std::move(violations));
  }
  bool has_command = false;
  for (json::ObjectReader& step : reader.required_object_list("steps")) {
    const ProcedureStep& read = procedure.steps.emplace_back(read_step(step, procedure.over, values));
    has_command = has_command || read.kind == StepKind::command;
    if (!has_command && is_reconnection(read))
      step.complain("await", "reconnected needs a command before it");
  }
  if (procedure.steps.empty() || procedure.steps.size() > procedure_steps_max)
    reader.complain("steps", "must be 1 to " + std::to_string(procedure_steps_max));
  reader.finish();
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return procedure;
}

bool is_reconnection(const ProcedureStep& step) {
  return step.kind == StepKind::await && step.text == reconnected;
}

std::string step_text(const ProcedureStep& step) {
  if (step.kind == StepKind::act) return step.text;
  return std::string(std::ranges::find(step_words, step.kind, &StepWord::kind)->word) + ' ' + step.text;
}

}  // namespace troupe::cli
