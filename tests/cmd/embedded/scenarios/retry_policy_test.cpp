// When a task that ended is followed by another: every policy, under virtual time.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

class RetryPolicies : public testing::TestWithParam<JobSpec::Kind> {
 protected:
  JobStory submit(Scenario& story, RetryPolicy retry, const std::string& script = "run=100ms exit=1") {
    return story.submit({.kind = GetParam(), .script = script, .retry = retry});
  }
  bool is_batch() const { return GetParam() == JobSpec::Kind::batch; }
};
INSTANTIATE_TEST_SUITE_P(Kinds, RetryPolicies, testing::Values(JobSpec::Kind::batch, JobSpec::Kind::service),
                         [](const auto& kind) {
                           return kind.param == JobSpec::Kind::batch ? "Batch" : "Service";
                         });

TEST_P(RetryPolicies, ImmediateWaitsForTheLeastDelay) {
  Stage stage(301);
  JobStory job = submit(stage.story, {.retries = 3});
  for (std::uint32_t resubmit = 0; resubmit < 3; ++resubmit) expect_delay(job.task(0, resubmit), seconds(1));
  if (is_batch()) {
    job.expect(JobState::finished, Reason::failed).expect_tasks_made(4, minutes(5));
  } else {
    job.task(0, 10).expect(TaskState::started);
  }
}

TEST_P(RetryPolicies, DelayedWaitsAsLongAsItSays) {
  Stage stage(302);
  JobStory job =
      submit(stage.story, {.kind = RetryPolicy::Kind::delayed, .retries = 3, .delay = seconds(15)});
  for (std::uint32_t resubmit = 0; resubmit < 3; ++resubmit) expect_delay(job.task(0, resubmit), seconds(15));
  if (is_batch()) job.expect(JobState::finished, Reason::failed).expect_tasks_made(4, minutes(5));
}

TEST_P(RetryPolicies, ExponentialDoublesUpToItsCap) {
  Stage stage(303);
  JobStory job = submit(
      stage.story,
      {.kind = RetryPolicy::Kind::exponential, .retries = 5, .delay = seconds(2), .delay_max = seconds(12)});
  std::uint32_t resubmit = 0;
  for (const int delay : {2, 4, 8, 12, 12}) expect_delay(job.task(0, resubmit++), seconds(delay));
  if (is_batch()) job.expect(JobState::finished, Reason::failed).expect_tasks_made(6, minutes(5));
}

TEST_P(RetryPolicies, ExponentialGoesOnWhereItWasAfterAFailover) {
  Stage stage(304);
  JobStory job = submit(
      stage.story,
      {.kind = RetryPolicy::Kind::exponential, .retries = 9, .delay = seconds(2), .delay_max = minutes(10)});
  std::uint32_t resubmit = 0;
  for (const int delay : {2, 4}) expect_delay(job.task(0, resubmit++), seconds(delay));
  job.task(0, resubmit).expect(TaskState::finished, Reason::failed);
  for (std::uint32_t node = 1; node <= 3; ++node) {
    stage.cluster.crash_node(node);
    stage.cluster.restart_node(node);
    stage.cluster.await_settled();
  }
  job.task(0, resubmit + 1).expect(TaskState::started);
  EXPECT_GE(delay_before(job.task(0, resubmit + 1), job.task(0, resubmit)), seconds(8));
  ++resubmit;
  for (const int delay : {16, 32}) expect_delay(job.task(0, resubmit++), seconds(delay));
}

TEST_P(RetryPolicies, ALongRunStartsAnew) {
  Stage stage(305);
  Scenario story(stage.cluster, minutes(10));
  JobStory job = submit(
      story,
      {.kind = RetryPolicy::Kind::exponential, .retries = 9, .delay = seconds(4), .delay_max = minutes(10)},
      "run=6m exit=1");
  TaskStory task = job.task();
  expect_delay(task, milliseconds(0));
  expect_delay(task.next(), milliseconds(0));
  // A short run, by an operator's hand, is delayed again, and by the first delay.
  TaskStory killed =
      job.task(0, 2).expect(TaskState::started).kill().expect(TaskState::finished, Reason::killed);
  expect_delay(killed, seconds(4));
}

TEST_P(RetryPolicies, ASystemErrorIsRetriedWithoutBeingCounted) {
  Stage stage(306);
  JobStory job = submit(stage.story, {.retries = 0}, "fail");
  for (std::uint32_t resubmit = 0; resubmit < 5; ++resubmit)
    job.task(0, resubmit).expect(TaskState::finished, Reason::local_system_error);
  job.expect(JobState::accepted).kill().expect(JobState::finished, Reason::killed);
}

TEST_P(RetryPolicies, ALostHostIsNotCounted) {
  Stage stage(307, {{"host_lost_after_ms", "5000"}});
  JobStory job = submit(stage.story, {.retries = 0}, "run=forever");
  for (std::uint32_t resubmit = 0; resubmit < 2; ++resubmit) {
    TaskStory task = job.task(0, resubmit).expect(TaskState::started);
    stage.cluster.kill_host(task.host());
    task.expect(TaskState::finished, Reason::lost);
  }
  job.task(0, 2).expect(TaskState::started);
  job.expect(JobState::accepted);
}

TEST_P(RetryPolicies, TheWaitForTheNextTaskOutlivesItsOwner) {
  Stage stage(308);
  JobStory job =
      submit(stage.story, {.kind = RetryPolicy::Kind::delayed, .retries = 1, .delay = seconds(30)});
  TaskStory first = job.task().expect(TaskState::finished);
  for (std::uint32_t node = 1; node <= 3; ++node) stage.cluster.crash_node(node);
  stage.cluster.run_for(seconds(5));
  for (std::uint32_t node = 1; node <= 3; ++node) stage.cluster.restart_node(node);
  first.next().expect(TaskState::started);
  EXPECT_GE(delay_before(first.next(), first), seconds(30));
  EXPECT_EQ(job.tasks_made(), 2u);
}

}  // namespace
}  // namespace troupe::embedded
