// A service's task becomes another service's: it runs on, and its place moves.

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "storage/model/task_move.hpp"
#include "storage/state/apply.hpp"

namespace troupe {
namespace {

Error refuse(std::string why) { return {ErrorCode::precondition_failed, std::move(why)}; }

std::optional<Error> check_service(std::string_view which, const JobRecord* job, const JobId& id) {
  if (job == nullptr)
    return Error{ErrorCode::not_found, fmt::format("no live {} job {}", which, to_text(id))};
  if (job->descriptor->is_batch())
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the {} job is a batch job: tasks move between services", which)};
  if (job->state != JobState::accepted)
    return Error{ErrorCode::job_terminating, fmt::format("the {} job is being ended", which)};
  if (!job->set_aside.empty()) return refuse(fmt::format("the {} job is set aside", which));
  return std::nullopt;
}

}  // namespace

CommandApply::Check CommandApply::check_move(const MoveTask& body, const JobRecord& source,
                                             const JobRecord& target) const {
  const Capacity &here = source.capacity, &there = target.capacity;
  if (here.desired <= here.min)
    return refuse(fmt::format("the source job would fall below its min {}", here.min));
  if (there.desired >= there.max)
    return refuse(fmt::format("the target job would grow beyond its max {}", there.max));
  if (Check held = check_processes(source, here.desired - 1)) return held;
  if (Check held = check_processes(target, there.desired + 1)) return held;
  if (const auto differ = container_differences(*source.descriptor, *target.descriptor); !differ.empty())
    return refuse(
        fmt::format("the jobs' containers are not alike, they differ in: {}", fmt::join(differ, ", ")));
  if (source.caller != target.caller)
    if (Check full = check_caller_caps(target.caller, {0, 1})) return full;
  const TaskRecord& task = *stage_.task(body.task);
  if (task.slot.value >= here.desired)
    return refuse("the source job has shrunk already: this task is on its way out");
  const SlotRecord* place = stage_.slot(target.id, SlotNumber{there.desired});
  if (place != nullptr && place->state == SlotState::running)
    return Error{ErrorCode::conflict,
                 "in the target job a task that is being ended still holds the place; try again when it has"};
  return std::nullopt;
}

Result<void> CommandApply::operator()(const MoveTask& body) {
  if (body.source == body.target)
    return Error{ErrorCode::invalid_argument, "a task moves from one job to another"};
  const JobRecord* source = stage_.job(body.source);
  const JobRecord* target = stage_.job(body.target);
  if (Check refusal = check_service("source", source, body.source)) return *refusal;
  if (Check refusal = check_service("target", target, body.target)) return *refusal;
  const TaskRecord* task = stage_.task(body.task);
  if (task == nullptr) return Error{ErrorCode::not_found, "no live task " + to_text(body.task)};
  if (task->job != body.source)
    return refuse("the task is not of the source job but of " + to_text(task->job));
  if (task->state == TaskState::kill_initiated)
    return Error{ErrorCode::task_terminating, "the task is being ended already"};
  if (task->state != TaskState::started)
    return refuse(fmt::format("only a Started task moves, this one is {}", state_text(task->state)));
  if (!task->set_aside.empty()) return refuse("the task is set aside");
  if (Check broken = check_slot(*task)) return *broken;
  if (Check refusal = check_move(body, *source, *target)) return *refusal;
  const SlotNumber last{source->capacity.desired - 1}, next{target->capacity.desired};
  --stage_.edit_job(body.source).capacity.desired;
  ++stage_.edit_job(body.target).capacity.desired;
  move_to_last_slot(body.task, last);
  SlotRecord place = *stage_.slot(body.source, last);
  SlotRecord& left = stage_.edit_slot(body.source, last);
  left = {};
  left.number = last;
  place.number = next;
  stage_.open_slot(body.target, next) = place;
  TaskRecord& moved = stage_.edit_task(body.task);
  moved.job = body.target;
  moved.slot = next;
  moved.moved_from = to_text(body.source);
  outcome_.entity = to_text(body.task);
  return {};
}

}  // namespace troupe
