// Tasks that are ended so that others have room: who may, and whose.

#include <fmt/core.h>

#include "storage/state/apply.hpp"

namespace troupe {
namespace {

std::string by_right(PreemptionRight right, const std::string& group) {
  return right == PreemptionRight::reclaim ? "capacity group " + group + " takes back what it reserved"
                                           : "it has the higher priority";
}

}  // namespace

GroupStanding CommandApply::standing_of(const std::string& group) const {
  const CellTables& cell = stage_.tables().cell;
  GroupStanding standing{group, Tier::flex, {}, {}};
  if (const auto record = cell.groups.find(group); record != cell.groups.end()) {
    standing.tier = record->second.tier;
    standing.reservation = reservation_of(record->second);
  }
  if (const auto entry = cell.group_entries.find(group); entry != cell.group_entries.end())
    standing.used = entry->second.use.staying();
  if (const auto here = placed_.find(group); here != placed_.end()) standing.used += here->second;
  if (const auto here = freed_.find(group); here != freed_.end()) standing.used -= here->second;
  return standing;
}

JobHealth CommandApply::health_now(const JobRecord& job) const {
  const JobEntry* entry = stage_.job_entry(job.id);
  JobHealth health = health_of(job, entry == nullptr ? JobCounts{} : entry->counts);
  const auto here = evicted_.find(job.id);
  if (here != evicted_.end()) health.healthy -= std::min(here->second.tasks, health.healthy);
  health.disrupted = disrupted_of(job);
  return health;
}

CommandApply::Check CommandApply::check_victim(const Evictor& by, HostId host, const Victim& victim) const {
  const TaskRecord* task = stage_.task(victim.task);
  if (task == nullptr) return Error{ErrorCode::not_found, "no live task " + to_text(victim.task)};
  if (task->version != victim.version || task->host != host || !task->is_placed() ||
      task->state >= TaskState::kill_initiated)
    return Error{ErrorCode::precondition_failed, "task " + to_text(victim.task) + " has changed"};
  const JobRecord* job = stage_.job(task->job);
  if (job == nullptr) throw Poison{EntityRef::of(victim.task), "its job does not live"};
  if (right_over(by, *job) == PreemptionRight::none)
    return Error{ErrorCode::precondition_failed,
                 "task " + to_text(victim.task) + " may not be preempted by that one"};
  const DisruptionBudget& budget = job->descriptor->budget;
  if (disruptions_left(budget, health_now(*job), stage_.now()) == 0 ||
      !may_relocate(budget, task->eviction_resubmits))
    return Error{ErrorCode::limit_exceeded,
                 "the disruption budget of job " + to_text(task->job) + " allows no more"};
  return std::nullopt;
}

PreemptionRight CommandApply::right_over(const Evictor& by, const JobRecord& victim) const {
  const JobDescriptor& theirs = *victim.descriptor;
  return right_to_preempt(
      {standing_of(by.descriptor.capacity_group), priority_of(by.descriptor), by.descriptor.resources},
      {standing_of(theirs.capacity_group), priority_of(theirs), theirs.resources});
}

void CommandApply::count_eviction(const JobRecord& job) {
  freed_[job.descriptor->capacity_group] += job.descriptor->resources;
  Evicted& evicted = evicted_[job.id];
  ++evicted.tasks;
  evicted.disrupted = disrupted_after(job.descriptor->budget, disrupted_of(job), stage_.now(), 1);
}

void CommandApply::uncount_eviction(const JobRecord& job, const std::optional<Disruptions>& before) {
  freed_[job.descriptor->capacity_group] -= job.descriptor->resources;
  Evicted& evicted = evicted_[job.id];
  --evicted.tasks;
  evicted.disrupted = before;
}

Disruptions CommandApply::disrupted_of(const JobRecord& job) const {
  const auto here = evicted_.find(job.id);
  return here == evicted_.end() ? job.disrupted : here->second.disrupted.value_or(job.disrupted);
}

/// Counted one by one, so that each sees what the ones before it took; nothing is changed unless all may be.
CommandApply::Check CommandApply::evict(const Evictor& by, HostId host, const std::vector<Victim>& victims) {
  struct Counted {
    JobId job;
    std::optional<Disruptions> before;
    PreemptionRight right;
  };
  std::vector<Counted> counted;
  std::set<TaskId> seen;
  for (const Victim& victim : victims) {
    Check refusal = check_victim(by, host, victim);
    if (!seen.insert(victim.task).second)
      refusal = Error{ErrorCode::invalid_argument, "a task is to be preempted twice"};
    if (refusal) {
      for (auto last = counted.rbegin(); last != counted.rend(); ++last)
        uncount_eviction(*stage_.job(last->job), last->before);
      return refusal;
    }
    const JobRecord& job = *stage_.job(stage_.task(victim.task)->job);
    counted.push_back({job.id, disrupted_of(job), right_over(by, job)});
    count_eviction(job);
  }
  for (std::size_t n = 0; n < victims.size(); ++n) {
    const JobRecord& job = *stage_.job(counted[n].job);
    if (const Disruptions disrupted = disrupted_of(job); !(disrupted == job.disrupted))
      stage_.edit_job(job.id).disrupted = disrupted;
    TaskRecord& edited = stage_.edit_task(victims[n].task);
    enter(edited, TaskState::kill_initiated, Reason::evicted);
    edited.message =
        clipped(fmt::format("preempted by task {} of job {}: {}", to_text(by.task), to_text(by.job),
                            by_right(counted[n].right, by.descriptor.capacity_group)));
  }
  return std::nullopt;
}

Result<void> CommandApply::operator()(const PreemptTasks& body) {
  return each_item(body.items, [&](const PreemptTasks::Item& item) { return preempt(item); });
}

CommandApply::Check CommandApply::preempt(const PreemptTasks::Item& item) {
  const TaskRecord* task = stage_.task(item.task);
  if (task == nullptr) return Error{ErrorCode::not_found, "no live task " + to_text(item.task)};
  if (task->state != TaskState::accepted || task->version != item.task_version)
    return Error{ErrorCode::precondition_failed, "the task has changed"};
  const JobRecord* job = stage_.job(task->job);
  if (job == nullptr) throw Poison{EntityRef::of(item.task), "its job does not live"};
  if (Check refusal = check_host(item.host)) return refusal;
  const JobId id = job->id;
  const DescriptorPtr descriptor = job->descriptor;
  const Evictor by{*descriptor, id, item.task};
  return evict(by, item.host, item.victims);
}

}  // namespace troupe
