#include <troupe/job.hpp>

#include "cmd/embedded/job_json.hpp"
#include "cmd/embedded/json_members.hpp"
#include "net/json/writer.hpp"
#include "storage/model/state.hpp"

namespace troupe::embedded {
namespace {

// The public lists are the model's own, one for one.
static_assert(static_cast<int>(JobState::finished) == static_cast<int>(max_value(troupe::JobState{})));
static_assert(static_cast<int>(TaskState::finished) == static_cast<int>(max_value(troupe::TaskState{})));
static_assert(static_cast<int>(TaskState::started) == static_cast<int>(troupe::TaskState::started));
static_assert(static_cast<int>(Reason::unknown) == static_cast<int>(max_value(troupe::Reason{})));
static_assert(static_cast<int>(Reason::lost) == static_cast<int>(troupe::Reason::lost));
static_assert(static_cast<int>(Reason::stuck_in_state) == static_cast<int>(troupe::Reason::stuck_in_state));

template <class Public, class Inner>
Public public_one(std::optional<Inner> inner, Public fallback) {
  return inner ? static_cast<Public>(*inner) : fallback;
}

void text_of(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  writer.text(text);
}

void retry_of(json::Writer& writer, const RetryPolicy& retry) {
  const auto time = [&](std::string_view name, std::chrono::milliseconds span) {
    text_of(writer, name, std::to_string(span.count()));
  };
  writer.key("retryPolicy");
  writer.begin_object();
  switch (retry.kind) {
    case RetryPolicy::Kind::immediate:
      writer.key("immediate");
      writer.begin_object();
      break;
    case RetryPolicy::Kind::delayed:
      writer.key("delayed");
      writer.begin_object();
      time("delayMs", retry.delay);
      break;
    case RetryPolicy::Kind::exponential:
      writer.key("exponentialBackOff");
      writer.begin_object();
      time("initialDelayMs", retry.delay);
      time("maxDelayIntervalMs", retry.delay_max);
      break;
  }
  writer.key("retries");
  writer.uint(retry.retries);
  writer.end_object();
  writer.end_object();
}

void container_of(json::Writer& writer, const JobSpec& spec) {
  writer.key("container");
  writer.begin_object();
  if (!spec.image.empty()) {
    writer.key("image");
    writer.begin_object();
    text_of(writer, "name", spec.image);
    text_of(writer, "tag", "latest");
    writer.end_object();
  }
  writer.key("resources");
  writer.begin_object();
  writer.key("cpu");
  writer.real(spec.cpus);
  writer.key("memoryMB");
  writer.integer(spec.memory_mb);
  writer.key("diskMB");
  writer.integer(spec.disk_mb);
  writer.end_object();
  writer.key("entryPoint");
  json::write_value(writer, spec.command);
  if (!spec.environment.empty()) {
    writer.key("env");
    json::write_value(writer, spec.environment);
  }
  writer.end_object();
}

void batch_of(json::Writer& writer, const JobSpec& spec) {
  writer.key("batch");
  writer.begin_object();
  writer.key("size");
  writer.uint(spec.size);
  writer.key("runtimeLimitSec");
  writer.integer(spec.runtime_limit.count());
  retry_of(writer, spec.retry);
  writer.end_object();
}

void service_of(json::Writer& writer, const JobSpec& spec) {
  writer.key("service");
  writer.begin_object();
  writer.key("capacity");
  writer.begin_object();
  writer.key("min");
  writer.uint(spec.size_min);
  writer.key("desired");
  writer.uint(spec.size);
  writer.key("max");
  writer.uint(spec.size_max);
  writer.end_object();
  writer.key("enabled");
  writer.boolean(true);
  retry_of(writer, spec.retry);
  writer.end_object();
}

}  // namespace

std::string_view to_text(JobState state) { return state_text(static_cast<troupe::JobState>(state)); }
std::string_view to_text(TaskState state) { return state_text(static_cast<troupe::TaskState>(state)); }
std::string_view to_text(Reason reason) { return reason_text(static_cast<troupe::Reason>(reason)); }

std::string to_json(const JobSpec& spec) {
  json::Writer writer;
  writer.begin_object();
  writer.key("owner");
  writer.begin_object();
  text_of(writer, "teamEmail", spec.owner);
  writer.end_object();
  text_of(writer, "applicationName", spec.application);
  if (!spec.capacity_group.empty()) text_of(writer, "capacityGroup", spec.capacity_group);
  std::map<std::string, std::string> attributes = spec.attributes;
  if (!spec.script.empty()) attributes["troupe.sim"] = spec.script;
  writer.key("attributes");
  json::write_value(writer, attributes);
  container_of(writer, spec);
  spec.kind == JobSpec::Kind::batch ? batch_of(writer, spec) : service_of(writer, spec);
  writer.end_object();
  return writer.take();
}

Job job_from(const json::Value& value) {
  const json::Value* status = value.find("status");
  Job job;
  job.id = text_member(&value, "id");
  job.state = public_one(job_state_from_text(text_member(status, "state")), JobState::accepted);
  job.reason = public_one(reason_from_text(text_member(status, "reasonCode")), Reason::none);
  job.message = text_member(status, "reasonMessage");
  const json::Value* summary = value.find("summary");
  const json::Value* tasks = summary == nullptr ? nullptr : summary->find("tasks");
  constexpr std::pair<TaskState, std::string_view> states[] = {{TaskState::accepted, "accepted"},
                                                               {TaskState::launched, "launched"},
                                                               {TaskState::start_initiated, "startInitiated"},
                                                               {TaskState::started, "started"},
                                                               {TaskState::kill_initiated, "killInitiated"}};
  for (const auto& [state, name] : states)
    if (const auto count = number_member(tasks, name); count > 0)
      job.tasks[state] = static_cast<std::uint32_t>(count);
  return job;
}

Task task_from(const json::Value& value) {
  const json::Value* status = value.find("status");
  const json::Value* context = value.find("taskContext");
  Task task;
  task.id = text_member(&value, "id");
  task.job = text_member(&value, "jobId");
  task.index = static_cast<std::uint32_t>(number_member(context, "task.index"));
  task.resubmit = static_cast<std::uint32_t>(number_member(context, "task.resubmitNumber"));
  task.state = public_one(task_state_from_text(text_member(status, "state")), TaskState::accepted);
  task.reason = public_one(reason_from_text(text_member(status, "reasonCode")), Reason::none);
  task.message = text_member(status, "reasonMessage");
  task.host = text_member(context, "agent.host");
  task.exit_code = static_cast<int>(number_member(status, "exitCode"));
  task.signal = static_cast<int>(number_member(status, "signal"));
  const auto enter = [&](const json::Value& step) {
    if (const auto state = task_state_from_text(text_member(&step, "state")))
      task.entered[static_cast<TaskState>(*state)] =
          Time(std::chrono::milliseconds(number_member(&step, "timestamp")));
  };
  if (const json::Value* past = value.find("statusHistory"); past != nullptr && past->array() != nullptr)
    for (const json::Value& step : *past->array()) enter(step);
  if (status != nullptr) enter(*status);
  return task;
}

}  // namespace troupe::embedded
