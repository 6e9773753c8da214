// Tasks that stay too long in a state, and what is done about it. All times are those of Titus.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

milliseconds between(const TaskStory& task, TaskState from, TaskState to) {
  return task.entered(to) - task.entered(from);
}

void expect_about(milliseconds seen, milliseconds promised) {
  EXPECT_GE(seen, promised);
  EXPECT_LE(seen, promised + seconds(2));
}

// Hosts are never given up, so that only the task's own deadlines count.
const std::map<std::string, std::string> hosts_are_never_lost = {{"host_lost_after_ms", "86400000"}};

TEST(TaskLife, ATaskThatIsNeverStartedIsKilledAndReplaced) {
  Stage stage(201);
  Scenario story(stage.cluster, hours(1));
  // Without retries: a state that is stuck is the system's fault and costs none.
  JobStory job = story.submit({.script = "hang"});
  TaskStory stuck = job.task().expect(TaskState::start_initiated);
  stuck.expect(TaskState::kill_initiated, Reason::stuck_in_state)
      .expect(TaskState::finished, Reason::stuck_in_state);
  expect_about(between(stuck, TaskState::start_initiated, TaskState::kill_initiated), minutes(12));
  stuck.next().expect(TaskState::start_initiated);
  job.expect(JobState::accepted);
}

TEST(TaskLife, ATaskWhoseAgentNeverAnswersIsKilledAndReplacedElsewhere) {
  Stage stage(202, hosts_are_never_lost);
  Scenario story(stage.cluster, hours(1));
  // Nobody has noticed yet that the hosts are cut off: the task is launched, and that is all.
  for (const std::string& host : stage.cluster.hosts()) stage.cluster.isolate_host(host);
  JobStory job = story.submit({.script = "run=forever"});
  TaskStory stuck = job.task().expect(TaskState::launched);
  stuck.expect_each({TaskState::kill_initiated}).expect(TaskState::kill_initiated, Reason::stuck_in_state);
  expect_about(between(stuck, TaskState::launched, TaskState::kill_initiated), minutes(5));
  stuck.expect(TaskState::finished, Reason::stuck_in_killing_state);
  expect_about(between(stuck, TaskState::kill_initiated, TaskState::finished), minutes(10));
  stage.cluster.heal();
  stuck.next().expect(TaskState::started);
  story.expect_no_violation();
}

TEST(TaskLife, ATaskThatCannotBeKilledIsGivenUp) {
  Stage stage(203, hosts_are_never_lost);
  Scenario story(stage.cluster, hours(1));
  JobStory job = story.submit({.script = "run=forever"});
  TaskStory task = job.task().expect(TaskState::started);
  stage.cluster.isolate_host(task.host());
  task.kill().expect(TaskState::kill_initiated, Reason::killed);
  task.expect(TaskState::finished, Reason::stuck_in_killing_state);
  expect_about(between(task, TaskState::kill_initiated, TaskState::finished), minutes(10));
  job.expect(JobState::finished);
  stage.cluster.heal();
  stage.cluster.await_settled();
  story.expect_no_violation();
}

TEST(TaskLife, ATaskThatIgnoresSigtermIsEndedAfterItsGrace) {
  Stage stage(204);
  JobStory job = stage.story.submit({.script = "run=forever ignore_term"});
  TaskStory task = job.task().expect(TaskState::started).kill();
  task.expect(TaskState::kill_initiated).expect(TaskState::finished, Reason::killed);
  EXPECT_EQ(stage.cluster.client().task(task.id())->signal, 9);
  EXPECT_LE(between(task, TaskState::kill_initiated, TaskState::finished), minutes(1));
}

TEST(TaskLife, ATaskThatRunsTooLongIsEndedAndNotRetried) {
  Stage stage(205);
  JobStory job =
      stage.story.submit({.script = "run=forever", .retry = {.retries = 3}, .runtime_limit = seconds(40)});
  TaskStory task = job.task();
  task.expect(TaskState::kill_initiated, Reason::runtime_limit_exceeded)
      .expect(TaskState::finished, Reason::runtime_limit_exceeded);
  expect_about(between(task, TaskState::started, TaskState::kill_initiated), seconds(40));
  job.expect(JobState::finished, Reason::failed).expect_tasks_made(1, minutes(10));
}

TEST(TaskLife, ATaskThatWaitsForAHostWaitsForEver) {
  Stage stage(206);
  JobStory job = stage.story.submit({.cpus = 64, .script = "run=forever"});
  job.task().expect(TaskState::accepted).expect_no_change(minutes(40));
  job.expect_tasks_made(1, minutes(1));
}

TEST(TaskLife, ATaskIsNotKilledBecauseTheCellWasDown) {
  Stage stage(207, hosts_are_never_lost);
  Scenario story(stage.cluster, hours(1));
  JobStory job = story.submit({.script = "start=3m run=1m exit=0"});
  TaskStory task = job.task().expect(TaskState::start_initiated);
  for (std::uint32_t node = 1; node <= 3; ++node) stage.cluster.crash_node(node);
  stage.cluster.run_for(hours(2));
  for (std::uint32_t node = 1; node <= 3; ++node) stage.cluster.restart_node(node);
  job.expect(JobState::finished, Reason::normal).expect_tasks_made(1, minutes(1));
  story.expect_no_violation();
}

TEST(TaskLife, ABadScriptIsRefused) {
  Stage stage(208);
  const Response refused = stage.cluster.client().post("/api/v3/jobs", to_json({.script = "run=banana"}));
  EXPECT_EQ(refused.status, 400) << refused.body;
}

TEST(TaskLife, ATaskWhoseAgentForgetsToReportIsKilledAndReplaced) {
  Stage stage(209);
  Scenario story(stage.cluster, hours(1));
  JobStory job = story.submit({.script = "run=forever; attempt 0: forget"});
  TaskStory stuck = job.task().expect(TaskState::launched);
  stuck.expect(TaskState::kill_initiated, Reason::stuck_in_state);
  expect_about(between(stuck, TaskState::launched, TaskState::kill_initiated), minutes(5));
  stuck.expect(TaskState::finished, Reason::stuck_in_killing_state).next().expect(TaskState::started);
}

}  // namespace
}  // namespace troupe::embedded
