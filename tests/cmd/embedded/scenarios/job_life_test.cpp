// Jobs from their submission to their end, batch and service.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

const std::initializer_list<TaskState> up_to_started = {TaskState::accepted, TaskState::launched,
                                                        TaskState::start_initiated, TaskState::started};

TEST(JobLife, ABatchJobWhoseTasksSucceedFinishesNormally) {
  Stage stage(101);
  JobStory job = stage.story.submit({.size = 3, .script = "start=50ms run=2s exit=0"});
  job.expect(JobState::accepted);
  for (std::uint32_t index = 0; index < 3; ++index)
    job.task(index)
        .expect_each(up_to_started)
        .expect_each({TaskState::finished})
        .expect(TaskState::finished, Reason::normal);
  job.expect(JobState::finished, Reason::normal).expect_tasks_made(3, minutes(5));
  stage.story.expect_no_violation();
}

TEST(JobLife, ABatchJobWithAFailedTaskFails) {
  Stage stage(102);
  JobStory job = stage.story.submit({.size = 3, .script = "run=1s exit=0; slot 1: exit=7"});
  job.task(1).expect(TaskState::finished, Reason::failed);
  EXPECT_EQ(stage.cluster.client().task(job.task(1).id())->exit_code, 7);
  job.expect(JobState::finished, Reason::failed).expect_tasks_made(3, minutes(5));
}

TEST(JobLife, ATaskThatDiesByASignalHasFailed) {
  Stage stage(103);
  JobStory job = stage.story.submit({.script = "run=1s signal=9"});
  job.task().expect(TaskState::finished, Reason::failed);
  EXPECT_EQ(stage.cluster.client().task(job.task().id())->signal, 9);
  job.expect(JobState::finished, Reason::failed);
}

TEST(JobLife, ATaskThatIsKilledInABatchJobWithoutRetriesFailsIt) {
  Stage stage(104);
  JobStory job = stage.story.submit({.script = "run=forever"});
  job.task()
      .expect(TaskState::started)
      .kill()
      .expect(TaskState::kill_initiated, Reason::killed)
      .expect(TaskState::finished, Reason::killed);
  job.expect(JobState::finished, Reason::failed);
}

TEST(JobLife, ATaskThatIsKilledIsRetriedAndCounted) {
  Stage stage(105);
  JobStory job = stage.story.submit({.script = "run=forever", .retry = {.retries = 1}});
  TaskStory first = job.task().expect(TaskState::started).kill().expect(TaskState::finished, Reason::killed);
  first.next().expect(TaskState::started).kill().expect(TaskState::finished, Reason::killed);
  job.expect(JobState::finished, Reason::failed).expect_tasks_made(2, minutes(5));
}

TEST(JobLife, AKilledJobEndsItsTasksAndMakesNoMore) {
  Stage stage(106);
  for (const JobSpec::Kind kind : {JobSpec::Kind::batch, JobSpec::Kind::service}) {
    JobStory job = stage.story.submit(
        {.kind = kind, .size = 4, .script = "run=forever stop=1s", .retry = {.retries = 9}});
    job.expect_running(4).kill().expect(JobState::kill_initiated, Reason::killed);
    for (std::uint32_t index = 0; index < 4; ++index)
      job.task(index)
          .expect(TaskState::kill_initiated, Reason::killed)
          .expect(TaskState::finished, Reason::killed);
    job.expect(JobState::finished, Reason::killed).expect_tasks_made(4, minutes(5));
  }
  stage.story.expect_no_violation();
}

TEST(JobLife, AJobWhoseTasksFindNoHostIsKilledAtOnce) {
  Stage stage(107);
  JobStory job = stage.story.submit({.size = 2, .cpus = 64, .script = "run=forever"});
  job.task(0).expect(TaskState::accepted).expect_no_change(minutes(10));
  job.kill().expect(JobState::finished, Reason::killed);
  // Never launched, never killed by anybody's agent.
  job.task(1)
      .expect_each({TaskState::accepted, TaskState::finished})
      .expect(TaskState::finished, Reason::killed);
}

TEST(JobLife, ATaskThatWaitsForAHostIsKilledAtOnce) {
  Stage stage(108);
  JobStory job = stage.story.submit({.cpus = 64, .script = "run=forever"});
  job.task().expect(TaskState::accepted).kill().expect_each({TaskState::accepted, TaskState::finished});
  job.expect(JobState::finished, Reason::failed);
}

TEST(JobLife, AJobThatEndsRefusesChanges) {
  Stage stage(109);
  JobStory job = stage.story.submit({.kind = JobSpec::Kind::service, .script = "run=forever stop=20s"});
  job.expect_running(1).kill().expect(JobState::kill_initiated);
  const Client client = stage.cluster.client();
  EXPECT_EQ(client.put("/api/v3/jobs/" + job.id() + "/capacityAttributes", R"({"desired": 3})").status, 409);
  EXPECT_EQ(client.del("/api/v3/jobs/" + job.id()).status, 409);
  EXPECT_EQ(client.del("/api/v3/tasks/" + job.task().id()).status, 409);
  job.expect(JobState::finished, Reason::killed);
  EXPECT_EQ(client.del("/api/v3/jobs/" + job.id()).status / 100, 4);
}

TEST(JobLife, AServiceReplacesTasksHoweverTheyEnd) {
  Stage stage(110);
  JobStory job = stage.story.submit(
      {.kind = JobSpec::Kind::service, .size = 2, .script = "run=3s exit=0; slot 1: run=3s exit=1"});
  TaskStory well = job.task(0).expect(TaskState::finished, Reason::normal);
  well.next().expect(TaskState::finished, Reason::normal).next().expect(TaskState::started);
  TaskStory badly = job.task(1).expect(TaskState::finished, Reason::failed);
  badly.next().expect(TaskState::finished, Reason::failed).next().expect(TaskState::started);
  job.expect(JobState::accepted);
}

TEST(JobLife, AServiceOfNobodyLives) {
  Stage stage(111);
  JobStory job = stage.story.submit({.kind = JobSpec::Kind::service, .size = 0, .script = "run=forever"});
  job.expect(JobState::accepted).expect_tasks_made(0, minutes(20));
  EXPECT_EQ(stage.cluster.client().job(job.id())->state, JobState::accepted);
  job.resize(2).expect_running(2).kill().expect(JobState::finished, Reason::killed);
}

TEST(JobLife, AJobThatIsKilledWhileItsHostsAreDeadEnds) {
  Stage stage(112, {{"host_lost_after_ms", "30000"}});
  JobStory job = stage.story.submit({.size = 6, .script = "run=forever"});
  job.expect_running(6);
  for (const std::string& host : stage.cluster.hosts()) stage.cluster.kill_host(host);
  job.kill().expect(JobState::kill_initiated).expect(JobState::finished, Reason::killed);
  job.task().expect(TaskState::kill_initiated, Reason::killed).expect(TaskState::finished, Reason::killed);
  stage.story.expect_no_violation();
}

}  // namespace
}  // namespace troupe::embedded
