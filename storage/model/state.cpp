#include "storage/model/state.hpp"

#include <array>
#include <string>

#include "storage/base/check.hpp"

namespace troupe {
namespace {

constexpr std::array<std::string_view, 3> job_states{"Accepted", "KillInitiated", "Finished"};
constexpr std::array<std::string_view, task_state_count> task_states{
    "Accepted", "Launched", "StartInitiated", "Started", "KillInitiated", "Finished"};
constexpr std::array<std::string_view, 18> reasons{"",
                                                   "normal",
                                                   "failed",
                                                   "killed",
                                                   "evicted",
                                                   "scaledDown",
                                                   "stuckInState",
                                                   "stuckInKillingState",
                                                   "runtimeLimitExceeded",
                                                   "lost",
                                                   "invalidRequest",
                                                   "crashed",
                                                   "transientSystemError",
                                                   "localSystemError",
                                                   "unknownSystemError",
                                                   "filledIn",
                                                   "jobSubmitted",
                                                   "unknown"};
static_assert(reasons.size() == static_cast<std::size_t>(Reason::unknown) + 1);

template <class Enum, std::size_t N>
std::string_view text_of(const std::array<std::string_view, N>& names, Enum value) {
  TROUPE_CHECK(static_cast<std::size_t>(value) < N);
  return names[static_cast<std::size_t>(value)];
}

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == text) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::string_view state_text(JobState state) { return text_of(job_states, state); }
std::string_view state_text(TaskState state) { return text_of(task_states, state); }
std::string_view reason_text(Reason reason) { return text_of(reasons, reason); }
std::optional<JobState> job_state_from_text(std::string_view text) {
  return value_of<JobState>(job_states, text);
}
std::optional<TaskState> task_state_from_text(std::string_view text) {
  return value_of<TaskState>(task_states, text);
}
std::optional<Reason> reason_from_text(std::string_view text) { return value_of<Reason>(reasons, text); }

}  // namespace troupe
