// The control plane dies in the middle of each step of a task, and nothing is lost or done twice.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

/// Who goes down, and whether it stays down for long.
enum class Reboot : std::uint8_t { leader, follower, everybody, everybody_for_minutes };
const char* name_of(Reboot reboot) {
  switch (reboot) {
    case Reboot::leader:
      return "Leader";
    case Reboot::follower:
      return "Follower";
    case Reboot::everybody:
      return "Everybody";
    case Reboot::everybody_for_minutes:
      return "EverybodyForMinutes";
  }
  return "";
}

void perform(Cluster& cluster, Reboot reboot) {
  std::vector<std::uint32_t> victims{1, 2, 3};
  if (reboot == Reboot::leader) victims = {cluster.leader()};
  if (reboot == Reboot::follower) victims = {cluster.leader() % 3 + 1};
  for (const std::uint32_t node : victims) cluster.crash_node(node);
  cluster.run_for(reboot == Reboot::everybody_for_minutes ? minutes(3) : milliseconds(500));
  for (const std::uint32_t node : victims) cluster.restart_node(node);
  cluster.await_settled();
}

using StepAndReboot = std::tuple<TaskState, Reboot>;
class RebootInEachStep : public testing::TestWithParam<StepAndReboot> {
 protected:
  TaskState step() const { return std::get<0>(GetParam()); }
  Reboot reboot() const { return std::get<1>(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Steps, RebootInEachStep,
                         testing::Combine(testing::Values(TaskState::accepted, TaskState::launched,
                                                          TaskState::start_initiated, TaskState::started,
                                                          TaskState::finished),
                                          testing::Values(Reboot::leader, Reboot::follower, Reboot::everybody,
                                                          Reboot::everybody_for_minutes)),
                         [](const testing::TestParamInfo<StepAndReboot>& pair) {
                           return std::string(to_text(std::get<0>(pair.param))) +
                                  name_of(std::get<1>(pair.param));
                         });

TEST_P(RebootInEachStep, OfABatchJob) {
  Stage stage(601);
  Scenario story(stage.cluster, minutes(15));
  JobStory job = story.submit({.size = 5, .script = "start=200ms run=2s exit=0"});
  job.task().expect(step());
  perform(stage.cluster, reboot());
  for (std::uint32_t index = 0; index < 5; ++index)
    job.task(index).expect(TaskState::finished, Reason::normal);
  job.expect(JobState::finished, Reason::normal);
  EXPECT_EQ(stage.cluster.client().all_tasks(job.id()).size(), 5u);
  story.expect_no_violation();
}

TEST_P(RebootInEachStep, OfAServiceThatIsKilled) {
  Stage stage(602);
  Scenario story(stage.cluster, minutes(15));
  JobStory job =
      story.submit({.kind = JobSpec::Kind::service, .size = 3, .script = "start=200ms run=forever stop=1s"});
  if (step() == TaskState::finished)
    job.expect_running(3);
  else
    job.task().expect(step());
  job.kill();
  if (step() == TaskState::finished) job.task().expect(TaskState::finished);
  perform(stage.cluster, reboot());
  job.expect(JobState::finished, Reason::killed);
  EXPECT_EQ(stage.cluster.client().all_tasks(job.id()).size(), 3u);
  story.expect_no_violation();
}

class RebootInOtherSteps : public testing::TestWithParam<Reboot> {};
INSTANTIATE_TEST_SUITE_P(Reboots, RebootInOtherSteps,
                         testing::Values(Reboot::leader, Reboot::follower, Reboot::everybody,
                                         Reboot::everybody_for_minutes),
                         [](const auto& reboot) { return name_of(reboot.param); });

TEST_P(RebootInOtherSteps, WhileATaskIsBeingKilled) {
  Stage stage(603);
  JobStory job = stage.story.submit({.kind = JobSpec::Kind::service, .script = "run=forever stop=3s"});
  TaskStory task = job.task().expect(TaskState::started).kill().expect(TaskState::kill_initiated);
  perform(stage.cluster, GetParam());
  task.expect(TaskState::finished, Reason::killed).next().expect(TaskState::started);
  job.expect_tasks_made(2, seconds(30));
  stage.story.expect_no_violation();
}

TEST_P(RebootInOtherSteps, WhileAJobIsBeingKilled) {
  Stage stage(604);
  JobStory job = stage.story.submit({.size = 4, .script = "run=forever stop=3s"});
  job.expect_running(4).kill().expect(JobState::kill_initiated);
  perform(stage.cluster, GetParam());
  job.expect(JobState::finished, Reason::killed).expect_tasks_made(4, seconds(30));
  stage.story.expect_no_violation();
}

TEST_P(RebootInOtherSteps, WhileAServiceShrinks) {
  Stage stage(605);
  JobStory job =
      stage.story.submit({.kind = JobSpec::Kind::service, .size = 5, .script = "run=forever stop=3s"});
  job.expect_running(5).resize(2);
  job.task(4).expect(TaskState::kill_initiated, Reason::scaled_down);
  perform(stage.cluster, GetParam());
  job.expect_running(2).expect_tasks_made(5, seconds(30));
  stage.story.expect_no_violation();
}

TEST_P(RebootInOtherSteps, WhileARetryIsWaitedFor) {
  Stage stage(606);
  JobStory job =
      stage.story.submit({.script = "run=10ms exit=1",
                          .retry = {.kind = RetryPolicy::Kind::delayed, .retries = 1, .delay = seconds(10)}});
  job.task().expect(TaskState::finished, Reason::failed);
  perform(stage.cluster, GetParam());
  job.task().next().expect(TaskState::finished, Reason::failed);
  job.expect(JobState::finished, Reason::failed).expect_tasks_made(2, seconds(30));
  EXPECT_GE(delay_before(job.task().next(), job.task()), seconds(10));
  stage.story.expect_no_violation();
}

TEST_P(RebootInOtherSteps, WhileAnAnswerIsOnItsWay) {
  Stage stage(607);
  // The same request id again: whether or not the first one got through, there is one job.
  const std::string body = to_json({.script = "run=10ms exit=0"});
  const Headers key{{"idempotency-key", "once"}};
  (void)stage.cluster.client().post("/api/v3/jobs", body, key);
  perform(stage.cluster, GetParam());
  const Response again = stage.cluster.client().post("/api/v3/jobs", body, key);
  const Response third = stage.cluster.client().post("/api/v3/jobs", body, key);
  EXPECT_EQ(again.status, 202) << again.body;
  EXPECT_EQ(again.body, third.body);
  stage.story.expect_no_violation();
}

}  // namespace
}  // namespace troupe::embedded
