// What users change on what lives: attributes, flags, budgets.

#include <fmt/core.h>

#include "storage/state/apply.hpp"

namespace troupe {
namespace {

/// The attributes after the change. Error: beyond their bounds.
Result<StringMap> changed(StringMap attributes, const AttributesChange& change, AttributeBounds bounds) {
  for (const std::string& name : change.remove) attributes.erase(name);
  for (const auto& [name, value] : change.put) attributes[name] = value;
  std::size_t bytes = 0;
  for (const auto& [name, value] : attributes) bytes += name.size() + value.size();
  if (attributes.size() > bounds.count_max || bytes > bounds.bytes_max)
    return Error{ErrorCode::invalid_argument,
                 fmt::format("it would have {} attributes with {} bytes, at most {} with {} are kept",
                             attributes.size(), bytes, bounds.count_max, bounds.bytes_max)};
  return attributes;
}

}  // namespace

Result<void> CommandApply::operator()(const ChangeJob& body) {
  const JobRecord* job = stage_.job(body.job);
  if (job == nullptr) return Error{ErrorCode::not_found, "no live job " + to_text(body.job)};
  if (job->state != JobState::accepted) return Error{ErrorCode::job_terminating, "the job is being ended"};
  if ((body.enabled || body.processes) && job->descriptor->is_batch())
    return Error{ErrorCode::invalid_argument, "a batch job has no such switch: only a service has"};
  JobDescriptor wanted = *job->descriptor;
  auto attributes = changed(std::move(wanted.attributes), body.attributes, job_attribute_bounds);
  if (!attributes.ok()) return attributes.error();
  wanted.attributes = std::move(attributes).value();
  if (body.budget) wanted.budget = *body.budget;
  if (auto* service = std::get_if<ServiceSpec>(&wanted.kind)) {
    service->enabled = body.enabled.value_or(service->enabled);
    service->processes = body.processes.value_or(service->processes);
  }
  outcome_.entity = to_text(body.job);
  if (wanted == *job->descriptor) return {};
  stage_.edit_job(body.job).descriptor = std::make_shared<const JobDescriptor>(std::move(wanted));
  return {};
}

Result<void> CommandApply::operator()(const ChangeTask& body) {
  const TaskRecord* task = stage_.task(body.task);
  if (task == nullptr) return Error{ErrorCode::not_found, "no live task " + to_text(body.task)};
  auto attributes = changed(task->attributes.map(), body.attributes, task_attribute_bounds);
  if (!attributes.ok()) return attributes.error();
  outcome_.entity = to_text(body.task);
  if (attributes.value() == task->attributes.map()) return {};
  stage_.edit_task(body.task).attributes = std::move(attributes).value();
  return {};
}

}  // namespace troupe
