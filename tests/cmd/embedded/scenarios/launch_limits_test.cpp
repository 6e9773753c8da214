// Launches are held to budgets and limits: a job that only fails costs little and says so, a host that fails
// launches rests, and nobody starts two thousand containers at once.

#include <algorithm>
#include <set>

#include "tests/cmd/embedded/scenarios/stage.hpp"

namespace troupe::embedded {
namespace {

using testing::Test;

constexpr std::uint32_t failing_jobs = 60;
constexpr std::uint32_t failing_size = 10;

/// When tasks were launched, in order.
std::vector<Time> launches_of(const std::vector<Task>& tasks) {
  std::vector<Time> times;
  for (const Task& task : tasks)
    if (const auto at = task.entered.find(TaskState::launched); at != task.entered.end())
      times.push_back(at->second);
  std::sort(times.begin(), times.end());
  return times;
}

/// No window has more than a burst and what the rate lets through in it.
void expect_within(const std::vector<Time>& times, std::size_t burst, double per_minute, milliseconds slack) {
  for (std::size_t from = 0; from < times.size(); ++from)
    for (std::size_t to = from; to < times.size(); ++to) {
      const auto window = std::chrono::duration<double>(times[to] - times[from] + slack).count();
      ASSERT_LE(static_cast<double>(to - from + 1), static_cast<double>(burst) + 1 + window * per_minute / 60)
          << "from launch " << from << " to " << to;
    }
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// A healthy job each second, for so long: the longest time from a submission to the job's good end.
milliseconds slowest_healthy(Stage& stage, int count) {
  milliseconds slowest{0};
  for (int n = 0; n < count; ++n) {
    const Time before = stage.cluster.now();
    stage.story.submit({.size = 2, .memory_mb = 16, .script = "run=10ms exit=0"})
        .expect(JobState::finished, Reason::normal);
    slowest = std::max(slowest, std::chrono::duration_cast<milliseconds>(stage.cluster.now() - before));
    stage.cluster.run_for(seconds(1));
  }
  return slowest;
}

std::vector<std::string> submit_failing_jobs(Stage& stage) {
  std::vector<std::string> jobs;
  for (std::uint32_t n = 0; n < failing_jobs; ++n)
    jobs.push_back(
        stage.cluster.client().submit({.kind = n % 2 == 0 ? JobSpec::Kind::batch : JobSpec::Kind::service,
                                       .size = failing_size,
                                       .memory_mb = 16,
                                       .disk_mb = 10,
                                       .script = "exit=1",
                                       .retry = {.retries = 10'000}}));
  return jobs;
}

TEST(FailingJobs, M8_alpha_AreHeldToTheirBudgetAndSaySoAndTheOthersDoNotNotice) {
  Stage quiet(451);
  const milliseconds usual = slowest_healthy(quiet, 20);
  Stage stage(451);
  Client client = stage.cluster.client();
  const auto jobs = submit_failing_jobs(stage);
  EXPECT_LE(slowest_healthy(stage, 60), usual * 3 / 2 + milliseconds(50));
  // A leader that dies forgets no budget.
  const std::uint32_t leader = stage.cluster.leader();
  stage.cluster.crash_node(leader);
  stage.cluster.run_for(seconds(5));
  stage.cluster.restart_node(leader);
  stage.cluster.await_settled();
  stage.cluster.run_for(minutes(1));
  for (const std::string& job : jobs) {
    const auto launches = launches_of(client.all_tasks(job));
    EXPECT_GE(launches.size(), 50U) << "held back, not stopped";
    // The first of each slot; ten and one for each slot; two a minute for each.
    expect_within(launches, failing_size + 10 + failing_size, 2.0 * failing_size, milliseconds(500));
    if (Test::HasFatalFailure()) return;
    const Response told = client.get("/api/v3/jobs/" + job);
    EXPECT_TRUE(contains(told.body, R"("throttled":{"since":")")) << told.body;
    EXPECT_TRUE(contains(told.body, "its tasks keep failing, the last one as failed with exit code 1"));
  }
  EXPECT_TRUE(contains(client.get("/metrics").body, "troupe_jobs_throttled 60"));
  stage.story.expect_no_violation();
}

TEST(FailingJobs, AreToldToBeThrottledByAnEventAndNoMoreWhenTheyAreWell) {
  Stage stage(452);
  Scenario patient(stage.cluster, minutes(15));
  JobStory job = patient.submit({.kind = JobSpec::Kind::service,
                                 .script = "exit=1; attempt 13-: run=forever",
                                 .retry = {.retries = 0}});
  const auto throttled = [&] {
    return contains(stage.cluster.client().get("/api/v3/jobs/" + job.id()).body, "\"throttled\"");
  };
  job.task(0, 11).expect(TaskState::finished, Reason::failed);
  patient.expect("it is throttled", throttled);
  const auto history = stage.cluster.history(job.id());
  EXPECT_TRUE(std::any_of(history.begin(), history.end(),
                          [](const HistoryEvent& event) { return event.kind == "jobChanged"; }));
  job.task(0, 13).expect(TaskState::started);
  EXPECT_TRUE(throttled()) << "until its budget is full again";
  patient.expect("it is not throttled any more", [&] { return !throttled(); });
  job.expect_running(1);
  stage.story.expect_no_violation();
}

TEST(FailingJobs, AreHeldToWhatThePolicySays) {
  Stage stage(453, {{"relaunch_burst", "1"}, {"relaunches_per_minute", "1"}});
  JobStory job = stage.story.submit({.size = 1, .script = "exit=1", .retry = {.retries = 100}});
  stage.cluster.run_for(minutes(5));
  EXPECT_LE(job.tasks_made(), 1u + 2u + 5u);
  ASSERT_EQ(stage.cluster.client().put("/api/v3/cell/policy", R"({"relaunchesPerMinute":0})").status, 200);
  stage.cluster.run_for(minutes(1));
  EXPECT_GE(job.tasks_made(), 50u) << "one a second, as Titus has it";
}

// ---- hosts ----

std::map<std::string, std::uint32_t> under_way(const std::vector<Task>& tasks) {
  std::map<std::string, std::uint32_t> counts;
  for (const Task& task : tasks)
    if (task.state == TaskState::launched || task.state == TaskState::start_initiated) ++counts[task.host];
  return counts;
}

TEST(FailingJobs, ThatArePacedGoOnAfterAPauseOfTheCell) {
  Stage stage(455);
  Client client = stage.cluster.client();
  const Headers why{{"x-titus-callreason", "a test"}};
  JobStory job = stage.story.submit({.size = 1, .script = "run=2s exit=1", .retry = {.retries = 100}});
  job.task(0, 1).expect(TaskState::started);
  ASSERT_EQ(client.put("/api/v3/cell/scheduling", R"({"paused":true})", why).status, 200);
  stage.cluster.run_for(minutes(2));
  const std::size_t before = job.tasks_made();
  EXPECT_LE(before, 3u) << "its next one waits, in what follows a crash";
  ASSERT_EQ(client.put("/api/v3/cell/scheduling", R"({"paused":false})").status, 200);
  stage.story.expect("it goes on", [&] { return job.tasks_made() > before + 1; });
}

TEST(FailingJobs, OfOneProgramGoAtTheCellsPaceHoweverManyTheyAre) {
  Stage stage(454, {{"crash_launches_per_s", "20"}});
  const Client client = stage.cluster.client();
  const JobSpec crashing{
      .size = 40, .memory_mb = 16, .disk_mb = 10, .script = "exit=1", .retry = {.retries = 10'000}};
  client.submit(crashing);
  stage.cluster.run_for(milliseconds(900));
  std::vector<std::string> jobs;
  for (int n = 0; n < 5; ++n) jobs.push_back(client.submit(crashing));
  stage.cluster.run_for(seconds(1));
  const auto waiting = client.live_tasks(jobs.back());
  ASSERT_FALSE(waiting.empty());
  const std::string why = client.get("/api/v3/tasks/" + waiting.back().id + "/explain").body;
  EXPECT_TRUE(contains(why, "are held to 20 a second")) << why;
  const std::string metrics = stage.cluster.client(stage.cluster.leader()).get("/metrics").body;
  EXPECT_FALSE(contains(metrics, "troupe_launches_paced 0")) << "those that wait so are counted";
  JobStory other = stage.story.submit({.script = "run=1s", .environment = {{"LEVEL", "2"}}});
  other.expect(JobState::finished, Reason::normal);
  EXPECT_LE(other.task().entered(TaskState::started) - other.task().entered(TaskState::accepted),
            milliseconds(500))
      << "it runs something else";
  stage.cluster.run_for(seconds(8));
  std::vector<Time> times;
  for (const std::string& job : jobs)
    for (const Time at : launches_of(client.all_tasks(job))) times.push_back(at);
  std::sort(times.begin(), times.end());
  EXPECT_GE(times.size(), 60U) << "held back, not stopped";
  expect_within(times, 2, 20 * 60, milliseconds(250));
  stage.story.expect_no_violation();
}

TEST(LaunchLimits, M12_alpha_TwoThousandAtOnceComeAtTheRateAndNumberThatHostsAreAllowed) {
  Stage stage(461);
  Client client = stage.cluster.client();
  ASSERT_EQ(
      client.put("/api/v3/cell/policy", R"({"hostLaunchesMax":8,"launchesPerMinute":1200,"launchBurst":10})")
          .status,
      200);
  std::vector<std::string> jobs;
  for (int n = 0; n < 4; ++n)
    jobs.push_back(
        client.submit({.size = 100, .memory_mb = 16, .disk_mb = 10, .script = "start=700ms run=1s"}));
  std::uint32_t most = 0;
  const auto all_done = [&] {
    std::map<std::string, std::uint32_t> counts;
    bool done = true;
    for (const std::string& job : jobs) {
      for (const auto& [host, count] : under_way(client.live_tasks(job))) counts[host] += count;
      done = done && client.job(job)->state == JobState::finished;
    }
    for (const auto& [host, count] : counts) most = std::max(most, count);
    return done;
  };
  for (int n = 0; n < 600 && !all_done(); ++n) stage.cluster.run_for(milliseconds(200));
  EXPECT_TRUE(all_done());
  EXPECT_LE(most, 8U);
  EXPECT_GE(most, 5U);
  std::vector<Time> launches;
  for (const std::string& job : jobs) {
    const auto some = launches_of(client.all_tasks(job));
    launches.insert(launches.end(), some.begin(), some.end());
  }
  std::sort(launches.begin(), launches.end());
  EXPECT_EQ(launches.size(), 400U);
  expect_within(launches, 10, 1'200, milliseconds(1));
  stage.story.expect_no_violation();
}

/// Tasks that must run on host-2, where they cannot be started the first time.
std::string bound_to_host_2(std::uint32_t size) {
  std::string json =
      to_json({.size = size, .memory_mb = 16, .disk_mb = 10, .script = "run=1s exit=0; attempt 0: fail"});
  json.insert(json.find("\"container\":{") + 13,
              R"("hardConstraints":{"constraints":{"machineId":"host-2"}},)");
  return json;
}

TEST(LaunchLimits, M12_alpha_AHostWhoseLaunchesFailRestsAndIsTriedWithOneLaunchAtATime) {
  Stage stage(462);
  Client client = stage.cluster.client();
  // What one job's tasks fail is one failure; the other job's is the second.
  std::vector<std::string> bound{client.submit(bound_to_host_2(10))};
  stage.cluster.run_for(milliseconds(500));
  bound.push_back(client.submit(bound_to_host_2(1)));
  stage.cluster.run_for(seconds(3));
  const Response host = client.get("/api/v3/hosts/host-2");
  EXPECT_TRUE(contains(host.body, "\"restsUntil\":")) << host.body;
  const std::string waits = client.live_tasks(bound.front()).back().id;
  EXPECT_TRUE(
      contains(client.get("/api/v3/tasks/" + waits + "/explain").body, "rests after launches that failed"));
  // The work that may go elsewhere does.
  stage.story.submit({.size = 30, .memory_mb = 16, .disk_mb = 10, .script = "run=1s exit=0"})
      .expect(JobState::finished, Reason::normal);
  // What goes well then brings it back.
  std::vector<Time> launches;
  for (const std::string& job : bound) {
    stage.story.job(job).expect(JobState::finished, Reason::normal);
    const auto some = launches_of(client.all_tasks(job));
    launches.insert(launches.end(), some.begin(), some.end());
  }
  std::sort(launches.begin(), launches.end());
  ASSERT_EQ(launches.size(), 22U);
  EXPECT_GE(launches[11] - launches[10], milliseconds(3'700)) << "five seconds, a quarter more or less";
  EXPECT_GT(launches[12], launches[11]) << "one at first";
  stage.story.expect_no_violation();
}

TEST(LaunchLimits, OfAGroupHoldBackThatGroupOnlyAndExplainSaysSo) {
  Stage stage(463);
  Client client = stage.cluster.client();
  ASSERT_EQ(
      client
          .post("/api/v2/management/applications",
                R"({"appName":"slow","tier":"Flex","instanceCPU":1,"instanceMemoryMB":1,"instanceCount":1,)"
                R"("launchBurst":2,"launchesPerMinute":6})")
          .status,
      201);
  JobStory slow = stage.story.submit({.capacity_group = "slow", .size = 8, .script = "run=forever"});
  stage.story.submit({.size = 50, .memory_mb = 16, .script = "run=10ms"}).expect(JobState::finished);
  stage.cluster.run_for(seconds(15));
  const auto tasks = client.live_tasks(slow.id());
  const auto waits = std::find_if(tasks.begin(), tasks.end(),
                                  [](const Task& task) { return task.state == TaskState::accepted; });
  ASSERT_NE(waits, tasks.end());
  const std::string why = client.get("/api/v3/tasks/" + waits->id + "/explain").body;
  EXPECT_TRUE(contains(why, R"("heldBack":"capacity group slow: 0 launches of 2 left, 6 a minute come)"))
      << why;
  slow.expect_running(8);
  expect_within(launches_of(client.live_tasks(slow.id())), 2, 6, milliseconds(1));
  stage.story.expect_no_violation();
}

}  // namespace
}  // namespace troupe::embedded
