#pragma once
// The two state machines and why they move.

#include <cstdint>
#include <optional>
#include <string_view>

namespace troupe {

//   accepted ──> kill_initiated ──> finished        A batch job with nothing left to do goes accepted ──>
//   finished.
enum class JobState : std::uint8_t { accepted, kill_initiated, finished };
constexpr JobState max_value(JobState) { return JobState::finished; }

//   accepted ─> launched ─> start_initiated ─> started ─> kill_initiated ─> finished
//      └───────────┴──────────────┴───────────────┴────────────────────────────^
// Only forward; any state may be skipped (then it is filled in).
enum class TaskState : std::uint8_t {
  accepted,
  launched,
  start_initiated,
  started,
  kill_initiated,
  finished
};
constexpr TaskState max_value(TaskState) { return TaskState::finished; }
constexpr std::size_t task_state_count = 6;

constexpr bool may_move(TaskState from, TaskState to) { return to > from; }
constexpr bool may_move(JobState from, JobState to) { return to > from; }
static_assert(!may_move(TaskState::finished, TaskState::started));
static_assert(!may_move(JobState::kill_initiated, JobState::accepted));

/// Titus' reason codes.
enum class Reason : std::uint8_t {
  none,
  normal,
  failed,
  killed,
  evicted,
  scaled_down,
  stuck_in_state,
  stuck_in_killing_state,
  runtime_limit_exceeded,
  lost,
  invalid_request,
  crashed,
  transient_system_error,
  local_system_error,
  unknown_system_error,
  filled_in,
  job_submitted,
  unknown,
};
constexpr Reason max_value(Reason) { return Reason::unknown; }

/// Not the user's fault: retried without being counted.
constexpr bool is_system_error(Reason reason) {
  return reason == Reason::stuck_in_state || reason == Reason::crashed ||
         reason == Reason::transient_system_error || reason == Reason::local_system_error ||
         reason == Reason::unknown_system_error || reason == Reason::lost;
}

std::string_view state_text(JobState state);   ///< "Accepted", "KillInitiated", "Finished"
std::string_view state_text(TaskState state);  ///< "Accepted", "Launched", "StartInitiated", ...
std::string_view reason_text(Reason reason);   ///< "normal", "scaledDown", "runtimeLimitExceeded", ...
std::optional<JobState> job_state_from_text(std::string_view text);
std::optional<TaskState> task_state_from_text(std::string_view text);
std::optional<Reason> reason_from_text(std::string_view text);

}  // namespace troupe
