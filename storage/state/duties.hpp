#pragma once
// When has an entity something to do? Evaluated after each change, kept in the attention index. The cores in
// actors/cores act on the same conditions; a checker in the tests holds both together.

#include <optional>

#include "storage/state/views.hpp"

namespace troupe {

/// Due at once.
inline constexpr Instant due_now{0};
using Due = std::optional<Instant>;  ///< nullopt: nothing to do until something changes

/// Started for so long, a task was no failure: no delay, and no token of the job's budget for the next one.
inline constexpr milliseconds good_run{300'000};
/// Does the slot's next task follow a failure, so that it takes a token of its job's budget? Not what the
/// user, the cell or a lost host ended.
bool is_budgeted(const SlotRecord& slot);
/// When a slot in SlotState::waiting is to be looked at.
Instant waiting_due(const SlotRecord& slot, const JobView& job);
/// Set: a job that is throttled is to be told so no more, then or already.
Due throttle_over(const JobView& job);

Due job_duty(const JobView& job);
Due task_duty(const TaskRecord& task, const JobDescriptor& descriptor, const CellPolicy& policy);
/// `orders`: live tasks placed on the host that are Launched or KillInitiated; `placed`: all live ones;
/// `owner`: of the host's shard. A session that another node holds is the new owner's to replace or to close.
Due host_duty(const HostRecord& host, std::size_t orders, std::size_t placed, NodeId owner,
              const CellPolicy& policy);

/// A group whose oldest waiting task has waited this long gets an alert, which is looked at again as often.
inline constexpr milliseconds group_patience{60'000};
/// `waiting_since`: of the group's task that has waited longest; unset: none waits.
inline Due group_duty(const GroupCondition& condition, Instant waiting_since) {
  if (!condition.set_aside.empty()) return std::nullopt;
  if (condition.is_raised()) return waiting_since.is_set() ? condition.noted + group_patience : due_now;
  return waiting_since.is_set() ? Due(waiting_since + group_patience) : std::nullopt;
}

}  // namespace troupe
