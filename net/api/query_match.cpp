#include <algorithm>

#include "net/api/query.hpp"

namespace troupe::api {
namespace {

bool is_wanted(const std::string& wanted, const std::string& found) {
  return wanted.empty() || wanted == found;
}

bool has_attribute(const StringMap& attributes, const std::string& name,
                   const std::set<std::string>& values) {
  const auto found = attributes.find(name);
  return found != attributes.end() && (values.empty() || values.contains(found->second));
}

bool attributes_match(const Criteria& criteria, const StringMap& attributes) {
  if (criteria.attributes.empty()) return true;
  const auto holds = [&](const auto& wanted) {
    return has_attribute(attributes, wanted.first, wanted.second);
  };
  return criteria.attribute_op == AttributeOp::all
             ? std::all_of(criteria.attributes.begin(), criteria.attributes.end(), holds)
             : std::any_of(criteria.attributes.begin(), criteria.attributes.end(), holds);
}

}  // namespace

bool matches(const Criteria& criteria, const JobDescriptor& descriptor) {
  return !criteria.wants_sidecars && is_wanted(criteria.owner, descriptor.team_email) &&
         is_wanted(criteria.application_name, descriptor.application_name) &&
         is_wanted(criteria.image_name, descriptor.image.name) &&
         is_wanted(criteria.image_tag, descriptor.image.tag) &&
         is_wanted(criteria.capacity_group, descriptor.capacity_group) &&
         is_wanted(criteria.group_stack, descriptor.group_stack) &&
         is_wanted(criteria.group_detail, descriptor.group_detail) &&
         is_wanted(criteria.group_sequence, descriptor.group_sequence) &&
         (!criteria.type || (*criteria.type == JobType::batch) == descriptor.is_batch()) &&
         attributes_match(criteria, descriptor.attributes);
}

namespace {

bool state_matches(const Criteria& criteria, const TaskRecord& task) {
  if (criteria.wants_any_task_state) return true;
  if (criteria.task_states.empty()) return task.state != TaskState::finished;
  return criteria.task_states.contains(task.state);
}

}  // namespace

bool Criteria::wants_finished_tasks() const {
  return wants_any_task_state || task_states.contains(TaskState::finished);
}

bool matches(const Criteria& criteria, const JobRecord& job) {
  if (!criteria.jobs.empty() && !criteria.jobs.contains(job.id)) return false;
  if (criteria.job_state && *criteria.job_state != job.state) return false;
  return job.descriptor && matches(criteria, *job.descriptor);
}

bool matches(const Criteria& criteria, const TaskRecord& task, const JobRecord& job) {
  if (!criteria.tasks.empty() && !criteria.tasks.contains(task.id)) return false;
  const Reason reason = task.step(task.state).reason;
  if (!criteria.task_reasons.empty() && !criteria.task_reasons.contains(reason)) return false;
  if (criteria.skip_system_failures && task.state == TaskState::finished && is_system_error(reason))
    return false;
  return state_matches(criteria, task) && matches(criteria, job);
}

}  // namespace troupe::api
