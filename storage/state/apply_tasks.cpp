// Tasks: placement, reports, ends.

#include <fmt/core.h>

#include "storage/base/planted_bug.hpp"
#include "storage/model/feature_level.hpp"
#include "storage/model/ports.hpp"
#include "storage/state/apply.hpp"

namespace troupe {
namespace {

Error no_such_task(const TaskId& id) { return {ErrorCode::not_found, "no live task " + to_text(id)}; }

}  // namespace

void CommandApply::enter(TaskRecord& task, TaskState state, Reason reason) {
  TROUPE_CHECK(may_move(task.state, state));
  const bool by_way_of_all = state != TaskState::kill_initiated && state != TaskState::finished;
  for (auto n = static_cast<std::size_t>(task.state) + 1;
       by_way_of_all && n < static_cast<std::size_t>(state); ++n)
    task.enter(static_cast<TaskState>(n), {stage_.now(), Reason::filled_in});
  task.state = state;
  task.enter(state, {stage_.now(), reason});
}

CommandApply::Check CommandApply::check_slot(const TaskRecord& task) const {
  const SlotRecord* slot = stage_.slot(task.job, task.slot);
  if (slot != nullptr && slot->task == task.id && slot->state == SlotState::running) return std::nullopt;
  const JobRecord* job = stage_.job(task.job);
  if (job == nullptr) throw Poison{EntityRef::of(task.id), "its job does not live"};
  const std::string why = "task " + to_text(task.id) + " is not its slot's running task";
  if (job->set_aside.empty()) throw Poison{EntityRef::of(task.job), why};
  return Error{ErrorCode::internal, why};
}

void CommandApply::end_task(const TaskId& id, const End& how) {
  TaskRecord& task = stage_.edit_task(id);
  // A task that ends while it is being killed ends for the kill's reason, whatever its exit code.
  const bool killed = task.state == TaskState::kill_initiated;
  const Reason why = killed ? task.step(TaskState::kill_initiated).reason : how.reason;
  const Reason reason = how.reason == Reason::stuck_in_killing_state ? how.reason : why;
  note_launch_end(task, why);
  enter(task, TaskState::finished, reason);
  task.exit_code = how.exit_code;
  task.signal = how.signal;
  // Who gave way to another is told for whom; how its process ended says nothing beside that.
  if (!how.message.empty() && why != Reason::evicted) task.message = clipped(how.message);
  SlotRecord& ended = stage_.edit_slot(task.job, task.slot);
  ended.state = SlotState::ended;
  // A kill that is stuck decides nothing about a retry; what it was for does.
  ended.last_reason = why;
  ended.last_exit_code = how.exit_code;
  ended.last_started = task.step(TaskState::started).at;
  ended.last_finished = stage_.now();
}

Result<void> CommandApply::operator()(const PlaceTasks& body) {
  std::size_t together = 0;
  for (const std::uint32_t count : body.together) {
    if (count > body.items.size() - together)
      return Error{ErrorCode::invalid_argument, "more tasks are to be placed together than there are"};
    const Check refusal = place_together(&body.items[together], count);
    for (std::size_t n = 0; refusal && n < count; ++n)
      outcome_.refused.push_back({static_cast<std::uint32_t>(together + n), refusal->code, refusal->message});
    together += count;
  }
  for (std::size_t n = together; n < body.items.size(); ++n)
    if (Check refusal = place(body.items[n]))
      outcome_.refused.push_back({static_cast<std::uint32_t>(n), refusal->code, std::move(refusal->message)});
  return {};
}

CommandApply::Check CommandApply::check_host(HostId id) const {
  const HostRecord* host = stage_.host(id);
  if (host == nullptr) return Error{ErrorCode::not_found, "no such host"};
  if (!host->is_connected()) return Error{ErrorCode::unavailable, "the host is disconnected"};
  if (host->phase != HostPhase::active || !host->set_aside.empty())
    return Error{ErrorCode::precondition_failed, "the host takes no tasks"};
  return std::nullopt;
}

CommandApply::Check CommandApply::check_spot(const PlaceTasks::Item& item) const {
  const TaskRecord* task = stage_.task(item.task);
  if (task == nullptr) return no_such_task(item.task);
  if (task->state != TaskState::accepted || task->version != item.task_version)
    return Error{ErrorCode::precondition_failed, "the task has changed"};
  if (Check refusal = check_host(item.host)) return refusal;
  if (stage_.host(item.host)->eligibility != item.eligibility)
    return Error{ErrorCode::conflict, "the host has changed"};
  const JobRecord* job = stage_.job(task->job);
  if (job == nullptr) throw Poison{EntityRef::of(item.task), "its job does not live"};
  if (Check paused = check_pauses(item.host, job->descriptor->capacity_group)) return paused;
  const Resources free = stage_.free_on(item.host);
  const bool is_short = free.ports < 0 && stage_.cell().level < level_of_fewer_ports;
  if ((is_short || !job->descriptor->resources.fits_into(free)) && !planted(Bug::place_without_room))
    return Error{ErrorCode::limit_exceeded, "the host is full"};
  constexpr std::uint32_t company_is_asked_from = 2;
  if (stage_.cell().level >= company_is_asked_from) return check_company(item.host, *job->descriptor);
  return std::nullopt;
}

CommandApply::Check CommandApply::check_place(const PlaceTasks::Item& item) const {
  if (Check refusal = check_spot(item)) return refusal;
  const JobDescriptor& descriptor = *stage_.job(stage_.task(item.task)->job)->descriptor;
  if (Check held = check_launches(launch_scopes(item.host, descriptor.capacity_group))) return held;
  return check_ceiling(descriptor);
}

CommandApply::Check CommandApply::check_ceiling(const JobDescriptor& descriptor) const {
  constexpr std::uint32_t ceilings_hold_from = 2;
  if (stage_.cell().level < ceilings_hold_from) return std::nullopt;
  const auto& groups = stage_.tables().cell.groups;
  const auto found = groups.find(descriptor.capacity_group);
  if (found == groups.end() || found->second.tier != Tier::critical ||
      reservation_of(found->second) == Resources{})
    return std::nullopt;
  GroupStanding standing = standing_of(descriptor.capacity_group);
  if (const auto entry = stage_.tables().cell.group_entries.find(descriptor.capacity_group);
      entry != stage_.tables().cell.group_entries.end())
    standing.used += entry->second.use.leaving;
  if (const auto here = freed_.find(descriptor.capacity_group); here != freed_.end())
    standing.used += here->second;
  if (is_within_reservation(standing, descriptor.resources)) return std::nullopt;
  return Error{ErrorCode::limit_exceeded,
               "capacity group " + descriptor.capacity_group + " is Critical and uses all that it reserved"};
}

void CommandApply::book(const PlaceTasks::Item& item, Booking what) {
  const JobDescriptor& descriptor = *stage_.job(stage_.task(item.task)->job)->descriptor;
  Resources amount = descriptor.resources;
  if (what == Booking::give_back) (amount = {}) -= descriptor.resources;
  stage_.use_on(item.host, amount);
  Company& company = company_[item.host];
  const std::size_t alone = wants_alone(descriptor) ? 1 : 0;
  if (what == Booking::take)
    ++company.tasks, company.alone += alone;
  else
    --company.tasks, company.alone -= alone;
  const LaunchScopes scopes = launch_scopes(item.host, descriptor.capacity_group);
  what == Booking::take ? take_launches(scopes) : give_launches_back(scopes);
  if (stage_.tables().cell.groups.contains(descriptor.capacity_group))
    placed_[descriptor.capacity_group] += amount;
}

/// The task is on its host.
void CommandApply::give_ports(TaskRecord& task, std::int64_t count) {
  const auto& hosts = stage_.tables().cell.hosts;
  const auto host = hosts.find(task.host);
  std::set<std::uint16_t>& taken = given_ports_[task.host];
  if (host != hosts.end())
    for (const TaskId& id : host->second.tasks)
      if (const TaskRecord* there = stage_.task(id))
        taken.insert(there->ports.values().begin(), there->ports.values().end());
  auto chosen = choose_ports(ports_of(stage_.host(task.host)->attributes), taken, count, task.id);
  // Room for it was found by their number: whoever holds one is counted.
  if (static_cast<std::int64_t>(chosen.size()) != count)
    throw Poison{EntityRef::of(task.id), "its host has fewer free ports than are counted"};
  taken.insert(chosen.begin(), chosen.end());
  task.ports = std::move(chosen);
}

void CommandApply::launch(const PlaceTasks::Item& item) {
  TaskRecord& placed = stage_.edit_task(item.task);
  placed.host = item.host;
  const std::int64_t ports = stage_.job(placed.job)->descriptor->resources.ports;
  if (ports > 0 && !planted(Bug::place_without_room)) give_ports(placed, ports);
  enter(placed, TaskState::launched, Reason::normal);
}

CommandApply::Check CommandApply::place(const PlaceTasks::Item& item) {
  if (Check refusal = check_place(item)) return refusal;
  book(item, Booking::take);
  launch(item);
  return std::nullopt;
}

CommandApply::Check CommandApply::place_together(const PlaceTasks::Item* first, std::size_t count) {
  let_through_ = launches_let_through(first, count);
  Check refusal = book_together(first, count);
  let_through_.clear();
  for (std::size_t n = 0; !refusal && n < count; ++n) launch(first[n]);
  return refusal;
}

CommandApply::Check CommandApply::book_together(const PlaceTasks::Item* first, std::size_t count) {
  std::set<TaskId> seen;
  for (std::size_t n = 0; n < count; ++n) {
    Check refusal = check_place(first[n]);
    if (!seen.insert(first[n].task).second)
      refusal = Error{ErrorCode::invalid_argument, "a task is to be placed twice"};
    if (!refusal) {
      book(first[n], Booking::take);
      continue;
    }
    for (std::size_t done = 0; done < n; ++done) book(first[done], Booking::give_back);
    refusal->message = "of its gang one cannot start: " + refusal->message;
    return refusal;
  }
  return std::nullopt;
}

Result<void> CommandApply::operator()(const ReportTasks& body) {
  return each_item(body.parts, [&](const ReportTasks::Part& part) { return report(part); });
}

CommandApply::Check CommandApply::report(const ReportTasks::Part& part) {
  const HostRecord* host = stage_.host(part.host);
  if (host == nullptr) return Error{ErrorCode::not_found, "no such host"};
  if ((host->session != part.session && !planted(Bug::stale_session_accepted)) || part.session.is_nil())
    return Error{ErrorCode::fenced, "of an older session"};
  for (const ReportTasks::Status& status : part.tasks) take_status(status, part.host);
  return std::nullopt;
}

void CommandApply::take_status(const ReportTasks::Status& status, HostId host) {
  const TaskRecord* task = stage_.task(status.task);
  // Late news of a task that is archived, or was given to another host, change nothing.
  if (task == nullptr || task->host != host || !may_move(task->state, status.state)) return;
  if (status.state == TaskState::finished) {
    if (check_slot(*task)) return;
    if (task->state == TaskState::launched || task->state == TaskState::accepted ||
        task->state == TaskState::start_initiated) {
      // It may have run and ended between two reports.
      if (status.reason == Reason::normal || status.reason == Reason::failed)
        enter(stage_.edit_task(status.task), TaskState::started, Reason::filled_in);
    }
    const Reason reason = status.reason == Reason::none ? Reason::unknown : status.reason;
    return end_task(status.task, {reason, status.exit_code, status.signal, status.message});
  }
  if (status.state != TaskState::start_initiated && status.state != TaskState::started) return;
  TaskRecord& edited = stage_.edit_task(status.task);
  enter(edited, status.state, Reason::normal);
  edited.message = clipped(status.message);
  if (status.state == TaskState::started) note_launch_success(host);
}

Result<void> CommandApply::operator()(const KillTasks& body) {
  if (std::holds_alternative<EpochFence>(command_.fence))
    return each_item(body.items, [&](const KillTasks::Item& item) { return kill(item); });
  if (body.items.size() != 1) return Error{ErrorCode::invalid_argument, "one task at a time"};
  if (Check refusal = kill(body.items.front())) return *refusal;
  outcome_.entity = to_text(body.items.front().task);
  return {};
}

CommandApply::Check CommandApply::kill(const KillTasks::Item& item) {
  const TaskRecord* task = stage_.task(item.task);
  if (task == nullptr) return no_such_task(item.task);
  if (task->state == TaskState::kill_initiated)
    return Error{ErrorCode::task_terminating, "the task is being ended already"};
  if (task->state == TaskState::accepted) {
    if (Check broken = check_slot(*task)) return broken;
    end_task(item.task, {item.reason, 0, 0, item.message});
    return std::nullopt;
  }
  if (planted(Bug::kill_forgotten)) return std::nullopt;
  TaskRecord& edited = stage_.edit_task(item.task);
  enter(edited, TaskState::kill_initiated, item.reason);
  edited.message = clipped(item.message);
  return std::nullopt;
}

Result<void> CommandApply::operator()(const EndTasks& body) {
  return each_item(body.items, [&](const EndTasks::Item& item) { return end(item); });
}

CommandApply::Check CommandApply::end(const EndTasks::Item& item) {
  const TaskRecord* task = stage_.task(item.task);
  if (task == nullptr) return no_such_task(item.task);
  if (task->host != item.host) return Error{ErrorCode::precondition_failed, "the task is on another host"};
  if (Check broken = check_slot(*task)) return broken;
  end_task(item.task, {item.reason, 0, 0, item.message});
  return std::nullopt;
}

}  // namespace troupe
