#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_rows.hpp"
#include "cmd/troupe/cli_select.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_task_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/cli_watch.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

std::string job_path(const std::string& id) { return "/api/v3/jobs/" + id; }

std::string type_of(const json::Value& job) {
  return value_at(job, "jobDescriptor/batch") ? "batch" : "service";
}

std::string wanted_of(const json::Value& job) {
  const auto size = text_at(job, "jobDescriptor/batch/size");
  return size.empty() ? text_at(job, "jobDescriptor/service/capacity/desired") : size;
}

Instant time_at(const json::Value& value, std::string_view path) { return {integer_at(value, path)}; }

/// The history begins with Accepted; a job that still is so has it as its status.
Instant created_of(const json::Value& job) {
  const json::Value* history = value_at(job, "statusHistory");
  if (history && history->array() && !history->array()->empty())
    return time_at(history->array()->front(), "timestamp");
  return time_at(job, "status/timestamp");
}

std::string throttle_of(const json::Value& job) {
  if (!value_at(job, "throttled")) return {};
  return "since " + to_text(time_at(job, "throttled/since")) + ": " + text_at(job, "throttled/reason");
}

void print_job(Context& context, const json::Value& job) {
  Sheet sheet;
  sheet.add("id", text_at(job, "id"));
  sheet.add("application", text_at(job, "jobDescriptor/applicationName"));
  sheet.add("owner", text_at(job, "jobDescriptor/owner/teamEmail"));
  sheet.add("group", text_at(job, "jobDescriptor/capacityGroup"));
  sheet.add("type", type_of(job) + ", size " + wanted_of(job));
  sheet.add("state", text_at(job, "status/state"));
  sheet.add("reason", text_at(job, "status/reasonCode"));
  sheet.add("message", text_at(job, "status/reasonMessage"));
  sheet.add("throttled", throttle_of(job));
  sheet.add("set aside", text_at(job, "setAside"));
  sheet.add("created", to_text(created_of(job)));
  sheet.add("submitted by", text_at(job, "jobDescriptor/attributes/titus.createdBy"));
  if (const json::Value* command = value_at(job, "jobDescriptor/container/command"))
    sheet.add("command", json::to_json(*command));
  sheet.add("cpu", text_at(job, "jobDescriptor/container/resources/cpu"));
  sheet.add("memory MB", text_at(job, "jobDescriptor/container/resources/memoryMB"));
  sheet.print(context.io.out);
}

}  // namespace

Table job_table() {
  return Table({"ID", "APPLICATION", "TYPE", "STATE", "REASON", "RUNNING", "AGE", "OWNER"});
}

void add_job_row(Table& table, const json::Value& job, Instant now) {
  table.add({text_at(job, "id"), text_at(job, "jobDescriptor/applicationName"), type_of(job),
             text_at(job, "status/state"),
             value_at(job, "throttled") ? "throttled" : text_at(job, "status/reasonCode"),
             text_at(job, "summary/tasks/started") + '/' + wanted_of(job), age_text(created_of(job), now),
             text_at(job, "jobDescriptor/owner/teamEmail")});
}

int job_list(Context& context, const JobList& args) {
  auto client = context.client();
  std::string target = "/api/v3/jobs?pageSize=" + std::to_string(args.page_size);
  if (!args.state.empty()) target += "&jobState=" + url_text(args.state);
  if (!args.where.empty()) target += where_parameter(args.where);
  if (!args.application.empty()) target += "&applicationName=" + url_text(args.application);
  Table table = job_table();
  bool is_cut = false;
  const auto walked = each_page(client, target, [&](const Answer& page) {
    if (context.options.wants_json) print_json(context, page.text);
    for (const auto& job : items_of(page.value)) add_job_row(table, job, context.io.clock.wall());
    is_cut = !args.wants_all_pages && is_true_at(page.value, "pagination/hasMore");
    return args.wants_all_pages;
  });
  if (!walked.ok()) return report(context.io.err, walked.error());
  if (!context.options.wants_json) table.print(context.io.out);
  if (is_cut) context.io.err << "there are more: --all-pages shows them\n";
  return exit_ok;
}

int job_show(Context& context, const std::string& job) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::job, job);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto answer = client.get(job_path(id.value()));
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (context.options.wants_json) {
    print_json(context, answer.value().text);
    return exit_ok;
  }
  print_job(context, answer.value().value);
  context.io.out << '\n';
  return print_tasks(context, client, "/api/v3/tasks?pageSize=1000&taskStates=any&jobIds=" + id.value(),
                     Pages::all);
}

int job_kill(Context& context, const std::string& job) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::job, job);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto answer = client.change("DELETE", job_path(id.value()));
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "ending job " << id.value() << '\n';
  return exit_ok;
}

int job_scale(Context& context, const JobScale& args) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::job, args.job);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto job = client.get(job_path(id.value()));
  if (!job.ok()) return report(context.io.err, job.error());
  const json::Value* now = value_at(job.value().value, "jobDescriptor/service/capacity");
  if (!now)
    return report(context.io.err,
                  Error{ErrorCode::invalid_argument, "only services can be scaled: this is a batch job"});
  const auto part = [&](std::string_view name, const std::optional<std::uint32_t>& given) {
    return '"' + std::string(name) + "\":" + std::to_string(given ? *given : integer_at(*now, name));
  };
  const std::string body =
      '{' + part("min", args.min) + ',' + part("desired", args.desired) + ',' + part("max", args.max) + '}';
  const auto answer = client.change("PUT", job_path(id.value()) + "/instances", body);
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << "scaled job " << id.value() << " to " << body << '\n';
  return exit_ok;
}

int job_wait(Context& context, const JobWait& args) {
  const auto timeout = duration_of(args.timeout);
  if (!timeout && !args.timeout.empty()) {
    context.io.err << "troupe: --timeout must be a time such as 90s or 2h\n";
    return exit_usage;
  }
  auto client = context.client();
  const auto id = whole_id(client, IdOf::job, args.job);
  if (!id.ok()) return report(context.io.err, id.error());
  std::optional<Moment> deadline;
  if (timeout) deadline = context.io.clock.steady() + *timeout;
  bool is_finished = false;
  const auto watched = watch_job(context, id.value(), [&](const JobSight& sight) -> Next {
    is_finished = sight.is_finished();
    if (is_finished || (deadline && context.io.clock.steady() >= *deadline)) return Stop{};
    return LookAgain{deadline};
  });
  if (!watched.ok()) return report(context.io.err, watched.error());
  if (!is_finished) {
    context.io.err << "troupe: job " << id.value() << " has not finished within " << args.timeout << '\n';
    return exit_timeout;
  }
  const auto job = client.get(job_path(id.value()));
  if (!job.ok()) return report(context.io.err, job.error());
  const auto reason = text_at(job.value().value, "status/reasonCode");
  if (context.options.wants_json)
    print_json(context, job.value().text);
  else
    context.io.out << "job " << id.value() << " finished: " << reason << '\n';
  return reason == "normal" ? exit_ok : exit_failed;
}

}  // namespace troupe::cli
