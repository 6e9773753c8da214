// Services grow and shrink.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

JobStory service(Scenario& story, std::uint32_t size, const std::string& script = "run=forever") {
  return story.submit({.kind = JobSpec::Kind::service, .size = size, .size_max = 50, .script = script});
}

int put_capacity(Stage& stage, const JobStory& job, const std::string& body) {
  return stage.cluster.client().put("/api/v3/jobs/" + job.id() + "/capacityAttributes", body).status;
}

TEST(Scaling, UpMakesWhatIsMissing) {
  Stage stage(501);
  JobStory job = service(stage.story, 2);
  job.expect_running(2).resize(5).expect_running(5).expect_tasks_made(5, minutes(5));
}

TEST(Scaling, DownEndsTheSurplusAndReplacesNothing) {
  Stage stage(502);
  JobStory job = service(stage.story, 5);
  job.expect_running(5).resize(2);
  for (std::uint32_t index = 2; index < 5; ++index)
    job.task(index)
        .expect(TaskState::kill_initiated, Reason::scaled_down)
        .expect(TaskState::finished, Reason::scaled_down);
  job.expect_running(2).expect_tasks_made(5, minutes(5));
  stage.story.expect_no_violation();
}

TEST(Scaling, DownToNothingAndUpAgain) {
  Stage stage(503);
  JobStory job = service(stage.story, 3);
  job.expect_running(3).resize(0).expect_running(0).expect(JobState::accepted);
  job.resize(3).expect_running(3).expect_tasks_made(6, minutes(1));
}

TEST(Scaling, TheSameSizeChangesNothing) {
  Stage stage(504);
  JobStory job = service(stage.story, 3);
  job.expect_running(3).resize(3).expect_tasks_made(3, minutes(5));
}

TEST(Scaling, BoundsMayMoveAloneAndAreKept) {
  Stage stage(505);
  JobStory job = service(stage.story, 3);
  job.expect_running(3);
  EXPECT_EQ(put_capacity(stage, job, R"({"max": 10})") / 100, 2);
  EXPECT_EQ(put_capacity(stage, job, R"({"min": 2})") / 100, 2);
  EXPECT_EQ(put_capacity(stage, job, R"({"desired": 11})"), 400);
  EXPECT_EQ(put_capacity(stage, job, R"({"desired": 1})"), 400);
  EXPECT_EQ(put_capacity(stage, job, R"({"min": 5, "max": 4})"), 400);
  EXPECT_EQ(put_capacity(stage, job, R"({"desired": -1})"), 400);
  job.expect_tasks_made(3, minutes(1));
  EXPECT_EQ(put_capacity(stage, job, R"({"min": 4, "desired": 4, "max": 4})") / 100, 2);
  job.expect_running(4);
}

TEST(Scaling, ABatchJobHasNoSizeToChange) {
  Stage stage(506);
  JobStory job = stage.story.submit({.size = 2, .script = "run=forever"});
  job.expect_running(2);
  EXPECT_EQ(put_capacity(stage, job, R"({"desired": 3})"), 400);
}

TEST(Scaling, DownBeforeTheTasksHaveAHost) {
  Stage stage(507);
  JobStory job = stage.story.submit(
      {.kind = JobSpec::Kind::service, .size = 4, .size_max = 50, .cpus = 64, .script = "run=forever"});
  job.task(3).expect(TaskState::accepted);
  job.resize(1);
  job.task(3)
      .expect_each({TaskState::accepted, TaskState::finished})
      .expect(TaskState::finished, Reason::scaled_down);
  job.expect_tasks_made(4, minutes(1));
}

TEST(Scaling, DownAndUpWhileTasksStillEnd) {
  Stage stage(508);
  JobStory job = service(stage.story, 4, "run=forever stop=10s");
  job.expect_running(4).resize(1);
  job.task(3).expect(TaskState::kill_initiated, Reason::scaled_down);
  job.resize(4);
  job.expect_running(4).expect_tasks_made(7, minutes(1));
  stage.story.expect_no_violation();
}

TEST(Scaling, DownWhileATaskIsKilledByHand) {
  Stage stage(509);
  JobStory job = service(stage.story, 3, "run=forever stop=5s");
  job.expect_running(3);
  job.task(2).kill();
  job.resize(2);
  job.task(2).expect(TaskState::finished, Reason::killed);
  job.expect_running(2).expect_tasks_made(3, minutes(2));
}

TEST(Scaling, WhileTheOwnerChanges) {
  Stage stage(510);
  JobStory job = service(stage.story, 3);
  job.expect_running(3);
  for (std::uint32_t node = 1; node <= 3; ++node) {
    job.resize(3 + node);
    stage.cluster.crash_node(node);
    job.expect_running(3 + node);
    stage.cluster.restart_node(node);
    stage.cluster.await_settled();
  }
  job.expect_tasks_made(6, minutes(1));
  stage.story.expect_no_violation();
}

}  // namespace
}  // namespace troupe::embedded
