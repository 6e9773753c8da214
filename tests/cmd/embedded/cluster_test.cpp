// The public library: the same body in both worlds, where it makes no sense to differ.

#include "tests/cmd/embedded/worlds.hpp"

namespace troupe::embedded {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class BothWorlds : public testing::TestWithParam<OneOfTwo> {};
INSTANTIATE_TEST_SUITE_P(Cluster, BothWorlds, testing::ValuesIn(both_worlds), name_of);

Failure::Kind kind_of(const std::function<void()>& call, std::string* what = nullptr) {
  try {
    call();
  } catch (const Failure& failure) {
    if (what != nullptr) *what = failure.what();
    return failure.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Failure::Kind::broken;
}

TEST_P(BothWorlds, AJobRunsToItsEnd) {
  Cluster cluster(GetParam().options(1));
  Scenario story(cluster);
  JobStory job = story.submit({.size = 2, .script = "start=20ms run=100ms exit=0 output='hello'"});
  job.task(0)
      .expect_each({TaskState::accepted, TaskState::launched, TaskState::start_initiated, TaskState::started})
      .expect(TaskState::finished, Reason::normal);
  job.task(1).expect(TaskState::finished, Reason::normal);
  job.expect(JobState::finished, Reason::normal);
  const Client client = cluster.client();
  EXPECT_EQ(client.logs(job.task(0).id()), "hello\n");
  EXPECT_TRUE(client.live_tasks(job.id()).empty());
  EXPECT_EQ(client.all_tasks(job.id()).size(), 2u);
  EXPECT_EQ(client.job(job.id())->state, JobState::finished);
  story.expect_no_violation();
}

TEST_P(BothWorlds, ARefusalIsAnAnswerToPlainCallsAndAFailureToTheOthers) {
  Cluster cluster(GetParam().options(2));
  const Client client = cluster.client(2);
  EXPECT_EQ(client.post("/api/v3/jobs", "{}").status, 400);
  EXPECT_EQ(client.get("/api/v3/jobs/00000000-0000-4000-8000-000000000000").status, 404);
  EXPECT_FALSE(client.job("00000000-0000-4000-8000-000000000000"));
  std::string what;
  EXPECT_EQ(kind_of([&] { client.submit("{}"); }, &what), Failure::Kind::refused);
  EXPECT_NE(what.find("400"), std::string::npos) << what;
  EXPECT_NE(what.find("applicationName"), std::string::npos) << what;
}

TEST_P(BothWorlds, HostGroupsHaveTheirOwnResourcesAndAttributes) {
  Options options = GetParam().options(3);
  options.hosts = {{.name = "small", .count = 2, .cpus = 1, .memory_mb = 512},
                   {.name = "large", .cpus = 16, .memory_mb = 4'096, .attributes = {{"zone", "b"}}}};
  Cluster cluster(options);
  EXPECT_EQ(cluster.hosts("small"), (std::vector<std::string>{"host-1", "host-2"}));
  EXPECT_EQ(cluster.hosts("large"), std::vector<std::string>{"host-3"});
  const std::string host = cluster.client().get("/api/v3/hosts/host-3").body;
  EXPECT_NE(host.find(R"("hostGroup":"large")"), std::string::npos) << host;
  EXPECT_NE(host.find(R"("attributes":{"zone":"b"})"), std::string::npos) << host;
  Scenario story(cluster);
  TaskStory wide =
      story.submit({.cpus = 4, .memory_mb = 1'024, .script = "run=forever; group large: output=large"})
          .task();
  EXPECT_EQ(wide.expect(TaskState::started).host(), "host-3");
  EXPECT_EQ(cluster.client().logs(wide.id()), "large\n");
}

TEST_P(BothWorlds, AFailedRegistryHoldsBackOnlyWhoLacksTheImage) {
  Cluster cluster(GetParam().options(6));
  Scenario story(cluster);
  const JobSpec known{.kind = JobSpec::Kind::service, .image = "known", .script = "run=forever"};
  TaskStory first = story.submit(known).task();
  first.expect(TaskState::started);
  cluster.fail_registry();
  JobSpec other = known;
  other.image = "other";
  JobStory waits = story.submit(other);
  story.expect("a task ends for want of its image", [&] {
    const auto tasks = cluster.client().all_tasks(waits.id());
    return std::any_of(tasks.begin(), tasks.end(), [](const Task& task) {
      return task.reason == Reason::local_system_error &&
             task.message.find("cannot get image other") != std::string::npos;
    });
  });
  story.submit({.image = {}, .script = "run=10ms exit=0"}).expect(JobState::finished, Reason::normal);
  EXPECT_NE(cluster.timeline().find("fail the registry"), std::string::npos);
  cluster.heal();
  waits.expect_running(1);
}

TEST_P(BothWorlds, AJobOutlivesTheNodeThatTookIt) {
  Cluster cluster(GetParam().options(4));
  Scenario story(cluster);
  JobStory job = story.submit({.kind = JobSpec::Kind::service, .size = 3, .script = "run=forever"});
  job.expect_running(3);
  const std::string first = job.task(0).id();
  const std::uint32_t leader = cluster.leader();
  cluster.crash_node(leader);
  JobStory later = story.submit({.size = 2, .script = "run=50ms exit=0"});
  later.expect(JobState::finished, Reason::normal);
  cluster.restart_node(leader);
  cluster.await_settled();
  EXPECT_EQ(cluster.client(leader).job(later.id())->state, JobState::finished);
  job.expect_running(3);
  EXPECT_EQ(job.task(0).id(), first);
  EXPECT_EQ(job.tasks_made(), 3u);
  story.expect_no_violation();
}

TEST_P(BothWorlds, AHostThatDiesIsReplaced) {
  Options options = GetParam().options(5);
  options.settings["host_lost_after_ms"] = "1000";
  Cluster cluster(options);
  Scenario story(cluster);
  JobStory job = story.submit({.kind = JobSpec::Kind::service, .script = "run=forever"});
  TaskStory task = job.task().expect(TaskState::started);
  const std::string host = task.host();
  cluster.kill_host(host);
  EXPECT_FALSE(cluster.is_up(host));
  task.expect(TaskState::finished, Reason::lost);
  EXPECT_NE(task.next().expect(TaskState::started).host(), host);
  cluster.restart_agent(host);
  cluster.await_settled();
}

TEST_P(BothWorlds, AnAgentThatComesBackHasItsContainers) {
  Cluster cluster(GetParam().options(6));
  Scenario story(cluster);
  TaskStory task = story.submit({.script = "run=forever"}).task().expect(TaskState::started);
  const std::string host = task.host();
  cluster.crash_agent(host);
  cluster.await_settled();
  cluster.restart_agent(host);
  cluster.await_settled();
  task.kill().expect(TaskState::finished, Reason::killed);
  EXPECT_EQ(task.resubmit(), 0u);
}

TEST_P(BothWorlds, AHostThatIsCutOffIsLostAndGivesUpItsTasks) {
  Options options = GetParam().options(7);
  options.settings["host_lost_after_ms"] = "1000";
  Cluster cluster(options);
  Scenario story(cluster);
  TaskStory task = story.submit({.kind = JobSpec::Kind::service, .script = "run=forever"})
                       .task()
                       .expect(TaskState::started);
  cluster.isolate_host(task.host());
  task.expect(TaskState::finished, Reason::lost).next().expect(TaskState::started);
  cluster.heal();
  cluster.await_settled();
}

TEST_P(BothWorlds, ANodeThatIsCutOffRejoins) {
  Cluster cluster(GetParam().options(8));
  Scenario story(cluster);
  const std::uint32_t leader = cluster.leader();
  cluster.isolate_node(leader);
  story.expect("another leader", [&] { return cluster.leader() != 0 && cluster.leader() != leader; });
  story.submit({.script = "run=10ms exit=0"}).expect(JobState::finished);
  cluster.heal();
  cluster.await_settled();
  story.expect_no_violation();
}

TEST_P(BothWorlds, AMuteNodeIsNotFollowed) {
  Cluster cluster(GetParam().options(9));
  const std::uint32_t leader = cluster.leader();
  for (std::uint32_t n = 1; n <= 3; ++n)
    if (n != leader) cluster.cut_link(leader, n);
  Scenario story(cluster);
  story.expect("another leader", [&] { return cluster.leader() != 0 && cluster.leader() != leader; });
  cluster.heal();
  cluster.await_settled();
}

TEST_P(BothWorlds, ANodeWhoseDiskFailsGivesUpAndAllElseGoesOn) {
  Cluster cluster(GetParam().options(10));
  Scenario story(cluster);
  const std::uint32_t victim = cluster.leader();
  cluster.fail_syncs(victim);
  story.expect("a new leader", [&] {
    (void)cluster.client(victim % 3 + 1).post("/api/v3/jobs", to_json({.script = "run=10ms exit=0"}));
    return cluster.leader() != 0 && cluster.leader() != victim;
  });
  bool told = false;
  for (const HistoryEvent& event : cluster.history())
    told |= event.text.find("node " + std::to_string(victim) + " gave up") == 0;
  EXPECT_TRUE(told) << cluster.timeline();
  cluster.crash_node(victim);
  cluster.restart_node(victim);
  cluster.await_settled();
}

TEST_P(BothWorlds, ClocksThatAreWrongLoseNothing) {
  Cluster cluster(GetParam().options(11));
  Scenario story(cluster);
  cluster.leap_clock(1, seconds(2));
  cluster.drift_clock(2, 50'000);
  JobStory job = story.submit({.size = 3, .script = "run=100ms exit=0"});
  job.expect(JobState::finished, Reason::normal);
  cluster.heal();
  cluster.await_settled();
  story.expect_no_violation();
}

TEST_P(BothWorlds, ANodeThatLostItsDiskMayNotComeBackUnderItsNumber) {
  Cluster cluster(GetParam().options(12));
  Scenario story(cluster);
  const std::uint32_t lost = cluster.leader() % 3 + 1;
  cluster.lose_disk(lost);
  cluster.restart_node(lost);
  story.expect("it is refused", [&] { return cluster.client(lost).get("/health").status != 200; });
  JobSpec spec;
  spec.script = "run=1s exit=0";
  story.submit(spec).expect(JobState::finished);
  EXPECT_NE(cluster.client(lost).get("/health").status, 200) << "it forgot how it voted";
  story.expect_no_violation();
}

TEST_P(BothWorlds, WhatTheCallerGetsWrongIsSaid) {
  Cluster cluster(GetParam().options(13));
  EXPECT_EQ(kind_of([&] { cluster.crash_node(4); }), Failure::Kind::invalid);
  EXPECT_EQ(kind_of([&] { cluster.restart_node(1); }), Failure::Kind::invalid);
  EXPECT_EQ(kind_of([&] { cluster.crash_agent("host-9"); }), Failure::Kind::invalid);
  cluster.crash_node(1);
  std::string what;
  EXPECT_EQ(kind_of([&] { cluster.crash_node(1); }, &what), Failure::Kind::invalid);
  EXPECT_NE(what.find("cannot crash node 1: it is down"), std::string::npos) << what;
  EXPECT_EQ(cluster.client(1).get("/health").status, 0);
}

TEST_P(BothWorlds, SettingsAndPoliciesAreGivenByName) {
  Options options = GetParam().options(14);
  options.settings = {{"tasks_max", "5"}, {"lease_ms", "900"}};
  Cluster cluster(options);
  EXPECT_EQ(cluster.client().post("/api/v3/jobs", to_json({.size = 6})).status, 429);
  EXPECT_EQ(cluster.client().post("/api/v3/jobs", to_json({.size = 5})).status, 202);
}

TEST(ClusterOptions, WhatIsWrongWithThemIsSaid) {
  std::string what;
  Options options = simulated(1);
  options.settings = {{"lease_mss", "900"}};
  EXPECT_EQ(kind_of([&] { Cluster cluster(options); }, &what), Failure::Kind::invalid);
  EXPECT_NE(what.find("lease_ms"), std::string::npos) << what;
  options.settings = {{"tasks_max", "many"}};
  EXPECT_EQ(kind_of([&] { Cluster cluster(options); }, &what), Failure::Kind::invalid);
  EXPECT_NE(what.find("tasks_max must be a whole number above 0"), std::string::npos) << what;
  options.settings.clear();
  options.driver = Driver::process;
  EXPECT_EQ(kind_of([&] { Cluster cluster(options); }), Failure::Kind::invalid);
}

TEST(SimulatedCluster, TheSameSeedGivesTheSameHistory) {
  const auto live = [](std::uint64_t seed) {
    Cluster cluster(simulated(seed));
    Scenario story(cluster);
    JobStory job = story.submit({.size = 3, .script = "run=100ms exit=0"});
    job.expect(JobState::finished);
    cluster.crash_node(2);
    cluster.run_for(seconds(3));
    cluster.restart_node(2);
    cluster.await_settled();
    return std::pair(cluster.history_hash(), cluster.timeline());
  };
  const auto first = live(20);
  EXPECT_EQ(first, live(20));
  EXPECT_NE(first.first, live(21).first);
}

TEST(SimulatedCluster, AnHourPassesInAMoment) {
  Cluster cluster(simulated(22));
  const Time before = cluster.now();
  cluster.run_for(std::chrono::hours(1));
  EXPECT_EQ(cluster.now() - before, std::chrono::hours(1));
}

TEST(SimulatedCluster, AFrozenNodeGoesOnWhereItWas) {
  Cluster cluster(simulated(23));
  Scenario story(cluster);
  const std::uint32_t leader = cluster.leader();
  cluster.freeze_node(leader);
  story.submit({.script = "run=10ms exit=0"}).expect(JobState::finished);
  EXPECT_NE(cluster.leader(), 0u);
  cluster.thaw_node(leader);
  cluster.await_settled();
  story.expect_no_violation();
}

TEST(SimulatedCluster, AnAgentThatLocksUpIsReplacedAndGivesUpItsTasksWhenItGoesOn) {
  Options options = simulated(25);
  options.settings["host_lost_after_ms"] = "2000";
  Cluster cluster(options);
  Scenario story(cluster);
  JobStory job = story.submit({.kind = JobSpec::Kind::service, .script = "run=forever"});
  TaskStory task = job.task().expect(TaskState::started);
  cluster.freeze_agent(task.host());
  task.expect(TaskState::finished, Reason::lost);
  job.expect_running(1);
  EXPECT_NE(cluster.timeline(job.id()).find("freeze the agent of " + std::string(task.host())),
            std::string::npos);
  cluster.heal();
  cluster.await_settled();
  story.expect_no_violation();
}

TEST(SimulatedCluster, SlowLinksASlowAgentAndAStrangerChangeNothingButTheTime) {
  Cluster cluster(simulated(26));
  Scenario story(cluster);
  const Time begun = cluster.now();
  cluster.slow_link(1, 2, milliseconds(100));
  for (const std::string& host : cluster.hosts()) cluster.slow_agent(host, milliseconds(300));
  cluster.start_stray_agent();
  story.submit({.size = 4, .script = "run=10ms exit=0"}).expect(JobState::finished, Reason::normal);
  EXPECT_GT(cluster.now() - begun, milliseconds(600));
  cluster.heal();
  const Time healed = cluster.now();
  story.submit({.size = 4, .script = "run=10ms exit=0"}).expect(JobState::finished, Reason::normal);
  EXPECT_LT(cluster.now() - healed, milliseconds(600));
  story.expect_no_violation();
}

TEST(RealCluster, WhatItCannotDoItSays) {
  Cluster cluster(real());
  std::string what;
  EXPECT_EQ(kind_of([&] { cluster.freeze_node(1); }, &what), Failure::Kind::unsupported);
  EXPECT_NE(what.find("isolate_node"), std::string::npos) << what;
  EXPECT_EQ(kind_of([&] { cluster.slow_link(1, 2, milliseconds(5)); }, &what), Failure::Kind::unsupported);
  EXPECT_NE(what.find("only a simulated cluster can slow the link"), std::string::npos) << what;
  EXPECT_EQ(kind_of([&] { (void)cluster.history_hash(); }), Failure::Kind::unsupported);
}

TEST(RealCluster, RunsProcesses) {
  Options options = real();
  options.driver = Driver::process;
  options.nodes = 1;
  options.hosts = {{.cpus = 2}};
  Cluster cluster(options);
  Scenario story(cluster);
  JobStory job = story.submit({.command = {"/bin/sh", "-c", "echo from a process; sleep 0.5; exit 3"}});
  job.task().expect(TaskState::started).expect(TaskState::finished, Reason::failed);
  EXPECT_EQ(cluster.client().task(job.task().id())->exit_code, 3);
  EXPECT_EQ(cluster.client().logs(job.task().id()), "from a process\n");
  EXPECT_EQ(kind_of([&] { cluster.kill_host("host-1"); }), Failure::Kind::unsupported);
  EXPECT_EQ(kind_of([&] { cluster.fail_registry(); }), Failure::Kind::unsupported);
}

TEST(Stories, AFailedExpectationShowsTheTimelineAndHowToRepeatIt) {
  Options options = simulated(24);
  options.settings["host_lost_after_ms"] = "2000";
  Cluster cluster(options);
  Scenario story(cluster, seconds(10));
  JobStory job = story.submit({.size = 1, .script = "start=20ms run=forever"});
  TaskStory task = job.task().expect(TaskState::started);
  cluster.note("the lights go out");
  cluster.kill_host(task.host());
  cluster.crash_node(cluster.leader());
  std::string what;
  EXPECT_EQ(kind_of([&] { task.expect(TaskState::finished, Reason::normal); }, &what),
            Failure::Kind::unexpected);
  for (const char* part :
       {"cluster_test.cpp:", "task 0 should be Finished (normal); it went Accepted", "Finished (lost)",
        "Accepted -> Launched on host-", "Started -> Finished (lost), archived", "*** the lights go out",
        "*** kill host-", "*** crash node ", " nodes 1 2 3\n", "(seed 24; repeat: TROUPE_SEED=24 ",
        "--gtest_filter=Stories.AFailedExpectation"})
    EXPECT_NE(what.find(part), std::string::npos) << part << " is missing in:\n" << what;
}

TEST(Stories, AStateThatWasPassedIsNotAwaited) {
  Cluster cluster(simulated(25));
  Scenario story(cluster);
  TaskStory task = story.submit({.script = "run=10ms exit=0"}).task().expect(TaskState::finished);
  const Time before = cluster.now();
  EXPECT_EQ(kind_of([&] { task.expect(TaskState::started); }), Failure::Kind::unexpected);
  EXPECT_EQ(
      kind_of([&] { story.job("00000000-0000-4000-8000-000000000000").task().expect(TaskState::started); }),
      Failure::Kind::timeout);
  EXPECT_GE(cluster.now() - before, seconds(60));
}

TEST(Stories, WhatHappenedWhileNobodyListenedIsFoundOut) {
  Cluster cluster(simulated(26));
  Scenario story(cluster);
  JobStory job = story.submit({.size = 4, .script = "start=20ms run=300ms exit=0"});
  job.task(0).expect(TaskState::started);
  for (std::uint32_t node = 1; node <= 3; ++node) cluster.crash_node(node);
  cluster.run_for(seconds(5));
  for (std::uint32_t node = 1; node <= 3; ++node) cluster.restart_node(node);
  for (std::uint32_t index = 0; index < 4; ++index)
    job.task(index).expect(TaskState::finished, Reason::normal);
  job.expect(JobState::finished, Reason::normal);
}

}  // namespace
}  // namespace troupe::embedded
