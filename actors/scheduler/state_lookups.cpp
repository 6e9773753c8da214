#include "actors/scheduler/state_lookups.hpp"

#include <algorithm>
#include <utility>

#include "storage/model/gang.hpp"
#include "storage/model/preemption.hpp"
#include "storage/state/duties.hpp"

namespace troupe {
namespace {

std::vector<scheduler::Lookups::Place> places_of(const Reads& reads, const JobId& job) {
  std::vector<scheduler::Lookups::Place> places;
  reads.with_job(job, [&](const JobView& view) {
    for (const SlotEntry& slot : view.slots)
      if (slot.live != nullptr && slot.live->is_placed()) places.emplace_back(slot.live->id, slot.live->host);
  });
  return places;
}

bool is_exclusive(const Reads& reads, HostId id) {
  const auto host = reads.host(id);
  if (!host) return false;
  return std::any_of(host->tasks.begin(), host->tasks.end(), [&](const TaskId& task) {
    const auto facts = reads.task(task);
    if (!facts) return false;
    const auto& constraints = facts->descriptor->hard_constraints;
    const auto asked = constraints.find("exclusiveHost");
    return asked != constraints.end() && asked->second == "true";
  });
}

void running_on(const Reads& reads, HostId id, std::vector<scheduler::RunningTask>& tasks) {
  const auto host = reads.host(id);
  if (!host) return;
  for (const TaskId& task : host->tasks) {
    const auto facts = reads.task(task);
    if (!facts || !facts->record.is_placed()) continue;
    const TaskRecord& record = facts->record;
    const Step started = record.step(TaskState::started);
    tasks.push_back(
        {task, record.job, record.version, facts->descriptor, priority_of(*facts->descriptor),
         started.at.is_set() ? started.at : record.step(TaskState::launched).at,
         record.state == TaskState::kill_initiated,
         may_relocate(facts->descriptor->budget, record.eviction_resubmits) && record.set_aside.empty()});
  }
}

std::uint32_t left_of_budget(const Reads& reads, const JobId& job, Instant now) {
  std::uint32_t left = 0;
  reads.with_job(job, [&](const JobView& view) {
    left = disruptions_left(view.record.descriptor->budget, health_of(view), now);
  });
  return left;
}

}  // namespace

scheduler::Lookups lookups_in(const ContextPtr& context, std::function<bool()> may_preempt) {
  return {[context](const JobId& job) { return places_of(context->reads(), job); },
          [context](HostId host) { return is_exclusive(context->reads(), host); },
          [context, may_preempt = std::move(may_preempt)](HostId host, auto& tasks) {
            if (may_preempt()) running_on(context->reads(), host, tasks);
          },
          [context](const JobId& job) { return left_of_budget(context->reads(), job, context->now()); }};
}

std::uint32_t gang_size(const Reads& reads, const JobId& job, const JobDescriptor& descriptor) {
  std::uint32_t size = 0;
  if (!gang_patience(descriptor)) return size;
  reads.with_job(job, [&](const JobView& view) {
    const bool has_started = std::any_of(view.slots.begin(), view.slots.end(), [](const SlotEntry& slot) {
      return slot.record.resubmits > 0 || is_closed(slot.record.state) ||
             (slot.live != nullptr && slot.live->is_placed());
    });
    size = has_started ? 0 : view.record.capacity.desired;
  });
  return size;
}

bool follows_crash(const Reads& reads, const JobId& job, SlotNumber slot) {
  bool follows = false;
  reads.with_job(job, [&](const JobView& view) {
    const auto found = std::lower_bound(
        view.slots.begin(), view.slots.end(), slot,
        [](const SlotEntry& entry, SlotNumber wanted) { return entry.record.number < wanted; });
    follows = found != view.slots.end() && found->record.number == slot && found->record.resubmits > 0 &&
              found->record.last_reason == Reason::failed && is_budgeted(found->record);
  });
  return follows;
}

}  // namespace troupe
