#include "actors/cores/slot_policy.hpp"

#include <algorithm>
#include <tuple>

#include "storage/base/planted_bug.hpp"
#include "storage/model/gang.hpp"

namespace troupe::cores {

bool may_retry(const JobDescriptor& job, const SlotRecord& slot) {
  if (is_system_error(slot.last_reason) || slot.last_reason == Reason::evicted) return true;
  const BatchSpec* batch = job.batch();
  if (batch == nullptr) return true;
  if (slot.last_reason == Reason::runtime_limit_exceeded && !batch->retry_on_runtime_limit) return false;
  const std::uint32_t not_counted = slot.system_resubmits + slot.eviction_resubmits;
  const std::uint32_t counted = slot.resubmits > not_counted ? slot.resubmits - not_counted : 0;
  return counted < batch->retry.retries || planted(Bug::retry_counter_reset);
}

milliseconds retry_delay(const RetryPolicy& policy, const SlotRecord& slot) {
  if (slot.last_started.is_set() && slot.last_finished - slot.last_started >= good_run)
    return milliseconds(0);
  milliseconds delay{0};
  switch (policy.kind) {
    case RetryPolicy::Kind::immediate:
      break;
    case RetryPolicy::Kind::delayed:
      delay = policy.delay;
      break;
    case RetryPolicy::Kind::exponential: {
      const auto most = policy.delay_max > milliseconds(0) ? policy.delay_max : retry_delay_cap;
      delay = slot.delay > milliseconds(0) ? 2 * std::min(slot.delay, retry_delay_cap) : policy.delay;
      delay = std::min(delay, most);
      break;
    }
  }
  return std::clamp(delay, retry_delay_min, retry_delay_cap);
}

namespace {

SlotDecision wait_for(const SlotRecord& slot, milliseconds delay) {
  return {SlotState::waiting, slot.last_finished + delay, delay};
}

}  // namespace

std::optional<SlotDecision> decide_ended(const JobDescriptor& job, const Capacity& capacity,
                                         const SlotRecord& slot) {
  if (job.is_batch()) {
    // A gang that did not start is not tried again, task by task.
    if (slot.last_reason == Reason::killed && !slot.last_started.is_set() && slot.resubmits == 0 &&
        gang_patience(job))
      return SlotDecision{SlotState::failed, {}, milliseconds(0)};
    if (slot.last_reason == Reason::normal) return SlotDecision{SlotState::done, {}, milliseconds(0)};
    if (!may_retry(job, slot)) return SlotDecision{SlotState::failed, {}, milliseconds(0)};
    if (slot.last_reason == Reason::evicted) return wait_for(slot, milliseconds(0));
    return wait_for(slot, retry_delay(job.retry(), slot));
  }
  if (slot.number.value >= capacity.desired) return std::nullopt;
  if (planted(Bug::killed_not_replaced) && slot.last_reason == Reason::killed) return std::nullopt;
  // Shrunk away and wanted again, or ended for another's sake: no failure, so no delay.
  if (slot.last_reason == Reason::scaled_down || slot.last_reason == Reason::evicted)
    return wait_for(slot, milliseconds(0));
  return wait_for(slot, retry_delay(job.retry(), slot));
}

namespace {

int shrink_rank(TaskState state) {
  switch (state) {
    case TaskState::accepted:
      return 0;
    case TaskState::launched:
    case TaskState::start_initiated:
      return 1;
    case TaskState::started:
    case TaskState::kill_initiated:
    case TaskState::finished:
      return 2;
  }
  return 2;
}

}  // namespace

std::vector<TaskId> choose_victims(const JobView& view, std::size_t count_max) {
  if (planted(Bug::victims_forgotten)) return {};
  std::vector<const TaskRecord*> surplus;
  for (const SlotEntry& slot : view.slots) {
    if (slot.record.number.value < view.record.capacity.desired || slot.live == nullptr) continue;
    if (slot.live->state < TaskState::kill_initiated) surplus.push_back(slot.live);
  }
  std::sort(surplus.begin(), surplus.end(), [](const TaskRecord* a, const TaskRecord* b) {
    return std::tuple(shrink_rank(a->state), a->created_at, a->slot) <
           std::tuple(shrink_rank(b->state), b->created_at, b->slot);
  });
  if (surplus.size() > count_max) surplus.resize(count_max);
  std::vector<TaskId> victims;
  victims.reserve(surplus.size());
  for (const TaskRecord* task : surplus) victims.push_back(task->id);
  return victims;
}

}  // namespace troupe::cores
