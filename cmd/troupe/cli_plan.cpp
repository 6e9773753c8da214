// troupe job plan: where tasks would go, and a submission that holds to it.

#include <fstream>
#include <map>
#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_submit.hpp"
#include "cmd/troupe/cli_table.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

/// Errors: the file's, or that of the job's id.
Result<std::string> request_body(Context& context, CellClient& client, const JobPlan& args) {
  json::Writer writer;
  if (args.job.empty()) {
    const auto document = read_document(context, args.file);
    if (!document.ok()) return document.error();
    return "{\"job\":" + json::to_json(document.value().value) + "}";
  }
  const auto id = whole_id(client, IdOf::job, args.job);
  if (!id.ok()) return id.error();
  writer.begin_object();
  writer.key("resize");
  writer.begin_object();
  writer.key("jobId");
  writer.text(id.value());
  writer.key("desired");
  writer.uint(*args.desired);
  writer.end_object();
  writer.end_object();
  return writer.take();
}

void print_hosts(Context& context, const json::Value& placements) {
  std::map<std::string, std::size_t> tasks;
  std::map<std::string, std::size_t> ended;
  for (const json::Value& place : items_of(placements)) {
    ++tasks[text_at(place, "host")];
    if (const json::Value* preempted = place.find("preempted"))
      ended[text_at(place, "host")] += items_of(*preempted).size();
  }
  if (tasks.empty()) return;
  Table table({"HOST", "TASKS", "ENDED FOR THEM"});
  for (const auto& [host, count] : tasks)
    table.add({host, std::to_string(count), std::to_string(ended[host])});
  context.io.out << '\n';
  table.print(context.io.out);
}

void print_ended(Context& context, const json::Value& placements) {
  Table table({"ENDED TASK", "OF JOB", "ON HOST", "FOR SLOT"});
  bool is_empty = true;
  for (const json::Value& place : items_of(placements))
    if (const json::Value* preempted = place.find("preempted"))
      for (const json::Value& task : items_of(*preempted)) {
        table.add({text_at(task, "taskId"), text_at(task, "jobId"), text_at(place, "host"),
                   text_at(place, "slot")});
        is_empty = false;
      }
  if (is_empty) return;
  context.io.out << '\n';
  table.print(context.io.out);
}

void print_plan(Context& context, const json::Value& plan) {
  Sheet sheet;
  sheet.add("as of log index", text_at(plan, "index"));
  sheet.add("tasks", text_at(plan, "tasks"));
  sheet.add("would wait", text_at(plan, "waiting"));
  if (const std::string held = text_at(plan, "why/queue/heldBack"); !held.empty())
    sheet.add("held back", held);
  sheet.print(context.io.out);
  if (const json::Value* placements = plan.find("placements")) {
    print_hosts(context, *placements);
    print_ended(context, *placements);
  }
  const json::Value* changes = value_at(plan, "why/changes");
  if (changes == nullptr || items_of(*changes).empty()) return;
  context.io.out << "\nfor those that would wait any one of these would do, the smallest first:\n";
  for (const json::Value& change : items_of(*changes))
    context.io.out << "  " << printable(text_at(change, "sentence")) << '\n';
}

/// The job's own part of the request goes with the plan; a resize is in the plan already.
int submit_plan(Context& context, CellClient& client, const std::string& request, const std::string& plan) {
  const auto asked = json::parse(request);
  const json::Value* job = asked.ok() ? asked.value().find("job") : nullptr;
  std::string body = "{\"plan\":\"" + plan + '"';
  if (job != nullptr) body += ",\"job\":" + json::to_json(*job);
  body += '}';
  const auto answer = client.change("POST", "/api/v3/plan/submit", body);
  if (!answer.ok()) return report(context.io.err, answer.error());
  if (job != nullptr)
    context.io.out << "submitted job " << text_at(answer.value().value, "id") << " as planned\n";
  else
    context.io.out << "resized as planned\n";
  return exit_ok;
}

}  // namespace

int job_plan(Context& context, const JobPlan& args) {
  auto client = context.client();
  const auto body = request_body(context, client, args);
  if (!body.ok()) return report(context.io.err, body.error());
  const auto answer = client.change("POST", "/api/v3/plan", body.value());
  if (!answer.ok()) return report(context.io.err, answer.error());
  const json::Value& plan = answer.value().value;
  if (context.options.wants_json)
    print_json(context, answer.value().text);
  else
    print_plan(context, plan);
  if (!args.submits) return exit_ok;
  if (args.needs_all && integer_at(plan, "waiting") > 0) {
    context.io.err << "not submitted: " << text_at(plan, "waiting") << " tasks would wait\n";
    return exit_refused;
  }
  return submit_plan(context, client, body.value(), text_at(plan, "plan"));
}

}  // namespace troupe::cli
