// Jobs of a thousand tasks, with failures in the middle.

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

constexpr std::uint32_t many = 1'000;

Options with_room(std::uint64_t seed) {
  Options options = simulated(seed);
  options.hosts = {{.name = "flex", .count = 20, .cpus = 32, .memory_mb = 65'536, .disk_mb = 1'000'000}};
  options.settings["host_lost_after_ms"] = "20000";
  options.patience = minutes(30);
  return options;
}

TEST(LargeJob, ABatchOfAThousandRunsToItsEnd) {
  Cluster cluster(with_room(701));
  Scenario story(cluster);
  JobStory job = story.submit({.size = many, .memory_mb = 32, .script = "start=500ms run=20s exit=0"});
  job.expect(JobState::finished, Reason::normal).expect_tasks_made(many, minutes(1));
  story.expect_no_violation();
}

TEST(LargeJob, AServiceOfAThousandOutlivesEveryNodeAndAHost) {
  Cluster cluster(with_room(702));
  Scenario story(cluster);
  JobStory job = story.submit(
      {.kind = JobSpec::Kind::service, .size = many, .memory_mb = 32, .script = "start=200ms run=forever"});
  job.expect_running(many);
  for (std::uint32_t node = 1; node <= 3; ++node) {
    cluster.crash_node(node);
    cluster.run_for(seconds(5));
    cluster.restart_node(node);
    cluster.await_settled();
  }
  job.expect_running(many).expect_tasks_made(many, seconds(10));
  const std::string victim = job.task(0).host();
  cluster.kill_host(victim);
  job.task(0).expect(TaskState::finished, Reason::lost);
  job.expect_running(many);
  EXPECT_LE(job.tasks_made(), many + 100);  // A host of twenty.
  story.expect_no_violation();
}

TEST(LargeJob, AThousandTasksAreKilledTogether) {
  Cluster cluster(with_room(703));
  Scenario story(cluster);
  JobStory job =
      story.submit({.size = many, .memory_mb = 32, .script = "run=forever", .retry = {.retries = 5}});
  job.expect_running(many)
      .kill()
      .expect(JobState::finished, Reason::killed)
      .expect_tasks_made(many, minutes(1));
  story.expect_no_violation();
}

TEST(LargeJob, EverybodyDiesWhileItStarts) {
  Cluster cluster(with_room(704));
  Scenario story(cluster);
  JobStory job = story.submit({.size = many, .memory_mb = 32, .script = "start=2s run=10s exit=0"});
  job.task(150).expect(TaskState::launched);
  for (std::uint32_t node = 1; node <= 3; ++node) cluster.crash_node(node);
  cluster.run_for(seconds(3));
  for (std::uint32_t node = 1; node <= 3; ++node) cluster.restart_node(node);
  job.expect(JobState::finished, Reason::normal);
  EXPECT_EQ(cluster.client().all_tasks(job.id()).size(), many);
  story.expect_no_violation();
}

TEST(LargeJob, BeyondTheLimitIsRefused) {
  Cluster cluster(with_room(705));
  EXPECT_EQ(cluster.client().post("/api/v3/jobs", to_json({.size = 1'000'000})).status, 400);
}

}  // namespace
}  // namespace troupe::embedded
