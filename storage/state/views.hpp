#pragma once
// What readers see. A view refers into the tables and is valid only inside the call that hands it out, under
// the shared lock of one shard; copy what must outlive it.

#include <span>
#include <vector>

#include "storage/model/records.hpp"

namespace troupe {

/// A slot and its live task, if it is running.
struct SlotEntry {
  SlotRecord record;
  const TaskRecord* live = nullptr;
  std::uint64_t hash = 0;  ///< its share in the shard's hash; empty slots have none
};

/// How a job stands, kept by apply so that nobody has to count.
struct JobCounts {
  std::array<std::uint32_t, task_state_count> tasks{};  ///< live tasks by state; finished is always 0
  std::array<std::uint32_t, 6> slots{};                 ///< by SlotState
  std::uint32_t live() const {
    std::uint32_t sum = 0;
    for (const auto n : tasks) sum += n;
    return sum;
  }
  std::uint32_t closed() const { return in(SlotState::done) + in(SlotState::failed); }
  std::uint32_t in(SlotState state) const { return slots[static_cast<std::size_t>(state)]; }
  std::uint32_t in(TaskState state) const { return tasks[static_cast<std::size_t>(state)]; }
};

/// One job with its slots, by slot number; there are always at least `desired` of them. When a service
/// shrinks, slots that had a task stay: those with a number >= desired are surplus, and reused when it grows
/// again.
struct JobView {
  const JobRecord& record;
  std::span<const SlotEntry> slots;
  const JobCounts& counts;
  RelaunchLimit relaunch_limit{};  ///< none: nothing holds its relaunches back
  BucketRule relaunch_rule() const { return relaunch_limit.rule(record.capacity); }
};

/// As its disruption budget sees it.
inline JobHealth health_of(const JobRecord& job, const JobCounts& counts) {
  const std::uint32_t closed = counts.closed();
  return {job.capacity.desired > closed ? job.capacity.desired - closed : 0, counts.in(TaskState::started),
          job.disrupted};
}
inline JobHealth health_of(const JobView& view) { return health_of(view.record, view.counts); }

/// What the live jobs of a capacity group use.
struct GroupUse {
  std::uint64_t jobs = 0;
  std::uint64_t tasks = 0;
  Resources placed;
  std::uint64_t wanted = 0;    ///< tasks, by the sizes of its jobs
  std::uint64_t starting = 0;  ///< tasks, Launched or StartInitiated
  Resources leaving;           ///< of `placed`, by tasks in KillInitiated
  Resources staying() const {
    Resources rest = placed;
    rest -= leaving;
    return rest;
  }
};

/// One capacity group as it stands.
struct GroupView {
  GroupRecord record;
  GroupCondition condition;
  GroupUse use;
  std::uint64_t waiting = 0;  ///< tasks in Accepted
  Instant waiting_since;      ///< of the one that waits longest; unset: none
  LaunchStanding launches{};
  std::optional<PauseRecord> pause{};  ///< of its scheduling
};

/// One host with what is placed on it.
struct HostView {
  HostRecord record;
  Resources used;             ///< by live tasks placed on it
  std::vector<TaskId> tasks;  ///< live and placed, in id order
  LaunchStanding launches{};
  std::optional<PauseRecord> pause{};  ///< of its scheduling
};

}  // namespace troupe
