// `run PROCEDURE --where CONDITION`: what the core says, done and told.

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <ostream>

#include "cmd/troupe/cli_bulk.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_fail_over.hpp"
#include "cmd/troupe/cli_hook.hpp"
#include "cmd/troupe/cli_new_file.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/run_core.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

using StepKind = ProcedureStep::Kind;
using State = RunCore::State;

constexpr milliseconds run_look_every{500};
constexpr std::size_t procedure_bytes_max = std::size_t{64} << 10;
constexpr std::size_t collected_tasks_max = 1'000;  ///< of a host
constexpr std::size_t names_told_max = 20;

struct Entity {
  std::string id;
  std::string name;  ///< a host's; of others the id
  std::string path;
};

struct ActWords {
  std::string_view verb, method, below, body;
};
constexpr std::array act_words{ActWords{"drain", "PUT", "/phase", R"({"phase":"Draining"})"},
                               ActWords{"undrain", "PUT", "/phase", R"({"phase":"Active"})"},
                               ActWords{"quarantine", "PUT", "/phase", R"({"phase":"Quarantined"})"},
                               ActWords{"kill", "DELETE", "", ""},
                               ActWords{"enable", "POST", "/enable", ""},
                               ActWords{"disable", "POST", "/disable", ""},
                               ActWords{"retry", "POST", "/retry", ""}};

/// How one try of a step came out.
struct Tried {
  enum class How : std::uint8_t { done, not_yet, failed };
  How how = How::done;
  std::string why{};
};

/// What surely passes by itself is waited for; the cell's trouble is not that of the entity.
Tried tried_in_vain(const Error& error) {
  return {retry_class(error.code) == Retry::never ? Tried::How::failed : Tried::How::not_yet, error.message};
}

class Run {
 public:
  Run(Context& context, Procedure procedure, std::vector<Entity> entities, std::size_t at_once)
      : context_(context),
        procedure_(std::move(procedure)),
        entities_(std::move(entities)),
        core_(entities_.size(), procedure_.steps, at_once),
        commands_(entities_.size()),
        connected_at_(entities_.size()) {}

  int go(const InterruptGuard& guard);

 private:
  std::string list() const { return "/api/v3/" + procedure_.over + 's'; }
  bool try_all(const InterruptGuard& guard);
  Tried attempt(const Entity& entity, const ProcedureStep& step, std::size_t number,
                const InterruptGuard& guard);
  Tried act(const Entity& entity, const std::string& verb, const InterruptGuard& guard);
  Result<bool> holds(const Entity& entity, const std::string& condition);
  Tried look(const Entity& entity, const ProcedureStep& step, std::size_t number);
  Result<std::string> connected_at(const Entity& entity);
  Tried command(const Entity& entity, const ProcedureStep& step, std::size_t number);
  Tried collect(const Entity& entity, const std::string& folder);
  Result<std::string> document_of(const Entity& entity);
  void settle(std::size_t number, const Tried& tried);
  void await_commands();
  void tell(std::size_t number, std::size_t step, std::string_view state, const std::string& why);
  void put_names(json::Writer& writer, std::string_view key, State state) const;
  int tell_end(bool was_interrupted);

  Context& context_;
  Procedure procedure_;
  std::vector<Entity> entities_;
  RunCore core_;
  std::vector<std::optional<std::future<Result<void>>>> commands_;  ///< by entity, while one runs
  std::vector<std::string> connected_at_;  ///< by entity, before its command; empty: it was not
};

void Run::tell(std::size_t number, std::size_t step, std::string_view state, const std::string& why) {
  const std::string what = step_text(procedure_.steps.at(step));
  if (!context_.options.wants_json) {
    context_.io.out << printable(entities_[number].name) << ": " << printable(what) << ": " << state
                    << (why.empty() ? "" : ": " + printable(why)) << " (step " << step + 1 << " of "
                    << procedure_.steps.size() << ')' << std::endl;
    return;
  }
  json::Writer writer;
  writer.begin_object();
  const std::array<std::pair<std::string_view, std::string_view>, 4> members{
      {{"name", entities_[number].name}, {"step", what}, {"state", state}, {"why", why}}};
  for (const auto& [key, value] : members) {
    if (value.empty()) continue;
    writer.key(key);
    writer.text(value);
  }
  writer.end_object();
  print_json(context_, writer.take());
}

Tried Run::act(const Entity& entity, const std::string& verb, const InterruptGuard& guard) {
  const ActWords& words = *std::ranges::find(act_words, verb, &ActWords::verb);
  const auto answer = change_anywhere(context_, words.method, entity.path + std::string(words.below),
                                      std::string(words.body), guard);
  if (answer.ok() || (verb == "kill" && is_over(answer.error()))) return {};
  return {Tried::How::failed, answer.error().message};
}

Result<bool> Run::holds(const Entity& entity, const std::string& condition) {
  const bool wants_gone = condition == "gone";
  const std::string where = "id = " + entity.id + (wants_gone ? "" : " and (" + condition + ')');
  const auto found = read_anywhere<Answer>(context_, [&](CellClient& client) {
    return client.get(list() + "?pageSize=1&fields=id" + where_parameter(where));
  });
  if (!found.ok()) return found.error();
  return items_of(found.value().value).empty() == wants_gone;
}

/// Empty: it never was.
Result<std::string> Run::connected_at(const Entity& entity) {
  const auto found = read_anywhere<Answer>(context_, [&](CellClient& client) {
    return client.get(list() + "?pageSize=1" + where_parameter("id = " + entity.id));
  });
  if (!found.ok()) return found.error();
  const auto& items = items_of(found.value().value);
  return items.empty() ? std::string() : text_at(items.front(), "connectedAt");
}

Tried Run::look(const Entity& entity, const ProcedureStep& step, std::size_t number) {
  std::string condition = step.text;
  if (is_reconnection(step)) {
    const std::string& before = connected_at_[number];
    condition = before.empty() ? "connected" : "connected and connectedAt != " + before;
  }
  const auto held = holds(entity, condition);
  if (!held.ok()) return tried_in_vain(held.error());
  if (held.value()) return {};
  if (step.kind == StepKind::await) return {Tried::How::not_yet, "does not hold in time"};
  return {Tried::How::failed, "does not hold"};
}

Tried Run::command(const Entity& entity, const ProcedureStep& step, std::size_t number) {
  auto& running = commands_[number];
  if (!running) {
    if (std::ranges::any_of(procedure_.steps, is_reconnection)) {
      auto before = connected_at(entity);
      if (!before.ok()) return tried_in_vain(before.error());
      connected_at_[number] = std::move(before).value();
    }
    const std::string text = filled_in(step.text, {{"name", entity.name}, {"id", entity.id}});
    running = std::async(std::launch::async, run_hook, text, step.within);
  }
  if (running->wait_for(std::chrono::seconds(0)) != std::future_status::ready)
    return {Tried::How::not_yet, {}};
  const auto ended = running->get();
  running.reset();
  return ended.ok() ? Tried{} : Tried{Tried::How::failed, ended.error().message};
}

/// All that the cell says of it; what else than the record it does not say stands there as an error.
Result<std::string> Run::document_of(const Entity& entity) {
  std::vector<std::pair<std::string, std::string>> parts{
      {"record", entity.path},
      {"console", "/api/v3/console?command=" + url_text("show " + procedure_.over + '/' + entity.id)},
      {"audit", "/api/v3/audit?pageSize=100&subject=" + url_text(procedure_.over + '/' + entity.id)}};
  if (procedure_.over == "host")
    parts.emplace_back("tasks", "/api/v3/tasks?pageSize=" + std::to_string(collected_tasks_max) +
                                    where_parameter("taskContext.agent.host = \"" + entity.name + '"'));
  json::Writer writer;
  writer.begin_object();
  for (const auto& [name, target] : parts) {
    const auto answer = read_anywhere<Answer>(
        context_, [&, target = target](CellClient& client) { return client.get(target); });
    if (!answer.ok() && name == "record") return answer.error();
    writer.key(name);
    if (answer.ok()) {
      json::write_value(writer, answer.value().value);
      if (name != "tasks" || !is_true_at(answer.value().value, "pagination/hasMore")) continue;
      writer.key("tasksLeftOut");
      writer.text("all but the first " + std::to_string(collected_tasks_max));
      continue;
    }
    writer.begin_object();
    writer.key("missing");
    writer.text(answer.error().message);
    writer.end_object();
  }
  writer.end_object();
  return writer.take();
}

Tried Run::collect(const Entity& entity, const std::string& folder) {
  std::string name;
  for (const char c : entity.name)
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ? c : '_';
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  const auto document = document_of(entity);
  if (!document.ok()) return {Tried::How::failed, document.error().message};
  const auto written = write_new_file(folder + '/' + name + ".json", document.value() + '\n');
  return written.ok() ? Tried{} : Tried{Tried::How::failed, written.error().message};
}

Tried Run::attempt(const Entity& entity, const ProcedureStep& step, std::size_t number,
                   const InterruptGuard& guard) {
  switch (step.kind) {
    case StepKind::act:
      return act(entity, step.text, guard);
    case StepKind::check:
    case StepKind::await:
      return look(entity, step, number);
    case StepKind::command:
      return command(entity, step, number);
    case StepKind::collect:
      return collect(entity, step.text);
  }
  return {Tried::How::failed, "a step of an unknown kind"};
}

void Run::settle(std::size_t number, const Tried& tried) {
  const std::size_t step = core_.step(number);
  if (tried.how == Tried::How::done) {
    core_.step_done(number);
    return tell(number, step, "done", {});
  }
  // A command has its own time.
  const bool is_late = tried.how == Tried::How::not_yet && !commands_[number] &&
                       core_.not_yet(number, context_.io.clock.steady());
  if (tried.how == Tried::How::not_yet && !is_late) return;
  core_.failed(number);
  tell(number, step, "failed", tried.why);
}

/// Answers whether any step was done.
bool Run::try_all(const InterruptGuard& guard) {
  bool has_moved = false;
  for (const RunCore::Turn& turn : core_.turns(context_.io.clock.steady())) {
    if (guard.was_interrupted()) core_.stop();
    if (core_.is_stopped()) break;
    const Tried tried = attempt(entities_[turn.entity], procedure_.steps[turn.step], turn.entity, guard);
    settle(turn.entity, tried);
    has_moved = has_moved || tried.how == Tried::How::done;
  }
  return has_moved;
}

/// What was begun is waited for: nobody shall guess what became of it.
void Run::await_commands() {
  for (std::size_t n = 0; n < commands_.size(); ++n) {
    if (!commands_[n]) continue;
    const auto ended = commands_[n]->get();
    commands_[n].reset();
    settle(n, ended.ok() ? Tried{} : Tried{Tried::How::failed, ended.error().message});
  }
}

int Run::go(const InterruptGuard& guard) {
  while (!core_.is_over()) {
    const bool has_moved = try_all(guard);
    if (guard.was_interrupted()) core_.stop();
    if (!has_moved && !core_.is_over()) context_.io.pause(run_look_every);
  }
  await_commands();
  return tell_end(guard.was_interrupted());
}

void Run::put_names(json::Writer& writer, std::string_view key, State state) const {
  writer.key(key);
  writer.begin_array();
  for (std::size_t n = 0; n < entities_.size(); ++n)
    if (core_.state(n) == state) writer.text(entities_[n].name);
  writer.end_array();
}

int Run::tell_end(bool was_interrupted) {
  const bool is_well = core_.count(State::done) == entities_.size();
  if (context_.options.wants_json) {
    json::Writer writer;
    writer.begin_object();
    writer.key("procedure");
    writer.text(procedure_.name);
    put_names(writer, "done", State::done);
    put_names(writer, "failed", State::failed);
    put_names(writer, "underWay", State::under_way);
    put_names(writer, "left", State::waiting);
    writer.end_object();
    print_json(context_, writer.take());
  }
  if (is_well) return exit_ok;
  std::ostream& err = context_.io.err;
  err << "troupe: " << (core_.count(State::failed) > 0 ? "stopped" : "interrupted") << ": "
      << core_.count(State::done) << " of " << entities_.size() << " done, " << core_.count(State::waiting)
      << " not begun\n";
  std::size_t told = 0;
  for (std::size_t n = 0; n < entities_.size() && told < names_told_max; ++n) {
    if (core_.state(n) != State::failed && core_.state(n) != State::under_way) continue;
    ++told;
    err << "  " << printable(entities_[n].name) << " stays before step " << core_.step(n) + 1 << ": "
        << printable(step_text(procedure_.steps.at(core_.step(n)))) << '\n';
  }
  err << "  run again, it begins at the first step for each of what is selected then\n";
  return was_interrupted && core_.count(State::failed) == 0 ? exit_interrupted : exit_failed;
}

Result<std::string> text_of(const std::string& name) {
  for (const BuiltInProcedure& one : built_in_procedures())
    if (one.name == name) return std::string(one.yaml);
  std::ifstream file(name, std::ios::binary);
  if (!file || !std::filesystem::is_regular_file(name))
    return Error{ErrorCode::not_found, "there is no procedure or file " + name + "; see: troupe run --list"};
  std::string text(procedure_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > procedure_bytes_max)
    return Error{ErrorCode::body_too_large, name + " is larger than 64 KiB"};
  return text;
}

Result<Procedure> procedure_of(const ProcedureRun& args) {
  const auto text = text_of(args.procedure);
  if (!text.ok()) return text.error();
  std::vector<std::pair<std::string, std::string>> values;
  if (!args.command.empty()) values.emplace_back("command", args.command);
  if (!args.into.empty()) values.emplace_back("into", args.into);
  return parse_procedure(text.value(), values);
}

struct Plan {
  Bulk bulk;
  std::vector<Entity> entities;
};

std::vector<std::string> row_of(const std::string& over, const json::Value& item) {
  if (over == "host")
    return {text_at(item, "name"), text_at(item, "hostGroup"), text_at(item, "phase"),
            text_at(item, "taskCount")};
  if (over == "job")
    return {text_at(item, "id"), text_at(item, "jobDescriptor/applicationName"),
            text_at(item, "status/state")};
  return {text_at(item, "id"), text_at(item, "jobId"), text_at(item, "status/state")};
}

Plan empty_plan(const Procedure& procedure) {
  Plan plan{{"run", procedure.over, "", ""}, {}};
  plan.bulk.header = procedure.over == "host"  ? std::vector<std::string>{"NAME", "GROUP", "PHASE", "TASKS"}
                     : procedure.over == "job" ? std::vector<std::string>{"ID", "APPLICATION", "STATE"}
                                               : std::vector<std::string>{"ID", "JOB", "STATE"};
  return plan;
}

Result<Plan> plan_run(CellClient& client, const Procedure& procedure, const ProcedureRun& args) {
  const std::string list = "/api/v3/" + procedure.over + 's';
  Plan plan = empty_plan(procedure);
  const auto walked =
      each_page(client, list + "?pageSize=1000" + where_parameter(args.bulk.where), [&](const Answer& page) {
        for (const auto& item : items_of(page.value)) {
          const std::string id = text_at(item, "id");
          const std::string name = procedure.over == "host" ? text_at(item, "name") : id;
          plan.entities.push_back({id, name, list + '/' + url_text(name)});
          plan.bulk.changes.push_back({name, {}, row_of(procedure.over, item)});
        }
        return plan.entities.size() <= bulk_max;
      });
  if (!walked.ok()) return walked.error();
  plan.bulk.selected = plan.entities.size();
  plan.bulk.headline = "run " + procedure.name + " over " +
                       counted(static_cast<std::int64_t>(plan.bulk.selected), procedure.over) + ", " +
                       std::to_string(args.at_once) + " at a time:";
  for (std::size_t n = 0; n < procedure.steps.size(); ++n)
    plan.bulk.headline += "\n  " + std::to_string(n + 1) + ". " + printable(step_text(procedure.steps[n]));
  const auto is_all = is_all_of(client, list, plan.bulk.selected);
  if (!is_all.ok()) return is_all.error();
  plan.bulk.is_everything = is_all.value();
  return plan;
}

}  // namespace

int list_procedures(Context& context) {
  Table table({"PROCEDURE", "NEEDS", "ABOUT"});
  for (const BuiltInProcedure& one : built_in_procedures())
    table.add({std::string(one.name), std::string(one.needs), std::string(one.about)});
  table.print(context.io.out);
  return exit_ok;
}

int run_procedure(Context& context, const ProcedureRun& args) {
  const auto procedure = procedure_of(args);
  if (!procedure.ok()) {
    (void)report(context.io.err, procedure.error());
    return procedure.error().code == ErrorCode::not_found ? exit_not_found : exit_usage;
  }
  std::string complaint = bulk_complaint(context, args.bulk);
  if (args.bulk.where.empty()) complaint = "select what it is run over: --where CONDITION";
  if (!complaint.empty()) {
    context.io.err << "troupe: " << complaint << '\n';
    return exit_usage;
  }
  const auto plan = read_anywhere<Plan>(
      context, [&](CellClient& client) { return plan_run(client, procedure.value(), args); });
  if (!plan.ok()) return report(context.io.err, plan.error());
  if (const auto code = begin_bulk(context, args.bulk, plan.value().bulk)) return *code;
  // In the audit it shall be seen which changes belong together.
  context.options.reason += " (run " + procedure.value().name + ')';
  const InterruptGuard guard(context.io.signals, [] {});
  return Run(context, procedure.value(), plan.value().entities, args.at_once).go(guard);
}

}  // namespace troupe::cli
