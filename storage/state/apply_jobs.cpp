// Jobs and their slots.

#include <fmt/core.h>

#include "storage/base/planted_bug.hpp"
#include "storage/state/apply.hpp"

namespace troupe {
namespace {

Error no_such_job(const JobId& id) { return {ErrorCode::not_found, "no live job " + to_text(id)}; }

bool may_step(SlotState from, SlotState to, bool batch) {
  switch (to) {
    case SlotState::running:
      return from == SlotState::empty || from == SlotState::ended || from == SlotState::waiting;
    case SlotState::waiting:
      return from == SlotState::ended;
    case SlotState::done:
    case SlotState::failed:
      return from == SlotState::ended && batch;
    case SlotState::empty:
    case SlotState::ended:
      return false;
  }
  return false;
}

}  // namespace

CommandApply::Check CommandApply::in_fenced_shard(const JobId& job) const {
  const auto* fence = std::get_if<EpochFence>(&command_.fence);
  if (fence != nullptr && stage_.tables().shard_id(job) == fence->shard) return std::nullopt;
  return Error{ErrorCode::fenced, "of another shard"};
}

CommandApply::Check CommandApply::check_caps(const JobDescriptor& descriptor) const {
  const CellPolicy& policy = stage_.cell().policy;
  const CellTables& cell = stage_.tables().cell;
  if (cell.live_jobs >= policy.jobs_max && !planted(Bug::caps_ignored))
    return Error{ErrorCode::limit_exceeded,
                 fmt::format("the cell runs {} jobs, its limit is {}; try again when some have ended",
                             cell.live_jobs, policy.jobs_max)};
  const std::uint64_t wanted = cell.wanted_tasks + descriptor.initial_capacity().desired;
  if (wanted > policy.tasks_max)
    return Error{
        ErrorCode::limit_exceeded,
        fmt::format(
            "with this job the cell would run {} tasks, its limit is {}; try again when some have ended",
            wanted, policy.tasks_max)};
  return check_group_cap(descriptor, descriptor.initial_capacity().desired);
}

CommandApply::Check CommandApply::check_group_cap(const JobDescriptor& descriptor, std::uint64_t more) const {
  const CellTables& cell = stage_.tables().cell;
  const auto group = cell.groups.find(descriptor.capacity_group);
  if (group == cell.groups.end() || group->second.tasks_max == 0) return std::nullopt;
  const auto entry = cell.group_entries.find(descriptor.capacity_group);
  const std::uint64_t wanted = more + (entry == cell.group_entries.end() ? 0 : entry->second.use.wanted);
  if (wanted <= group->second.tasks_max) return std::nullopt;
  return Error{
      ErrorCode::limit_exceeded,
      fmt::format("capacity group {} would run {} tasks, its limit is {}; try again when some of its "
                  "tasks have ended, or in another group",
                  descriptor.capacity_group, wanted, group->second.tasks_max)};
}

Result<void> CommandApply::operator()(const CreateJob& body) {
  if (body.descriptor == nullptr || body.job.is_nil())
    return Error{ErrorCode::invalid_argument, "a job needs an id and a descriptor"};
  if (stage_.job_entry(body.job) != nullptr) return Error{ErrorCode::conflict, "this job id is taken"};
  if (!is_possible(body.descriptor->resources))
    return Error{ErrorCode::invalid_argument,
                 fmt::format("a task's resources are out of bounds: each amount is 0 to {}", resource_max)};
  const std::string name = body.descriptor->unique_name();
  const auto& names = stage_.tables().cell.unique_names;
  if (const auto found = names.find(name); !name.empty() && found != names.end())
    return Error{ErrorCode::sequence_in_use,
                 fmt::format("job group sequence '{}' is in use by job {}", name, to_text(found->second))};
  if (Check full = check_caps(*body.descriptor)) return *full;
  JobRecord job;
  job.id = body.job;
  job.descriptor = body.descriptor;
  job.capacity = body.descriptor->initial_capacity();
  job.caller = command_.caller;
  job.call_reason = command_.reason;
  job.created = stage_.now();
  job.reason = Reason::job_submitted;
  stage_.create_job(std::move(job));
  outcome_.entity = to_text(body.job);
  return {};
}

Result<void> CommandApply::operator()(const KillJob& body) {
  const JobRecord* job = stage_.job(body.job);
  if (job == nullptr) return no_such_job(body.job);
  if (job->state != JobState::accepted)
    return Error{ErrorCode::job_terminating, "the job is being ended already"};
  JobRecord& edited = stage_.edit_job(body.job);
  edited.state = JobState::kill_initiated;
  edited.reason = Reason::killed;
  edited.message =
      "killed by " + (command_.caller.empty() ? std::string("an unknown caller") : command_.caller);
  if (!command_.reason.empty()) edited.message += ": " + command_.reason;
  edited.message = clipped(std::move(edited.message));
  edited.kill_initiated = stage_.now();
  outcome_.entity = to_text(body.job);
  return {};
}

Result<void> CommandApply::operator()(const ResizeJob& body) {
  const JobRecord* job = stage_.job(body.job);
  if (job == nullptr) return no_such_job(body.job);
  if (job->descriptor->is_batch()) return Error{ErrorCode::invalid_argument, "a batch job cannot be resized"};
  if (job->state != JobState::accepted) return Error{ErrorCode::job_terminating, "the job is being ended"};
  Capacity wanted = job->capacity;
  wanted.min = body.min.value_or(wanted.min);
  wanted.max = body.max.value_or(wanted.max);
  if (wanted.min > wanted.max)
    return Error{ErrorCode::invalid_argument, fmt::format("min {} is above max {}", wanted.min, wanted.max)};
  wanted.desired = body.desired.value_or(std::clamp(wanted.desired, wanted.min, wanted.max));
  if (wanted.desired < wanted.min || wanted.desired > wanted.max)
    return Error{ErrorCode::invalid_argument, fmt::format("desired {} is outside min {} to max {}",
                                                          wanted.desired, wanted.min, wanted.max)};
  const std::uint64_t total = stage_.tables().cell.wanted_tasks - job->capacity.desired + wanted.desired;
  if (wanted.desired > job->capacity.desired && total > stage_.cell().policy.tasks_max)
    return Error{ErrorCode::limit_exceeded, fmt::format("the cell would run {} tasks, its limit is {}", total,
                                                        stage_.cell().policy.tasks_max)};
  if (wanted.desired > job->capacity.desired)
    if (Check full = check_group_cap(*job->descriptor, wanted.desired - job->capacity.desired)) return *full;
  outcome_.entity = to_text(body.job);
  if (wanted == job->capacity) return {};
  stage_.edit_job(body.job).capacity = wanted;
  return {};
}

Result<void> CommandApply::operator()(const AdvanceSlots& body) {
  return each_item(body.items, [&](const AdvanceSlots::Item& item) { return advance(item); });
}

CommandApply::Check CommandApply::advance(const AdvanceSlots::Item& item) {
  if (Check elsewhere = in_fenced_shard(item.job)) return elsewhere;
  const JobRecord* job = stage_.job(item.job);
  if (job == nullptr) return no_such_job(item.job);
  if (job->state != JobState::accepted) return Error{ErrorCode::job_terminating, "the job is being ended"};
  const SlotRecord* slot = stage_.slot(item.job, item.slot);
  if (slot == nullptr) return Error{ErrorCode::not_found, "no such slot"};
  if (slot->task != item.last || !may_step(slot->state, item.to, job->descriptor->is_batch()))
    return Error{ErrorCode::precondition_failed, "the slot has moved on"};
  if (item.to == SlotState::running) return start_task(item, SlotRecord(*slot));
  SlotRecord& edited = stage_.edit_slot(item.job, item.slot);
  edited.state = item.to;
  if (item.to == SlotState::waiting) {
    edited.retry_at = item.retry_at;
    edited.delay = item.delay;
  }
  return std::nullopt;
}

CommandApply::Check CommandApply::start_task(const AdvanceSlots::Item& item, const SlotRecord& before) {
  const JobRecord& job = *stage_.job(item.job);
  if (item.slot.value >= job.capacity.desired)
    return Error{ErrorCode::precondition_failed, "the job has shrunk"};
  if (item.task.is_nil() || item.task.route() != item.job.route())
    return Error{ErrorCode::invalid_argument, "a task's id must route to its job's shard"};
  const Tables& tables = stage_.tables();
  if (stage_.task(item.task) != nullptr ||
      tables.shard(tables.shard_id(item.task)).tasks.find(item.task) != nullptr)
    return Error{ErrorCode::conflict, "this task id is taken"};
  const bool first = before.task.is_nil();
  SlotRecord& slot = stage_.edit_slot(item.job, item.slot);
  slot.state = SlotState::running;
  slot.task = item.task;
  if (first) {
    slot.original = item.task;
  } else {
    ++slot.resubmits;
    if (is_system_error(before.last_reason)) ++slot.system_resubmits;
    if (before.last_reason == Reason::evicted) ++slot.eviction_resubmits;
  }
  slot.retry_at = {};
  TaskRecord task;
  task.id = item.task;
  task.job = item.job;
  task.slot = item.slot;
  task.original = slot.original;
  task.resubmit_of = before.task;
  task.resubmits = slot.resubmits;
  task.system_resubmits = slot.system_resubmits;
  task.eviction_resubmits = slot.eviction_resubmits;
  task.enter(TaskState::accepted, {stage_.now(), Reason::normal});
  stage_.create_task(std::move(task));
  return std::nullopt;
}

Result<void> CommandApply::operator()(const FinishJobs& body) {
  return each_item(body.items, [&](const FinishJobs::Item& item) { return finish(item); });
}

CommandApply::Check CommandApply::finish(const FinishJobs::Item& item) {
  if (Check elsewhere = in_fenced_shard(item.job)) return elsewhere;
  const JobRecord* job = stage_.job(item.job);
  const JobEntry* entry = stage_.job_entry(item.job);
  if (job == nullptr || entry == nullptr) return no_such_job(item.job);
  if (entry->counts.live() > 0) return Error{ErrorCode::precondition_failed, "the job still has live tasks"};
  const bool all_closed = job->descriptor->is_batch() && entry->counts.closed() >= job->capacity.desired;
  if (job->state == JobState::accepted && !all_closed)
    return Error{ErrorCode::precondition_failed, "the job still has work to do"};
  JobRecord& edited = stage_.edit_job(item.job);
  // A kill's own message names the killer: the end keeps it.
  if (edited.state == JobState::accepted) edited.message = clipped(item.message);
  edited.state = JobState::finished;
  edited.reason = item.reason;
  edited.finished = stage_.now();
  return std::nullopt;
}

}  // namespace troupe
