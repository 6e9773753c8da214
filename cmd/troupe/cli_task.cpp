#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_follow.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_task_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds task_log_idle_max{600'000};

std::string task_path(const std::string& id) { return "/api/v3/tasks/" + id; }

std::string exit_text(const json::Value& task) {
  if (text_at(task, "status/state") != "Finished") return {};
  const auto signal = integer_at(task, "status/signal");
  return signal != 0 ? "signal " + std::to_string(signal) : text_at(task, "status/exitCode");
}

void print_history(Context& context, const json::Value& task) {
  Table table({"TIME", "STATE", "REASON"});
  const auto add = [&](const json::Value& status) {
    table.add({to_text(Instant{integer_at(status, "timestamp")}), text_at(status, "state"),
               text_at(status, "reasonCode")});
  };
  if (const json::Value* history = task.find("statusHistory"); history && history->array())
    for (const auto& status : *history->array()) add(status);
  if (const json::Value* status = task.find("status")) add(*status);
  context.io.out << '\n';
  table.print(context.io.out);
}

void print_task(Context& context, const json::Value& task) {
  Sheet sheet;
  sheet.add("id", text_at(task, "id"));
  sheet.add("job", text_at(task, "jobId"));
  sheet.add("moved from", text_at(task, "taskContext/task.movedFromJob"));
  sheet.add("slot", text_at(task, "taskContext/task.index"));
  sheet.add("resubmits", text_at(task, "taskContext/task.resubmitNumber"));
  sheet.add("state", text_at(task, "status/state"));
  sheet.add("reason", text_at(task, "status/reasonCode"));
  sheet.add("message", text_at(task, "status/reasonMessage"));
  sheet.add("exit code", exit_text(task));
  sheet.add("host", text_at(task, "taskContext/agent.host"));
  sheet.add("set aside", text_at(task, "setAside"));
  sheet.print(context.io.out);
  print_history(context, task);
}

}  // namespace

Table task_table() { return Table({"ID", "SLOT", "RESUBMITS", "STATE", "REASON", "EXIT", "HOST", "SINCE"}); }

void add_task_row(Table& table, const json::Value& task, Instant now) {
  table.add({text_at(task, "id"), text_at(task, "taskContext/task.index"),
             text_at(task, "taskContext/task.resubmitNumber"), text_at(task, "status/state"),
             text_at(task, "status/reasonCode"), exit_text(task), text_at(task, "taskContext/agent.host"),
             age_text({integer_at(task, "status/timestamp")}, now)});
}

int print_tasks(Context& context, CellClient& client, const std::string& target, Pages pages) {
  Table table = task_table();
  bool is_cut = false;
  const auto walked = each_page(client, target, [&](const Answer& page) {
    if (context.options.wants_json) print_json(context, page.text);
    for (const auto& task : items_of(page.value)) add_task_row(table, task, context.io.clock.wall());
    is_cut = pages == Pages::first && is_true_at(page.value, "pagination/hasMore");
    return pages == Pages::all;
  });
  if (!walked.ok()) return report(context.io.err, walked.error());
  if (!context.options.wants_json) table.print(context.io.out);
  if (is_cut) context.io.err << "there are more: --all-pages shows them\n";
  return exit_ok;
}

int task_list(Context& context, const TaskList& args) {
  auto client = context.client();
  std::string target = "/api/v3/tasks?pageSize=" + std::to_string(args.page_size);
  if (!args.where.empty()) target += where_parameter(args.where);
  if (!args.states.empty()) target += "&taskStates=" + url_text(args.states);
  if (!args.job.empty()) {
    const auto job = whole_id(client, IdOf::job, args.job);
    if (!job.ok()) return report(context.io.err, job.error());
    target += "&jobIds=" + job.value();
  }
  return print_tasks(context, client, target, args.wants_all_pages ? Pages::all : Pages::first);
}

int task_show(Context& context, const std::string& task) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::task, task);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto answer = client.get(task_path(id.value()));
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json)
    print_json(context, answer.value().text);
  else
    print_task(context, answer.value().value);
  return exit_ok;
}

int task_kill(Context& context, const TaskKill& args) {
  if (!args.bulk.where.empty()) return tasks_kill(context, args);
  if (args.task.empty()) {
    context.io.err << "troupe: name the task, or select tasks with --where CONDITION\n";
    return exit_usage;
  }
  if (args.bulk.is_dry_run) {
    context.io.err << "troupe: --dry-run goes with --where CONDITION\n";
    return exit_usage;
  }
  auto client = context.client();
  const auto id = whole_id(client, IdOf::task, args.task);
  if (!id.ok()) return report(context.io.err, id.error());
  std::string target = task_path(id.value());
  if (args.shrinks) target += "?shrink=true";
  if (args.keeps_min) target += "&preventMinSizeUpdate=true";
  const auto answer = client.change("DELETE", target);
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "ending task " << id.value() << '\n';
  return exit_ok;
}

int task_move(Context& context, const TaskMove& args) {
  auto client = context.client();
  const auto task = whole_id(client, IdOf::task, args.task);
  if (!task.ok()) return report(context.io.err, task.error());
  const auto target = whole_id(client, IdOf::job, args.job);
  if (!target.ok()) return report(context.io.err, target.error());
  const auto found = client.get(task_path(task.value()));
  if (!found.ok()) return report(context.io.err, found.error());
  const std::string source = text_at(found.value().value, "jobId");
  json::Writer body;
  body.begin_object();
  for (const auto& [name, id] : {std::pair<std::string_view, std::string_view>{"taskId", task.value()},
                                 {"sourceJobId", source},
                                 {"targetJobId", target.value()}}) {
    body.key(name);
    body.text(id);
  }
  body.end_object();
  const auto answer = client.change("POST", "/api/v3/tasks/move", body.take());
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "task " << task.value() << " is of job " << target.value() << " now\n";
  return exit_ok;
}

int task_retry(Context& context, const std::string& task) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::task, task);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto answer = client.change("POST", task_path(id.value()) + "/retry", {});
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "trying again in the place of task " << id.value() << '\n';
  return exit_ok;
}

int task_logs(Context& context, const TaskLogs& args) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::task, args.task);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto target =
      logs_target(id.value(), args.wants_stderr ? Stream::standard_error : Stream::standard_output);
  const auto copied = client.stream(
      target + (args.follows ? "&follow=true" : "") + "&offset=0", {},
      [&](std::string_view bytes) {
        context.io.out << bytes << std::flush;
        return context.io.out.good();
      },
      task_log_idle_max);
  return copied.ok() ? exit_ok : report(context.io.err, copied.error());
}

}  // namespace troupe::cli
