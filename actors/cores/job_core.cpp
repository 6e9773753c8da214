#include "actors/cores/job_core.hpp"

#include <algorithm>

#include "actors/cores/slot_policy.hpp"

namespace troupe::cores {
namespace {

/// What a pass over an accepted job's slots found.
struct Slots {
  AdvanceSlots advance;
  std::optional<Instant> wake;
  std::uint32_t may_start = 0;
  TokenBucket relaunches{};          ///< as it will be after `advance`
  const SlotRecord* held = nullptr;  ///< one that the bucket holds back
};

std::uint32_t not_started(const JobCounts& counts) { return counts.live() - counts.in(TaskState::started); }

/// By the counts alone: spares the walk over the slots for the many events that ask nothing of the job.
bool is_steady(const JobView& view) {
  const auto& c = view.counts;
  if (view.record.throttled.is_set()) return false;
  const std::uint32_t settled = c.in(SlotState::running) + c.in(SlotState::done) + c.in(SlotState::failed);
  if (c.in(SlotState::ended) != 0 || c.in(SlotState::waiting) != 0 || c.in(SlotState::empty) != 0)
    return false;
  if (settled < view.record.capacity.desired || view.slots.size() > view.record.capacity.desired)
    return false;
  return !view.record.descriptor->is_batch() || c.in(SlotState::running) != 0;
}

void start(Instant now, const JobView& view, const SlotRecord& slot, Random& random, Slots& found) {
  if (found.may_start == 0) return;
  if (is_budgeted(slot)) {
    const BucketRule rule = view.relaunch_rule();
    if (!found.relaunches.has_one(rule, now)) {
      found.held = &slot;
      return;
    }
    found.relaunches.take(rule, now);
  }
  --found.may_start;
  AdvanceSlots::Item item;
  item.job = view.record.id;
  item.slot = slot.number;
  item.last = slot.task;
  item.to = SlotState::running;
  item.task = random.task_of(view.record.id);
  found.advance.items.push_back(item);
}

void decide(const JobView& view, const SlotRecord& slot, Slots& found) {
  const auto decision = decide_ended(*view.record.descriptor, view.record.capacity, slot);
  if (!decision) return;
  AdvanceSlots::Item item;
  item.job = view.record.id;
  item.slot = slot.number;
  item.last = slot.task;
  item.to = decision->to;
  item.retry_at = decision->retry_at;
  item.delay = decision->delay;
  found.advance.items.push_back(item);
}

void visit(Instant now, const JobView& view, const SlotRecord& slot, Random& random, Slots& found) {
  switch (slot.state) {
    case SlotState::empty:
      return start(now, view, slot, random, found);
    case SlotState::waiting: {
      const Instant due = waiting_due(slot, view);
      if (due <= now) return start(now, view, slot, random, found);
      found.wake = std::min(found.wake.value_or(due), due);
      return;
    }
    case SlotState::ended:
      return decide(view, slot, found);
    case SlotState::running:
    case SlotState::done:
    case SlotState::failed:
      return;
  }
}

/// Slots below the desired size, those that have no record yet included.
Slots walk(Instant now, const JobView& view, Random& random) {
  Slots found;
  found.relaunches = view.record.relaunches;
  const std::uint32_t busy = not_started(view.counts);
  found.may_start = JobCore::not_started_max - std::min(busy, JobCore::not_started_max);
  auto next = view.slots.begin();
  for (std::uint32_t number = 0; number < view.record.capacity.desired; ++number) {
    if (found.advance.items.size() >= JobCore::items_max) break;
    if (next != view.slots.end() && next->record.number.value == number) {
      visit(now, view, (next++)->record, random, found);
      continue;
    }
    SlotRecord fresh;
    fresh.number = SlotNumber{number};
    visit(now, view, fresh, random, found);
  }
  return found;
}

/// A job whose relaunches wait for its budget is said to be throttled, until the bucket is full again.
std::optional<CommandBody> note_throttle(Instant now, const JobView& view, Slots& found) {
  if (!view.record.throttled.is_set()) {
    if (found.held == nullptr) return std::nullopt;
    const BucketRule rule = view.relaunch_rule();
    std::string reason =
        "its tasks keep failing, the last one as " + std::string(reason_text(found.held->last_reason)) +
        " with exit code " + std::to_string(found.held->last_exit_code) + ": relaunches are held to " +
        std::to_string(rule.per_minute) + " a minute, " + std::to_string(rule.burst) + " at once";
    return NoteJobs{{{view.record.id, true, std::move(reason)}}};
  }
  const Due over = throttle_over(view);
  if (over && *over <= now) return NoteJobs{{{view.record.id, false, {}}}};
  if (over) found.wake = std::min(found.wake.value_or(*over), *over);
  return std::nullopt;
}

KillTasks kill_all(const std::vector<TaskId>& tasks, Reason reason, const std::string& message) {
  KillTasks body;
  for (const TaskId& task : tasks) body.items.push_back({task, reason, message});
  return body;
}

std::vector<TaskId> not_yet_killed(const JobView& view) {
  std::vector<TaskId> tasks;
  for (const SlotEntry& slot : view.slots) {
    if (tasks.size() >= JobCore::items_max) break;
    if (slot.live != nullptr && slot.live->state < TaskState::kill_initiated) tasks.push_back(slot.live->id);
  }
  return tasks;
}

/// The body to propose for a job that is being killed; none while its tasks are on their way down.
std::optional<CommandBody> end_killed(const JobView& view) {
  if (view.counts.live() == 0) {
    return FinishJobs{{{view.record.id, Reason::killed, "killed"}}};
  }
  const auto tasks = not_yet_killed(view);
  if (tasks.empty()) return std::nullopt;
  return kill_all(tasks, Reason::killed, "its job was killed");
}

std::optional<CommandBody> finish_batch(const JobView& view) {
  const std::uint32_t size = view.record.capacity.desired;
  const std::uint32_t failed = view.counts.in(SlotState::failed);
  if (!view.record.descriptor->is_batch() || view.counts.live() != 0) return std::nullopt;
  if (view.counts.in(SlotState::done) + failed < size) return std::nullopt;
  if (failed == 0) return FinishJobs{{{view.record.id, Reason::normal, "all slots done"}}};
  const std::string message = std::to_string(failed) + " of " + std::to_string(size) + " slots failed";
  return FinishJobs{{{view.record.id, Reason::failed, message}}};
}

std::size_t items_of(const CommandBody& body) {
  if (const auto* kill = std::get_if<KillTasks>(&body)) return kill->items.size();
  if (const auto* advance = std::get_if<AdvanceSlots>(&body)) return advance->items.size();
  return 1;
}

}  // namespace

std::vector<JobEffect> JobCore::on(Instant now, const JobView& view, const JobEvent& event) {
  if (const auto* settled = std::get_if<Settled>(&event)) gate_.settle(now, *settled);
  if (gate_.is_waiting()) return {};
  return look(now, view);
}

std::vector<JobEffect> JobCore::look(Instant now, const JobView& view) {
  if (!view.record.set_aside.empty() || view.record.state == JobState::finished) return {Rest{}};
  std::optional<CommandBody> body;
  std::optional<Instant> wake;
  const bool is_accepted = view.record.state == JobState::accepted;
  if (is_accepted && is_steady(view)) return {Rest{}};
  if (!gate_.is_open(now)) return {WakeAt{gate_.open_at()}};
  if (is_accepted) {
    const auto victims = choose_victims(view, items_max);
    if (!victims.empty()) {
      body = kill_all(victims, Reason::scaled_down, "the job was scaled down");
    } else if (Slots found = walk(now, view, random_); !found.advance.items.empty()) {
      body = std::move(found.advance);
    } else if (body = finish_batch(view); !body) {
      body = note_throttle(now, view, found);
      wake = found.wake;
    }
  } else {
    body = end_killed(view);
  }
  if (body) {
    const std::size_t items = items_of(*body);
    return {gate_.propose(std::move(*body), items)};
  }
  if (wake) return {WakeAt{*wake}};
  return {Rest{}};
}

}  // namespace troupe::cores
