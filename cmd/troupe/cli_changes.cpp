// What changes on a job or task that lives, beside its size.

#include <ostream>

#include "cmd/troupe/cli_commands.hpp"
#include "cmd/troupe/cli_error.hpp"
#include "cmd/troupe/cli_submit.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

std::string path_of(IdOf what, const std::string& id) {
  return (what == IdOf::job ? "/api/v3/jobs/" : "/api/v3/tasks/") + id;
}

/// {"attributes": {...}}; error: one is no NAME=VALUE.
Result<std::string> put_body(const std::vector<std::string>& put) {
  json::Writer writer;
  writer.begin_object();
  writer.key("attributes");
  std::map<std::string, std::string> attributes;
  for (const std::string& pair : put) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{ErrorCode::invalid_argument, "--put takes NAME=VALUE, not " + pair};
    attributes[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  json::write_value(writer, attributes);
  writer.end_object();
  return writer.take();
}

int edit_attributes(Context& context, IdOf what, const AttributesEdit& args) {
  auto body = put_body(args.put);
  if (!body.ok()) return report(context.io.err, body.error());
  auto client = context.client();
  const auto id = whole_id(client, what, args.id);
  if (!id.ok()) return report(context.io.err, id.error());
  const std::string path = path_of(what, id.value()) + "/attributes";
  if (!args.put.empty()) {
    const auto answer = client.change("PUT", path, body.value());
    if (!answer.ok()) return report(context.io.err, answer.error());
  }
  if (!args.remove.empty()) {
    std::string keys;
    for (const std::string& name : args.remove) keys.append(keys.empty() ? "" : ",").append(url_text(name));
    const auto answer = client.change("DELETE", path + "?keys=" + keys);
    if (!answer.ok()) return report(context.io.err, answer.error());
  }
  context.io.out << "changed " << id.value() << '\n';
  return exit_ok;
}

/// One change of one job, told in `done`.
int change_job(Context& context, const std::string& job, std::string_view method, const std::string& below,
               const std::string& body, std::string_view done) {
  auto client = context.client();
  const auto id = whole_id(client, IdOf::job, job);
  if (!id.ok()) return report(context.io.err, id.error());
  const auto answer = client.change(method, path_of(IdOf::job, id.value()) + below, body);
  if (!answer.ok()) return report(context.io.err, answer.error());
  context.io.out << done << ' ' << id.value() << '\n';
  return exit_ok;
}

}  // namespace

int job_attributes(Context& context, const AttributesEdit& args) {
  return edit_attributes(context, IdOf::job, args);
}
int task_attributes(Context& context, const AttributesEdit& args) {
  return edit_attributes(context, IdOf::task, args);
}

int job_enable(Context& context, const std::string& job) {
  return change_job(context, job, "POST", "/enable", {}, "enabled job");
}
int job_disable(Context& context, const std::string& job) {
  return change_job(context, job, "POST", "/disable", {}, "disabled job");
}

int job_retry(Context& context, const std::string& job) {
  return change_job(context, job, "POST", "/retry", {}, "trying again what waits in job");
}

int job_processes(Context& context, const JobProcesses& args) {
  const auto text = [](bool value) { return std::string(value ? "true" : "false"); };
  const std::string body = R"({"disableIncreaseDesired":)" + text(args.holds_increase) +
                           R"(,"disableDecreaseDesired":)" + text(args.holds_decrease) + "}";
  return change_job(context, args.job, "PUT", "/jobprocesses", body, "changed the processes of job");
}

int job_budget(Context& context, const JobBudget& args) {
  const auto budget = read_document(context, args.file);
  if (!budget.ok()) return report(context.io.err, budget.error());
  return change_job(context, args.job, "PUT", "/disruptionBudget", json::to_json(budget.value().value),
                    "changed the disruption budget of job");
}

}  // namespace troupe::cli
