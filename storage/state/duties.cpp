#include "storage/state/duties.hpp"

#include <algorithm>

#include "storage/base/planted_bug.hpp"
#include "storage/model/gang.hpp"

namespace troupe {
namespace {

Due earlier(Due a, Due b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

Due slot_duty(const SlotEntry& slot, const JobView& job) {
  const bool wanted = slot.record.number.value < job.record.capacity.desired;
  switch (slot.record.state) {
    case SlotState::empty:
      return wanted ? Due(due_now) : std::nullopt;
    case SlotState::ended:
      return wanted ? Due(due_now) : std::nullopt;
    case SlotState::waiting:
      return wanted && !planted(Bug::retry_duty_lost) ? Due(waiting_due(slot.record, job)) : std::nullopt;
    case SlotState::running: {
      const bool surplus = !wanted && slot.live != nullptr && slot.live->state < TaskState::kill_initiated;
      return surplus && !planted(Bug::surplus_duty_lost) ? Due(due_now) : std::nullopt;
    }
    case SlotState::done:
    case SlotState::failed:
      return std::nullopt;
  }
  return std::nullopt;
}

/// While all its slots are wanted their counts tell nearly all of it: what is empty or ended is due now, what
/// is running or closed never. nullopt: the slots must be looked at.
std::optional<Due> duty_by_counts(const JobView& job) {
  if (job.slots.size() != job.record.capacity.desired) return std::nullopt;
  if (job.counts.in(SlotState::empty) + job.counts.in(SlotState::ended) > 0) return Due(due_now);
  if (job.counts.in(SlotState::waiting) == 0) return Due();
  return std::nullopt;
}

Due killing_duty(const JobView& job) {
  const std::uint32_t live = job.counts.live();
  return live == 0 || live > job.counts.in(TaskState::kill_initiated) ? Due(due_now) : std::nullopt;
}

}  // namespace

bool is_budgeted(const SlotRecord& slot) {
  if (slot.task.is_nil()) return false;
  switch (slot.last_reason) {
    case Reason::scaled_down:
    case Reason::killed:
    case Reason::evicted:
    case Reason::lost:
      return false;
    default:
      return !slot.last_started.is_set() || slot.last_finished - slot.last_started < good_run;
  }
}

Instant waiting_due(const SlotRecord& slot, const JobView& job) {
  const BucketRule rule = job.relaunch_rule();
  // Before it is throttled, its actor is to say so as soon as the bucket holds a slot back.
  if (!job.record.throttled.is_set() || rule.is_none() || !is_budgeted(slot)) return slot.retry_at;
  return std::max(slot.retry_at, job.record.relaunches.next_at(rule));
}

Due throttle_over(const JobView& job) {
  if (!job.record.throttled.is_set()) return std::nullopt;
  return job.relaunch_rule().is_none() ? due_now : job.record.relaunches.full_at();
}

Due job_duty(const JobView& job) {
  if (!job.record.set_aside.empty() || job.record.state == JobState::finished) return std::nullopt;
  if (job.record.state == JobState::kill_initiated) return killing_duty(job);
  if (job.record.descriptor->is_batch() && job.counts.closed() >= job.record.capacity.desired) return due_now;
  Due due = throttle_over(job);
  if (const auto by_counts = duty_by_counts(job)) return earlier(due, *by_counts);
  for (const SlotEntry& slot : job.slots) {
    due = earlier(due, slot_duty(slot, job));
    if (due == Due(due_now)) break;
  }
  return due;
}

Due task_duty(const TaskRecord& task, const JobDescriptor& descriptor, const CellPolicy& policy) {
  if (!task.set_aside.empty()) return std::nullopt;
  const Instant since = task.step(task.state).at;
  switch (task.state) {
    case TaskState::accepted:
      // The scheduler's queue cares for it, unless it is to start with others or not at all.
      if (const auto patience = gang_patience(descriptor); patience && starts_with_gang(task))
        return since + *patience;
      return std::nullopt;
    case TaskState::launched:
      return since + policy.launched_max;
    case TaskState::start_initiated:
      return since + policy.start_initiated_max;
    case TaskState::started:
      // A limit of 0 is none.
      return descriptor.is_batch() && descriptor.batch()->runtime_limit.count() > 0
                 ? Due(since + descriptor.batch()->runtime_limit)
                 : std::nullopt;
    case TaskState::kill_initiated:
      return since + policy.kill_initiated_max;
    case TaskState::finished:
      return std::nullopt;
  }
  return std::nullopt;
}

Due host_duty(const HostRecord& host, std::size_t orders, std::size_t placed, NodeId owner,
              const CellPolicy& policy) {
  if (!host.set_aside.empty()) return std::nullopt;
  if (host.is_connected()) return orders > 0 || host.session_node != owner ? Due(due_now) : std::nullopt;
  return placed > 0 && !planted(Bug::lost_host_duty_lost) ? Due(host.disconnected + policy.host_lost_after)
                                                          : std::nullopt;
}

}  // namespace troupe
