// Launches: a failing job's budget, the limits of the cell, its groups and hosts, and hosts whose launches
// fail.

#include <fmt/core.h>

#include "storage/state/apply.hpp"

namespace troupe {
namespace {

std::uint64_t under_way_in_cell(const CellTables& cell) {
  return cell.live_tasks[static_cast<std::size_t>(TaskState::launched)] +
         cell.live_tasks[static_cast<std::size_t>(TaskState::start_initiated)];
}

/// Of all tasks, or where this one was the last.
std::vector<SlotNumber> waiting_slots(const JobEntry& job, const TaskId& last) {
  std::vector<SlotNumber> found;
  for (const SlotEntry& slot : job.slots)
    if (slot.record.state == SlotState::waiting && (last.is_nil() || slot.record.task == last))
      found.push_back(slot.record.number);
  return found;
}

/// The platform's or the machine's, as far as one can tell; not what the job asked for or what it ran.
bool is_hosts_fault(Reason reason) { return is_system_error(reason) && reason != Reason::lost; }

}  // namespace

CommandApply::Check CommandApply::check_relaunch(const JobRecord& job, const SlotRecord& slot) const {
  const BucketRule rule = relaunch_limit(stage_.cell()).rule(job.capacity);
  if (!is_budgeted(slot) || job.relaunches.has_one(rule, stage_.now())) return std::nullopt;
  return Error{
      ErrorCode::limit_exceeded,
      fmt::format("the job's relaunches are held to {} a minute, {} at once", rule.per_minute, rule.burst)};
}

void CommandApply::take_relaunch(const JobId& id) {
  JobRecord& job = stage_.edit_job(id);
  job.relaunches.take(relaunch_limit(stage_.cell()).rule(job.capacity), stage_.now());
}

Result<void> CommandApply::operator()(const NoteJobs& body) {
  return each_item(body.items, [&](const NoteJobs::Item& item) { return note(item); });
}

CommandApply::Check CommandApply::note(const NoteJobs::Item& item) {
  if (Check elsewhere = in_fenced_shard(item.job)) return elsewhere;
  const JobRecord* job = stage_.job(item.job);
  if (job == nullptr) return Error{ErrorCode::not_found, "no live job " + to_text(item.job)};
  if (job->state != JobState::accepted) return Error{ErrorCode::job_terminating, "the job is being ended"};
  if (job->throttled.is_set() == item.throttled)
    return Error{ErrorCode::precondition_failed, "the job stands so already"};
  JobRecord& edited = stage_.edit_job(item.job);
  edited.throttled = item.throttled ? stage_.now() : Instant{};
  edited.throttle_reason = item.throttled ? clipped(item.reason) : std::string();
  return std::nullopt;
}

Result<void> CommandApply::operator()(const RetryJob& body) {
  const JobRecord* job = stage_.job(body.job);
  if (job == nullptr) return Error{ErrorCode::not_found, "no live job " + to_text(body.job)};
  if (job->state != JobState::accepted) return Error{ErrorCode::job_terminating, "the job is being ended"};
  const std::vector<SlotNumber> waiting = waiting_slots(*stage_.job_entry(body.job), body.task);
  if (waiting.empty() && !body.task.is_nil())
    return Error{ErrorCode::precondition_failed,
                 "the task is not the last one of a place that waits to be tried again"};
  outcome_.entity = to_text(body.job);
  for (const SlotNumber number : waiting)
    if (stage_.slot(body.job, number)->retry_at > stage_.now())
      stage_.edit_slot(body.job, number).retry_at = stage_.now();
  if (job->relaunches != TokenBucket{}) stage_.edit_job(body.job).relaunches = {};
  return {};
}

// ---- the cell, a group, a host ----

CommandApply::LaunchScopes CommandApply::launch_scopes(HostId host, const std::string& group) const {
  LaunchScopes scopes;
  if (!has_budgets(stage_.cell())) return scopes;
  const CellTables& cell = stage_.tables().cell;
  const CellPolicy& policy = stage_.cell().policy;
  const auto add = [&](std::string key, const LaunchLimit& limit, std::uint64_t under_way) {
    LaunchScope scope{std::move(key), {limit, {}, under_way}};
    scope.standing.under_way += stage_.launched_in(scope.key);
    scope.standing.record = stage_.launches(scope.key);
    scopes.push_back(std::move(scope));
  };
  if (!policy.launch_limit().is_none())
    add(std::string(cell_launches), policy.launch_limit(), under_way_in_cell(cell));
  const auto record = cell.groups.find(group);
  if (record != cell.groups.end() && !record->second.launch_limit().is_none()) {
    const auto entry = cell.group_entries.find(group);
    add(launches_of_group(group), record->second.launch_limit(),
        entry == cell.group_entries.end() ? 0 : entry->second.use.starting);
  }
  if (policy.host_launch_limit().is_none() && cell.launches.empty()) return scopes;
  const auto entry = cell.hosts.find(host);
  add(launches_of_host(host), policy.host_launch_limit(),
      entry == cell.hosts.end() ? 0 : entry->second.starting);
  let_rest(scopes.back().standing, policy, host);
  return scopes;
}

CommandApply::Check CommandApply::check_launches(const LaunchScopes& scopes) const {
  for (const LaunchScope& scope : scopes) {
    if (let_through_.contains(scope.key) || launch_room(scope.standing, stage_.now()).left != 0) continue;
    if (scope.standing.rests_until > stage_.now())
      return Error{ErrorCode::limit_exceeded,
                   fmt::format("the host rests until {}: {} launches failed",
                               to_text(scope.standing.rests_until), scope.standing.record.failures)};
    return Error{ErrorCode::limit_exceeded, "launches of " + scope.key + " are at their limit"};
  }
  return std::nullopt;
}

bool CommandApply::lets_through(const LaunchStanding& standing, std::size_t count, Instant now) {
  const LaunchLimit& limit = standing.limit;
  const auto burst =
      limit.rate.is_none() ? LaunchRoom::unlimited : static_cast<std::uint64_t>(limit.rate.tokens_max());
  const auto most = limit.under_way_max == 0 ? burst : std::min(burst, limit.under_way_max);
  return count > most && launch_room(standing, now).left == most;
}

std::set<std::string> CommandApply::launches_let_through(const PlaceTasks::Item* first,
                                                         std::size_t count) const {
  std::set<std::string> keys;
  for (std::size_t n = 0; n < count; ++n) {
    const TaskRecord* task = stage_.task(first[n].task);
    const JobRecord* job = task == nullptr ? nullptr : stage_.job(task->job);
    if (job == nullptr) continue;
    // A host is one of many: what it cannot launch at once stands elsewhere.
    for (const LaunchScope& scope : launch_scopes(first[n].host, job->descriptor->capacity_group))
      if (scope.key != launches_of_host(first[n].host) && lets_through(scope.standing, count, stage_.now()))
        keys.insert(scope.key);
  }
  return keys;
}

void CommandApply::take_launches(const LaunchScopes& scopes) {
  for (const LaunchScope& scope : scopes) {
    stage_.count_launch(scope.key);
    if (!scope.standing.limit.rate.is_none())
      stage_.edit_launches(scope.key).bucket.take(scope.standing.limit.rate, stage_.now());
  }
}

void CommandApply::give_launches_back(const LaunchScopes& scopes) {
  for (const LaunchScope& scope : scopes) {
    stage_.uncount_launch(scope.key);
    if (!scope.standing.limit.rate.is_none())
      stage_.edit_launches(scope.key).bucket.give_back(scope.standing.limit.rate);
  }
}

void CommandApply::note_launch_end(const TaskRecord& task, Reason why) {
  if (!has_budgets(stage_.cell()) || !task.is_placed() || task.step(TaskState::started).at.is_set()) return;
  if (!is_hosts_fault(why)) return;
  const std::string key = launches_of_host(task.host);
  const LaunchRecord before = stage_.launches(key);
  // Launches of one wave fail together, and of one job for its own reasons: both are one failure.
  const bool is_counted = task.step(TaskState::launched).at < before.failed || before.failed_job == task.job;
  if (before.failures != 0 && is_counted) return;
  LaunchRecord& record = stage_.edit_launches(key);
  record.failures = std::min(before.failures + 1, launch_failures_max);
  record.failed = stage_.now();
  record.failed_job = task.job;
}

void CommandApply::note_launch_success(HostId host) {
  if (stage_.tables().cell.launches.empty()) return;
  const std::string key = launches_of_host(host);
  if (stage_.launches(key).failures != 0) stage_.edit_launches(key).failures /= 2;
}

}  // namespace troupe
