// A job that fails over and over costs the cell little, and the other jobs nothing.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

constexpr std::uint32_t not_started_max = 300;  // Of one job, as in Titus.

std::uint32_t not_started(const Client& client, const std::string& job) {
  const Job now = *client.job(job);
  const auto started = now.tasks.find(TaskState::started);
  return now.live() - (started == now.tasks.end() ? 0 : started->second);
}

class RateLimits : public testing::TestWithParam<JobSpec::Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, RateLimits, testing::Values(JobSpec::Kind::batch, JobSpec::Kind::service),
                         [](const auto& kind) {
                           return kind.param == JobSpec::Kind::batch ? "Batch" : "Service";
                         });

TEST_P(RateLimits, ALargeJobHasAtMostThreeHundredTasksThatAreNotStarted) {
  Stage stage(401);
  JobStory job = stage.story.submit(
      {.kind = GetParam(), .size = 900, .memory_mb = 32, .script = "hang", .retry = {.retries = 9}});
  stage.cluster.run_for(seconds(30));
  EXPECT_EQ(not_started(stage.cluster.client(), job.id()), not_started_max);
  EXPECT_EQ(job.tasks_made(), not_started_max);
}

TEST_P(RateLimits, ATaskThatStartsMakesRoomForTheNext) {
  Stage stage(402);
  JobStory job = stage.story.submit(
      {.kind = GetParam(), .size = 900, .memory_mb = 32, .script = "start=2s run=forever"});
  std::uint32_t most = 0;
  stage.story.expect("all run", [&] {
    const Job now = *stage.cluster.client().job(job.id());
    most = std::max(most, not_started(stage.cluster.client(), job.id()));
    return now.tasks.contains(TaskState::started) && now.tasks.at(TaskState::started) == 900;
  });
  EXPECT_LE(most, not_started_max);
  job.expect_running(900);
}

TEST_P(RateLimits, AFailingJobMakesOneTaskASecondAndSlotWhileItsBudgetLasts) {
  Stage stage(403);
  JobStory job =
      stage.story.submit({.kind = GetParam(), .size = 10, .script = "exit=1", .retry = {.retries = 1'000}});
  stage.cluster.run_for(minutes(1));
  // The first of each slot, a burst of twenty, and twenty a minute.
  EXPECT_LE(job.tasks_made(), 10u + 20u + 21u);
  EXPECT_GE(job.tasks_made(), 10u + 20u + 15u);
}

TEST_P(RateLimits, AFailingJobDelaysNoOther) {
  Stage stage(404);
  stage.story.submit(
      {.kind = GetParam(), .size = 300, .memory_mb = 32, .script = "exit=1", .retry = {.retries = 1'000}});
  stage.cluster.run_for(seconds(20));
  const Time before = stage.cluster.now();
  stage.story.submit({.size = 3, .script = "run=10ms exit=0"}).expect(JobState::finished, Reason::normal);
  EXPECT_LE(stage.cluster.now() - before, seconds(2));
}

TEST_P(RateLimits, AJobThatBacksOffGetsRarer) {
  Stage stage(405);
  JobStory job = stage.story.submit({.kind = GetParam(),
                                     .size = 10,
                                     .script = "exit=1",
                                     .retry = {.kind = RetryPolicy::Kind::exponential,
                                               .retries = 100,
                                               .delay = seconds(1),
                                               .delay_max = hours(1)}});
  // After 1, 2, 4, ... 512 seconds.
  stage.cluster.run_for(minutes(18));
  EXPECT_LE(job.tasks_made(), 120u);
  EXPECT_GE(job.tasks_made(), 100u);
}

}  // namespace
}  // namespace troupe::embedded
