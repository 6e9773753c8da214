#pragma once
// A tiny reference of what apply does with a job's commands, for tests of the cores.

#include <map>
#include <set>
#include <vector>

#include "storage/model/command.hpp"
#include "storage/state/views.hpp"

namespace troupe::test {

class ToyJob {
 public:
  JobRecord job;
  std::vector<SlotRecord> slots;
  std::map<TaskId, TaskRecord> live;
  Instant now{1'000'000};
  std::uint64_t index = 1;
  std::size_t started_tasks = 0;
  std::set<TaskId> ever;
  RelaunchLimit limit;  ///< none

  explicit ToyJob(JobDescriptor descriptor) {
    job.id.bytes[0] = 7;
    job.descriptor = std::make_shared<const JobDescriptor>(std::move(descriptor));
    job.capacity = job.descriptor->initial_capacity();
    job.created = now;
  }

  /// Calls with a view of the moment.
  template <class Call>
  auto with_view(Call call) {
    std::vector<SlotEntry> entries;
    JobCounts counts;
    for (const auto& [id, task] : live) ++counts.tasks[static_cast<std::size_t>(task.state)];
    for (const SlotRecord& slot : slots) {
      const auto at = live.find(slot.task);
      entries.push_back({slot, slot.state == SlotState::running ? &at->second : nullptr});
      ++counts.slots[static_cast<std::size_t>(slot.state)];
    }
    return call(JobView{job, entries, counts, limit});
  }

  /// Positions refused.
  std::vector<ItemRefusal> apply(const CommandBody& body) {
    std::vector<ItemRefusal> refused;
    ++index;
    const auto each = [&](const auto& items, auto take) {
      for (std::size_t i = 0; i < items.size(); ++i)
        if (!take(items[i]))
          refused.push_back({static_cast<std::uint32_t>(i), ErrorCode::precondition_failed, ""});
    };
    if (const auto* b = std::get_if<AdvanceSlots>(&body))
      each(b->items, [&](const auto& i) { return advance(i); });
    if (const auto* b = std::get_if<KillTasks>(&body)) each(b->items, [&](const auto& i) { return kill(i); });
    if (const auto* b = std::get_if<FinishJobs>(&body))
      each(b->items, [&](const auto& i) { return finish(i); });
    if (const auto* b = std::get_if<NoteJobs>(&body)) each(b->items, [&](const auto& i) { return note(i); });
    if (const auto* b = std::get_if<EndTasks>(&body))
      each(b->items, [&](const auto& i) { return end(i.task, i.reason); });
    return refused;
  }

  void move(const TaskId& id, TaskState to) {
    TaskRecord& task = live.at(id);
    task.state = to;
    task.enter(to, {now, Reason::none});
    task.version = Index{++index};
  }
  bool end(const TaskId& id, Reason reason) {
    const auto at = live.find(id);
    if (at == live.end()) return false;
    const TaskRecord& task = at->second;
    SlotRecord& slot = slots[task.slot.value];
    slot.state = SlotState::ended;
    const Step& killed = task.step(TaskState::kill_initiated);
    slot.last_reason = killed.at.is_set() ? killed.reason : reason;
    slot.last_started = task.step(TaskState::started).at;
    slot.last_finished = now;
    live.erase(at);
    return true;
  }

 private:
  bool advance(const AdvanceSlots::Item& item) {
    if (job.state != JobState::accepted || item.slot.value >= job.capacity.desired) return false;
    while (slots.size() <= item.slot.value) {
      SlotRecord fresh;
      fresh.number = SlotNumber{static_cast<std::uint32_t>(slots.size())};
      slots.push_back(fresh);
    }
    SlotRecord& slot = slots[item.slot.value];
    if (slot.task != item.last) return false;
    if (item.to == SlotState::running) return start(slot, item.task);
    if (slot.state != SlotState::ended) return false;
    slot.state = item.to;
    slot.retry_at = item.retry_at;
    slot.delay = item.delay;
    return true;
  }
  bool start(SlotRecord& slot, const TaskId& id) {
    if (slot.state != SlotState::empty && (slot.state != SlotState::waiting || slot.retry_at > now))
      return false;
    const BucketRule rule = limit.rule(job.capacity);
    if (is_budgeted(slot) && !job.relaunches.has_one(rule, now)) return false;
    if (!ever.insert(id).second) return false;
    if (is_budgeted(slot)) job.relaunches.take(rule, now);
    if (!slot.task.is_nil()) {
      ++slot.resubmits;
      if (is_system_error(slot.last_reason)) ++slot.system_resubmits;
      if (slot.last_reason == Reason::evicted) ++slot.eviction_resubmits;
    }
    slot.state = SlotState::running;
    slot.task = id;
    TaskRecord task;
    task.id = id;
    task.job = job.id;
    task.slot = slot.number;
    task.created_at = Index{index};
    task.enter(TaskState::accepted, {now, Reason::none});
    live.emplace(id, task);
    ++started_tasks;
    return true;
  }
  bool note(const NoteJobs::Item& item) {
    if (job.state != JobState::accepted || job.throttled.is_set() == item.throttled) return false;
    job.throttled = item.throttled ? now : Instant{};
    job.throttle_reason = item.reason;
    return true;
  }
  bool kill(const KillTasks::Item& item) {
    const auto at = live.find(item.task);
    if (at == live.end() || at->second.state >= TaskState::kill_initiated) return false;
    const bool was_accepted = at->second.state == TaskState::accepted;
    at->second.state = TaskState::kill_initiated;
    at->second.enter(TaskState::kill_initiated, {now, item.reason});
    if (was_accepted) end(item.task, item.reason);
    return true;
  }
  bool finish(const FinishJobs::Item& item) {
    if (!live.empty() || job.state == JobState::finished) return false;
    if (job.state == JobState::accepted) {
      for (const SlotRecord& slot : slots)
        if (!is_closed(slot.state)) return false;
    }
    job.state = JobState::finished;
    job.reason = item.reason;
    job.message = item.message;
    return true;
  }
};

}  // namespace troupe::test
