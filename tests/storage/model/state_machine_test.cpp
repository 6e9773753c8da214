#include <gtest/gtest.h>

#include <set>

#include "storage/model/records.hpp"
#include "storage/model/state.hpp"

namespace troupe {
namespace {

TEST(TaskStates, OnlyMoveForward) {
  for (int from = 0; from < static_cast<int>(task_state_count); ++from)
    for (int to = 0; to < static_cast<int>(task_state_count); ++to)
      EXPECT_EQ(may_move(static_cast<TaskState>(from), static_cast<TaskState>(to)), from < to);
}

TEST(JobStates, OnlyMoveForward) {
  EXPECT_TRUE(may_move(JobState::accepted, JobState::kill_initiated));
  EXPECT_TRUE(may_move(JobState::accepted, JobState::finished));
  EXPECT_TRUE(may_move(JobState::kill_initiated, JobState::finished));
  EXPECT_FALSE(may_move(JobState::finished, JobState::accepted));
  EXPECT_FALSE(may_move(JobState::accepted, JobState::accepted));
}

TEST(StateNames, LeadBackToTheStateAndAreTitus) {
  std::set<std::string_view> names;
  for (int n = 0; n < static_cast<int>(task_state_count); ++n) {
    const auto state = static_cast<TaskState>(n);
    EXPECT_TRUE(names.insert(state_text(state)).second);
    EXPECT_EQ(task_state_from_text(state_text(state)), state);
  }
  for (const auto state : {JobState::accepted, JobState::kill_initiated, JobState::finished})
    EXPECT_EQ(job_state_from_text(state_text(state)), state);
  EXPECT_EQ(state_text(TaskState::start_initiated), "StartInitiated");
  EXPECT_EQ(state_text(JobState::kill_initiated), "KillInitiated");
  EXPECT_EQ(task_state_from_text("Lost"), std::nullopt);
}

TEST(ReasonCodes, LeadBackToTheReason) {
  std::set<std::string_view> names;
  for (int n = 0; n <= static_cast<int>(Reason::unknown); ++n) {
    const auto reason = static_cast<Reason>(n);
    EXPECT_TRUE(names.insert(reason_text(reason)).second);
    EXPECT_EQ(reason_from_text(reason_text(reason)), reason);
  }
  EXPECT_EQ(reason_text(Reason::stuck_in_killing_state), "stuckInKillingState");
  EXPECT_EQ(reason_from_text("bored"), std::nullopt);
}

TEST(ReasonCodes, ASystemErrorIsNotTheUsersFault) {
  const std::set<Reason> system{Reason::stuck_in_state,         Reason::crashed,
                                Reason::transient_system_error, Reason::local_system_error,
                                Reason::unknown_system_error,   Reason::lost};
  for (int n = 0; n <= static_cast<int>(Reason::unknown); ++n)
    EXPECT_EQ(is_system_error(static_cast<Reason>(n)), system.contains(static_cast<Reason>(n)))
        << reason_text(static_cast<Reason>(n));
}

TEST(HostPhases, LeadBackToThePhase) {
  for (const auto phase : {HostPhase::active, HostPhase::draining, HostPhase::quarantined})
    EXPECT_EQ(host_phase_from_text(phase_text(phase)), phase);
  EXPECT_EQ(host_phase_from_text("active"), std::nullopt);
}

}  // namespace
}  // namespace troupe
