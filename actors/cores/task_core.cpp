#include "actors/cores/task_core.hpp"

#include <algorithm>

#include "storage/model/gang.hpp"

namespace troupe::cores {
namespace {

std::string seconds_text(milliseconds span) { return std::to_string(span.count() / 1'000) + " s"; }

/// How long the task may stay in its state; nothing: for ever.
std::optional<milliseconds> stay_max(const TaskView& view) {
  switch (view.task.state) {
    case TaskState::launched:
      return view.policy.launched_max;
    case TaskState::start_initiated:
      return view.policy.start_initiated_max;
    case TaskState::started:
      if (const auto* batch = view.descriptor.batch(); batch != nullptr && batch->runtime_limit.count() > 0)
        return batch->runtime_limit;
      return std::nullopt;
    case TaskState::kill_initiated:
      return view.policy.kill_initiated_max;
    case TaskState::accepted:
      return starts_with_gang(view.task) ? gang_patience(view.descriptor) : std::nullopt;
    case TaskState::finished:
      return std::nullopt;
  }
  return std::nullopt;
}

CommandBody overdue(const TaskView& view) {
  const TaskRecord& task = view.task;
  const std::string span = seconds_text(stay_max(view).value_or(milliseconds(0)));
  if (task.state == TaskState::kill_initiated)
    return EndTasks{{{task.id, task.host, Reason::stuck_in_killing_state, "did not end within " + span}}};
  if (task.state == TaskState::started)
    return KillTasks{
        .items = {{task.id, Reason::runtime_limit_exceeded, "ran longer than its limit of " + span}}};
  if (task.state == TaskState::accepted)
    // Of no host: a task that has been placed meanwhile is not ended.
    return EndTasks{
        {{task.id, HostId{}, Reason::killed, "its gang had no place for all of its tasks within " + span}}};
  const std::string message = "in " + std::string(state_text(task.state)) + " for more than " + span;
  return KillTasks{.items = {{task.id, Reason::stuck_in_state, message}}};
}

}  // namespace

std::optional<Instant> task_deadline(const TaskView& view) {
  if (!view.task.set_aside.empty()) return std::nullopt;
  const auto stay = stay_max(view);
  if (!stay) return std::nullopt;
  const Instant due = view.task.step(view.task.state).at + *stay;
  if (!view.cared_since.is_set()) return due;
  if (view.task.state == TaskState::accepted) return due;  // No agent has anything to say of it.
  // A limit that the user set is kept to the second, but for one that passed while nobody could hear.
  if (view.task.state == TaskState::started && due > view.cared_since) return due;
  return std::max(due, view.cared_since + hearing_grace);
}

std::vector<TaskEffect> TaskCore::on(Instant now, const TaskView& view, const TaskEvent& event) {
  if (const auto* settled = std::get_if<Settled>(&event)) gate_.settle(now, *settled);
  if (gate_.is_waiting()) return {};
  const auto deadline = task_deadline(view);
  if (!deadline) return {Rest{}};
  if (*deadline > now) return {WakeAt{*deadline}};
  if (!gate_.is_open(now)) return {WakeAt{gate_.open_at()}};
  return {gate_.propose(overdue(view), 1)};
}

}  // namespace troupe::cores
