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

std::optional<Error> check_processes(const JobRecord& job, std::uint32_t desired) {
  const ServiceProcesses& held = job.descriptor->service()->processes;
  if (held.disable_increase && desired > job.capacity.desired)
    return Error{ErrorCode::precondition_failed, "the job's processes have disableIncreaseDesired"};
  if (held.disable_decrease && desired < job.capacity.desired)
    return Error{ErrorCode::precondition_failed, "the job's processes have disableDecreaseDesired"};
  return std::nullopt;
}

CommandApply::Check CommandApply::in_fenced_shard(const JobId& job) const {
  const auto* fence = std::get_if<EpochFence>(&command_.fence);
  if (fence != nullptr && stage_.tables().shard_id(job) == fence->shard) return std::nullopt;
  return Error{ErrorCode::fenced, "of another shard"};
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
  const More more{1, body.descriptor->initial_capacity().desired};
  if (Check full = check_caps(*body.descriptor, command_.caller, more)) return *full;
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
  return take_places(body.job, body.places);
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
  if (Check held = check_processes(*job, wanted.desired)) return *held;
  if (wanted.desired > job->capacity.desired)
    if (Check full = check_caps(*job->descriptor, job->caller, {0, wanted.desired - job->capacity.desired}))
      return *full;
  if (!body.places.empty() && wanted.desired < job->capacity.desired)
    return Error{ErrorCode::conflict,
                 fmt::format("the plan does not hold any more: the job has {} tasks by now; make a new plan",
                             job->capacity.desired)};
  outcome_.entity = to_text(body.job);
  if (wanted == job->capacity && body.places.empty()) return {};
  stage_.edit_job(body.job).capacity = wanted;
  return take_places(body.job, body.places);
}

void CommandApply::move_to_last_slot(const TaskId& id, SlotNumber last) {
  const JobId job = stage_.task(id)->job;
  const SlotNumber left = stage_.task(id)->slot;
  if (left == last) return;
  const SlotRecord stays = *stage_.slot(job, last);
  SlotRecord goes = *stage_.slot(job, left);
  if (stays.state == SlotState::running) stage_.edit_task(stays.task).slot = left;
  stage_.edit_task(id).slot = last;
  stage_.edit_slot(job, left) = stays;
  stage_.edit_slot(job, left).number = left;
  goes.number = last;
  stage_.edit_slot(job, last) = goes;
}

Result<void> CommandApply::operator()(const ShrinkJob& body) {
  const TaskRecord* task = stage_.task(body.task);
  if (task == nullptr) return Error{ErrorCode::not_found, "no live task " + to_text(body.task)};
  const JobRecord* job = stage_.job(task->job);
  if (job == nullptr) throw Poison{EntityRef::of(body.task), "its job does not live"};
  if (job->descriptor->is_batch())
    return Error{ErrorCode::invalid_argument, "a batch job cannot shrink: its size is its work"};
  if (job->state != JobState::accepted) return Error{ErrorCode::job_terminating, "the job is being ended"};
  if (task->state == TaskState::kill_initiated)
    return Error{ErrorCode::task_terminating, "the task is being ended already"};
  if (Check broken = check_slot(*task)) return *broken;
  Capacity size = job->capacity;
  if (task->slot.value >= size.desired)
    return Error{ErrorCode::precondition_failed, "the job has shrunk already: this task is on its way out"};
  const SlotNumber last{--size.desired};
  if (Check held = check_processes(*job, size.desired)) return *held;
  if (body.keep_min && size.desired < size.min)
    return Error{ErrorCode::precondition_failed,
                 fmt::format("desired would fall to {}, below min {}", size.desired, size.min)};
  size.min = std::min(size.min, size.desired);
  const JobId id = job->id;
  move_to_last_slot(body.task, last);
  if (Check refusal = kill({body.task, Reason::scaled_down, body.message})) return *refusal;
  stage_.edit_job(id).capacity = size;
  outcome_.entity = to_text(body.task);
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
  if (Check held = check_relaunch(job, before)) return held;
  const bool first = before.task.is_nil();
  SlotRecord& slot = stage_.open_slot(item.job, item.slot);
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
  if (is_budgeted(before) && relaunch_limit(stage_.cell()).per_minute != 0) take_relaunch(item.job);
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
