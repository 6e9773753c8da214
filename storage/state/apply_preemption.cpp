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

/// Counted one by one, so that each sees what the ones before it took.
CommandApply::Check CommandApply::count_evictions(const Evictor& by, HostId host,
                                                  const std::vector<Victim>& victims, Evictions& counted) {
  std::set<TaskId> seen;
  for (const Victim& victim : victims) {
    Check refusal = check_victim(by, host, victim);
    if (!seen.insert(victim.task).second)
      refusal = Error{ErrorCode::invalid_argument, "a task is to be preempted twice"};
    if (refusal) {
      uncount_evictions(counted);
      counted.clear();
      return refusal;
    }
    const JobRecord& job = *stage_.job(stage_.task(victim.task)->job);
    counted.push_back({victim.task, job.id, disrupted_of(job), right_over(by, job)});
    count_eviction(job);
  }
  return std::nullopt;
}

void CommandApply::uncount_evictions(const Evictions& counted) {
  for (auto last = counted.rbegin(); last != counted.rend(); ++last)
    uncount_eviction(*stage_.job(last->job), last->before);
}

void CommandApply::end_victims(const Evictor& by, const Evictions& counted) {
  for (const Eviction& eviction : counted) {
    const JobRecord& job = *stage_.job(eviction.job);
    if (const Disruptions disrupted = disrupted_of(job); !(disrupted == job.disrupted))
      stage_.edit_job(job.id).disrupted = disrupted;
    TaskRecord& edited = stage_.edit_task(eviction.victim);
    enter(edited, TaskState::kill_initiated, Reason::evicted);
    edited.message =
        clipped(fmt::format("preempted by task {} of job {}: {}", to_text(by.task), to_text(by.job),
                            by_right(eviction.right, by.descriptor.capacity_group)));
  }
}

CommandApply::Check CommandApply::evict(const Evictor& by, HostId host, const std::vector<Victim>& victims) {
  Evictions counted;
  if (Check refusal = count_evictions(by, host, victims, counted)) return refusal;
  end_victims(by, counted);
  return std::nullopt;
}

Result<void> CommandApply::operator()(const PreemptTasks& body) {
  std::size_t together = 0;
  for (const std::uint32_t count : body.together) {
    if (count > body.items.size() - together)
      return Error{ErrorCode::invalid_argument, "more tasks are to be preempted for together than there are"};
    const Check refusal = preempt_together(&body.items[together], count);
    for (std::size_t n = 0; refusal && n < count; ++n)
      outcome_.refused.push_back({static_cast<std::uint32_t>(together + n), refusal->code, refusal->message});
    together += count;
  }
  for (std::size_t n = together; n < body.items.size(); ++n)
    if (Check refusal = preempt(body.items[n]))
      outcome_.refused.push_back({static_cast<std::uint32_t>(n), refusal->code, std::move(refusal->message)});
  return {};
}

CommandApply::Check CommandApply::check_evictor(const PreemptTasks::Item& item) const {
  const TaskRecord* task = stage_.task(item.task);
  if (task == nullptr) return Error{ErrorCode::not_found, "no live task " + to_text(item.task)};
  if (task->state != TaskState::accepted || task->version != item.task_version)
    return Error{ErrorCode::precondition_failed, "the task has changed"};
  const JobRecord* job = stage_.job(task->job);
  if (job == nullptr) throw Poison{EntityRef::of(item.task), "its job does not live"};
  if (Check refusal = check_pauses(item.host, job->descriptor->capacity_group)) return refusal;
  return check_host(item.host);
}

CommandApply::Check CommandApply::preempt(const PreemptTasks::Item& item) {
  if (Check refusal = check_evictor(item)) return refusal;
  const JobId id = stage_.task(item.task)->job;
  const DescriptorPtr descriptor = stage_.job(id)->descriptor;
  return evict({*descriptor, id, item.task}, item.host, item.victims);
}

/// Nobody ends unless all may.
CommandApply::Check CommandApply::preempt_together(const PreemptTasks::Item* first, std::size_t count) {
  std::vector<DescriptorPtr> descriptors;
  std::vector<std::pair<Evictor, Evictions>> all;
  std::set<TaskId> seen;
  for (std::size_t n = 0; n < count; ++n) {
    Check refusal = check_evictor(first[n]);
    bool is_named_once = seen.insert(first[n].task).second;
    for (const Victim& victim : first[n].victims) is_named_once &= seen.insert(victim.task).second;
    if (!is_named_once)
      refusal = Error{ErrorCode::invalid_argument, "a task is named twice by those who start together"};
    if (!refusal) {
      const JobId id = stage_.task(first[n].task)->job;
      descriptors.push_back(stage_.job(id)->descriptor);
      all.emplace_back(Evictor{*descriptors.back(), id, first[n].task}, Evictions{});
      refusal = count_evictions(all.back().first, first[n].host, first[n].victims, all.back().second);
    }
    if (!refusal) continue;
    for (auto last = all.rbegin(); last != all.rend(); ++last) uncount_evictions(last->second);
    refusal->message = "of its gang one can get no room: " + refusal->message;
    return refusal;
  }
  for (const auto& [by, counted] : all) end_victims(by, counted);
  return std::nullopt;
}

}  // namespace troupe
