#pragma once
// A task's deadlines: stuck on its way up, over its runtime limit, stuck on its way down.

#include <variant>
#include <vector>

#include "actors/cores/proposal_gate.hpp"
#include "storage/model/records.hpp"

namespace troupe::cores {

/// What a task's core looks at; valid during the call.
struct TaskView {
  const TaskRecord& task;
  const JobDescriptor& descriptor;
  const CellPolicy& policy;
  Instant cared_since{};  ///< from when on this node could hear the task's agent; unset: always
};

/// What agents have to say after nobody could hear them is heard before anything is overdue: a cell that was
/// down for hours must not kill what went well meanwhile.
inline constexpr milliseconds hearing_grace{60'000};

/// When the state that the task is in must end, if ever. This is also its duty, but for the grace.
std::optional<Instant> task_deadline(const TaskView& view);

using TaskEvent = std::variant<Look, Settled>;
using TaskEffect = std::variant<Propose, WakeAt, Rest>;

/// Owner: the task's actor on the owner of its shard. Pure; keeps only the outstanding proposal and the pause
/// after a refused one. Each call answers with nothing (a proposal is outstanding), or with exactly one
/// effect.
class TaskCore {
 public:
  std::vector<TaskEffect> on(Instant now, const TaskView& view, const TaskEvent& event);

 private:
  ProposalGate gate_;
};

}  // namespace troupe::cores
