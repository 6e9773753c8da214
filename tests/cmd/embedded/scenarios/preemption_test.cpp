// Promised capacity is taken back from those who borrowed it, through the user's own door.

#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

using testing::HasSubstr;

/// Two hosts of eight cpus.
struct SmallStage {
  explicit SmallStage(std::uint64_t seed) : cluster(small(seed)), story(cluster) {}
  static Options small(std::uint64_t seed) {
    Options options = simulated(seed);
    options.hosts = {{.name = "flex", .count = 2, .cpus = 8, .memory_mb = 65'536, .disk_mb = 1'000'000}};
    return options;
  }

  Cluster cluster;
  Scenario story;
};

void put_group(SmallStage& stage, const std::string& name, const std::string& tier, int cpus) {
  const std::string body = R"({"appName":")" + name + R"(","tier":")" + tier +
                           R"(","instanceCPU":1,"instanceMemoryMB":64,"instanceCount":)" +
                           std::to_string(cpus) + "}";
  const auto answer = stage.cluster.client().post("/api/v2/management/applications", body);
  ASSERT_EQ(answer.status, 201) << answer.body;
}

std::uint32_t count_in(const Job& job, TaskState state) {
  const auto found = job.tasks.find(state);
  return found == job.tasks.end() ? 0 : found->second;
}

JobSpec service(const std::string& group, std::uint32_t size, double cpus) {
  return {.kind = JobSpec::Kind::service,
          .capacity_group = group,
          .size = size,
          .cpus = cpus,
          .memory_mb = 16,
          .script = "start=20ms run=forever"};
}

TEST(Preemption, PromisedCapacityIsTakenBackAndBothSidesAreToldWhy) {
  SmallStage stage(601);
  put_group(stage, "promised", "Critical", 6);
  JobStory borrower = stage.story.submit(service("DEFAULT", 16, 1));
  borrower.expect_running(16);
  JobStory owner = stage.story.submit(service("promised", 3, 2));
  owner.expect_running(3);
  const auto tasks = stage.cluster.client().all_tasks(borrower.id());
  std::uint32_t evicted = 0;
  for (const Task& task : tasks)
    if (task.reason == Reason::evicted) {
      ++evicted;
      EXPECT_THAT(task.message, HasSubstr("capacity group promised takes back what it reserved"));
    }
  EXPECT_EQ(evicted, 6U);
  stage.story.expect("ten of the borrower run, six wait", [&] {
    const auto job = stage.cluster.client().job(borrower.id());
    return job && count_in(*job, TaskState::started) == 10 && count_in(*job, TaskState::accepted) == 6;
  });
  const auto waiting = stage.cluster.client().live_tasks(borrower.id()).back();
  EXPECT_THAT(stage.cluster.client().get("/api/v3/tasks/" + waiting.id + "/explain").body,
              HasSubstr("nobody is ended for it: its capacity group would borrow"));
  owner.kill().expect(JobState::finished);
  borrower.expect_running(16);
  stage.story.expect_no_violation();
}

/// Of a service's tasks, those that gave way.
std::ptrdiff_t evicted_of(SmallStage& stage, const JobStory& job) {
  const auto tasks = stage.cluster.client().all_tasks(job.id());
  return std::count_if(tasks.begin(), tasks.end(), [](const Task& task) {
    const bool is_ending = task.state == TaskState::kill_initiated || task.state == TaskState::finished;
    return is_ending && task.reason == Reason::evicted;
  });
}

/// Three tasks take back what six others have borrowed, two each, and the leader changes in between.
struct PreemptionSeeds : testing::TestWithParam<std::uint64_t> {
  void SetUp() override {
    put_group(stage, "promised", "Critical", 6);
    borrower.emplace(stage.story.submit(service("DEFAULT", 16, 1)));
    borrower->expect_running(16);
    owner.emplace(stage.story.submit(service("promised", 3, 2)));
    stage.story.expect("somebody gives way", [&] { return evicted_of(stage, *borrower) > 0; });
    leader = stage.cluster.leader();
  }
  void TearDown() override {
    stage.cluster.await_settled();
    EXPECT_EQ(evicted_of(stage, *borrower), 6);
    stage.story.expect_no_violation();
  }
  SmallStage stage{GetParam()};
  std::optional<JobStory> borrower, owner;
  std::uint32_t leader = 0;
};

TEST_P(PreemptionSeeds, GoesOnUnderANewLeaderAndEndsNobodyTwice) {
  const std::string next = std::to_string(leader % 3 + 1);
  ASSERT_EQ(stage.cluster.client().put("/api/v3/cell/leader", R"({"node":)" + next + "}").status, 200);
  owner->expect_running(3);
  EXPECT_NE(stage.cluster.leader(), leader);
}

TEST_P(PreemptionSeeds, GoesOnWhenItsLeaderCrashesAndEndsNobodyTwice) {
  stage.cluster.crash_node(leader);
  owner->expect_running(3);
  stage.cluster.restart_node(leader);
}

INSTANTIATE_TEST_SUITE_P(Failover, PreemptionSeeds, testing::Range(std::uint64_t{607}, std::uint64_t{623}));

TEST(Preemption, AJobsAvailabilityIsKept) {
  SmallStage stage(602);
  put_group(stage, "promised", "Critical", 6);
  JobStory borrower = stage.story.submit(service("DEFAULT", 16, 1));
  borrower.expect_running(16);
  ASSERT_EQ(
      stage.cluster.client()
          .put("/api/v3/jobs/" + borrower.id() + "/disruptionBudget",
               R"({"availabilityPercentageLimit":{"percentageOfHealthyContainers":80},"rateUnlimited":{}})")
          .status,
      200);
  JobStory owner = stage.story.submit(service("promised", 3, 2));
  owner.task(0).expect(TaskState::started);
  stage.story.run_for(minutes(5));
  const auto job = stage.cluster.client().job(borrower.id());
  EXPECT_GE(count_in(*job, TaskState::started), 13U);
  EXPECT_EQ(count_in(*stage.cluster.client().job(owner.id()), TaskState::started), 1U);
  const auto tasks = stage.cluster.client().live_tasks(owner.id());
  const Task waits = *std::find_if(tasks.begin(), tasks.end(),
                                   [](const Task& task) { return task.state == TaskState::accepted; });
  EXPECT_THAT(stage.cluster.client().get("/api/v3/tasks/" + waits.id + "/explain").body,
              HasSubstr("protected by a disruption budget"));
  stage.story.expect_no_violation();
}

TEST(Preemption, ABatchTaskThatGaveWayIsTriedAgainWithoutBeingCounted) {
  SmallStage stage(603);
  put_group(stage, "promised", "Critical", 8);
  JobSpec low = service("DEFAULT", 16, 1);
  low.kind = JobSpec::Kind::batch;
  low.script = "start=20ms run=30s exit=0";
  JobStory batch = stage.story.submit(low);
  batch.expect_running(16);
  JobSpec high = low;
  high.capacity_group = "promised";
  high.size = 8;
  high.script = "start=20ms run=20s exit=0";
  stage.story.submit(high).expect(JobState::finished, Reason::normal);
  batch.expect(JobState::finished, Reason::normal);
  EXPECT_EQ(batch.tasks_made(), 24U) << "eight were started twice, without a single retry allowed";
  stage.story.expect_no_violation();
}

TEST(Plans, AreKeptByASubmitUnlessJustThatHasChanged) {
  SmallStage stage(604);
  const auto plan_of = [&](const JobSpec& spec) {
    const auto answer = stage.cluster.client().post("/api/v3/plan", R"({"job":)" + to_json(spec) + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto at = answer.body.find(R"("plan":")") + 8;
    return answer.body.substr(at, answer.body.find('"', at) - at);
  };
  const auto submit = [&](const JobSpec& spec, const std::string& plan) {
    return stage.cluster.client().post("/api/v3/plan/submit",
                                       R"({"plan":")" + plan + R"(","job":)" + to_json(spec) + "}");
  };
  const JobSpec wide = service("DEFAULT", 2, 7);
  const std::string first = plan_of(wide), second = plan_of(wide);
  stage.story.submit(service("DEFAULT", 2, 0.5)).expect_running(2);  // Others come; there is room still.
  const auto done = submit(wide, first);
  ASSERT_EQ(done.status, 202) << done.body;
  JobStory job = stage.story.job(done.body.substr(done.body.find(R"("id":")") + 6, 36));
  job.expect_running(2);
  const auto refused = submit(wide, second);
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("the plan does not hold any more: slot 0 on host host-"));
  stage.story.expect_no_violation();
}

// As many as 500 a second for a fifth of a second, which is how long somebody looks at a plan at least.
TEST(Plans, HoldWhileOthersChangeOtherThings) {
  Options options = simulated(605);
  options.hosts = {{.name = "flex", .count = 30, .cpus = 16, .memory_mb = 65'536, .disk_mb = 1'000'000}};
  Cluster cluster(options);
  const Client client = cluster.client();
  const JobSpec small{.cpus = 0.1, .memory_mb = 16, .disk_mb = 1, .script = "start=20ms run=5s exit=0"};
  const JobSpec planned{.kind = JobSpec::Kind::service,
                        .size = 3,
                        .cpus = 0.5,
                        .memory_mb = 16,
                        .disk_mb = 1,
                        .script = "start=20ms run=forever"};
  const std::string other = client.submit(planned);
  constexpr int plans = 20, changes = 100;
  int held = 0;
  for (int n = 0; n < plans; ++n) {
    const auto answer = client.post("/api/v3/plan", R"({"job":)" + to_json(planned) + "}");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto at = answer.body.find(R"("plan":")") + 8;
    const std::string plan = answer.body.substr(at, answer.body.find('"', at) - at);
    for (int change = 0; change < changes; ++change) {
      if (change % 2 == 0)
        client.submit(small);
      else
        EXPECT_EQ(client
                      .put("/api/v3/jobs/" + other + "/attributes",
                           R"({"attributes":{"seen":")" + std::to_string(change) + "\"}}")
                      .status,
                  200);
    }
    held += client.post("/api/v3/plan/submit", R"({"plan":")" + plan + R"(","job":)" + to_json(planned) + "}")
                        .status == 202
                ? 1
                : 0;
  }
  EXPECT_GE(held * 100, plans * 95) << held << " of " << plans << " plans held";
}

TEST(Gangs, StartTogetherOrFailTogether) {
  SmallStage stage(606);
  JobStory first = stage.story.submit(service("DEFAULT", 12, 1));
  first.expect_running(12);
  JobSpec spec = service("DEFAULT", 8, 1);
  spec.kind = JobSpec::Kind::batch;
  spec.script = "start=20ms run=10s exit=0";
  spec.attributes = {{"troupe.gangSeconds", "30"}};
  JobStory gang = stage.story.submit(spec);
  stage.story.run_for(seconds(20));
  EXPECT_EQ(count_in(*stage.cluster.client().job(gang.id()), TaskState::accepted), 8U) << "four would fit";
  first.resize(8);
  gang.expect(JobState::finished, Reason::normal);
  EXPECT_EQ(gang.tasks_made(), 8U);
  first.resize(12).expect_running(12);
  JobStory late = stage.story.submit(spec);
  late.expect(JobState::finished, Reason::failed);
  EXPECT_EQ(late.tasks_made(), 8U) << "none of them is tried again";
  for (const Task& task : stage.cluster.client().all_tasks(late.id())) EXPECT_EQ(task.host, "");
  stage.story.expect_no_violation();
}

}  // namespace
}  // namespace troupe::embedded
