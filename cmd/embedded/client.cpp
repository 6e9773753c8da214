#include <algorithm>
#include <troupe/client.hpp>

#include "cmd/embedded/cluster_impl.hpp"
#include "cmd/embedded/job_json.hpp"
#include "cmd/embedded/json_members.hpp"
#include "net/json/value.hpp"

namespace troupe::embedded {
namespace {

constexpr std::size_t tasks_shown_max = 1'000;
constexpr std::chrono::milliseconds repeat_after{100};

Headers with_caller(const Headers& headers, bool has_body) {
  Headers all = headers;
  all.emplace("x-titus-callerid", "test");
  if (has_body) all.emplace("content-type", "application/json");
  return all;
}

}  // namespace

Response Client::call(std::string_view method, std::string_view target, std::string_view body,
                      const Headers& headers) const {
  WorldRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  request.headers = with_caller(headers, !body.empty());
  WorldAnswer answer = cluster_->impl_->call(node_, request);
  return {answer.status, std::move(answer.headers), std::move(answer.body)};
}

Response Client::get(std::string_view target, const Headers& headers) const {
  return call("GET", target, {}, headers);
}
Response Client::post(std::string_view target, std::string_view body, const Headers& headers) const {
  return call("POST", target, body, headers);
}
Response Client::put(std::string_view target, std::string_view body, const Headers& headers) const {
  return call("PUT", target, body, headers);
}
Response Client::del(std::string_view target, const Headers& headers) const {
  return call("DELETE", target, {}, headers);
}

namespace {

/// What the good answer says; anything else is the caller's failure.
json::Value good(const StoryTeller::Impl& cluster, const Response& answer, const std::string& asked) {
  if (answer.status / 100 != 2)
    cluster.fail(Failure::Kind::refused,
                 asked + " was answered " + std::to_string(answer.status) + ": " + answer.body);
  if (answer.body.empty()) return {};
  auto parsed = json::parse(answer.body, {.values = 1'000'000});
  if (!parsed.ok())
    cluster.fail(Failure::Kind::refused, asked + " was answered with what is no JSON: " + answer.body);
  return std::move(parsed).value();
}

}  // namespace

Response Client::ask(std::string_view method, const std::string& target, std::string_view body,
                     const Headers& headers) const {
  // With a key of its own, or without any effect, a request may be repeated whatever became of it.
  const bool harmless = method == "GET" || headers.contains("idempotency-key");
  const Time end = cluster_->now() + cluster_->impl_->options.patience;
  while (true) {
    const bool heard = cluster_->impl_->speaker(node_) != 0;
    Response answer = call(method, target, body, headers);
    const bool again =
        !heard || answer.status == 503 || (harmless && (answer.status == 504 || answer.status == 0));
    if (!again || cluster_->now() >= end) return answer;
    cluster_->run_for(repeat_after);
  }
}

std::string Client::submit(const JobSpec& spec) const { return submit(to_json(spec)); }
std::string Client::submit(std::string_view json) const {
  const std::string key = "embedded-" + std::to_string(++cluster_->impl_->submits);
  const json::Value made =
      good(*cluster_->impl_, ask("POST", "/api/v3/jobs", json, {{"idempotency-key", key}}), "the job");
  return text_member(&made, "id");
}

void Client::kill_job(std::string_view job) const {
  good(*cluster_->impl_, ask("DELETE", "/api/v3/jobs/" + std::string(job)),
       "killing job " + std::string(job));
}
void Client::kill_task(std::string_view task) const {
  good(*cluster_->impl_, ask("DELETE", "/api/v3/tasks/" + std::string(task)),
       "killing task " + std::string(task));
}
void Client::resize(std::string_view job, std::uint32_t desired) const {
  good(*cluster_->impl_,
       ask("PUT", "/api/v3/jobs/" + std::string(job) + "/capacityAttributes",
           R"({"desired": )" + std::to_string(desired) + "}"),
       "resizing job " + std::string(job));
}

std::optional<Job> Client::job(std::string_view id) const {
  const Response answer = ask("GET", "/api/v3/jobs/" + std::string(id));
  if (answer.status == 404) return std::nullopt;
  return job_from(good(*cluster_->impl_, answer, "job " + std::string(id)));
}
std::optional<Task> Client::task(std::string_view id) const {
  const Response answer = ask("GET", "/api/v3/tasks/" + std::string(id));
  if (answer.status == 404) return std::nullopt;
  return task_from(good(*cluster_->impl_, answer, "task " + std::string(id)));
}

std::vector<Task> Client::tasks(const std::string& query) const {
  const json::Value page =
      good(*cluster_->impl_, ask("GET", "/api/v3/tasks?pageSize=" + std::to_string(tasks_shown_max) + query),
           "the list of tasks");
  std::vector<Task> tasks;
  const json::Value* items = page.find("items");
  if (items != nullptr && items->array() != nullptr)
    for (const json::Value& item : *items->array()) tasks.push_back(task_from(item));
  return tasks;
}
std::vector<Task> Client::live_tasks(std::string_view job) const {
  return tasks("&jobIds=" + std::string(job));
}
std::vector<Task> Client::all_tasks(std::string_view job) const {
  return tasks("&taskStates=any&jobIds=" + std::string(job));
}

std::string Client::logs(std::string_view task) const {
  const Response answer = ask("GET", "/api/v3/tasks/" + std::string(task) + "/logs");
  if (answer.status != 200)
    cluster_->impl_->fail(Failure::Kind::refused, "the log of task " + std::string(task) + " was answered " +
                                                      std::to_string(answer.status) + ": " + answer.body);
  return answer.body;
}

}  // namespace troupe::embedded
