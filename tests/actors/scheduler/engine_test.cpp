#include "actors/scheduler/engine.hpp"

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;
using test::job_like;

TEST(Engine, SpreadsTheTasksOfAServiceOverHosts) {
  EngineStory s;
  for (std::uint32_t i = 1; i <= 4; ++i) s.host(i, {4'000, 4'096, 10'000, 100, 0});
  const auto d = test::service_like({1'000, 512, 100, 10, 0});
  for (int i = 0; i < 4; ++i) s.task(d);
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 4U);
  std::set<HostId> hosts;
  for (const auto& p : plan.placements) hosts.insert(p.host);
  EXPECT_EQ(hosts.size(), 4U);
  EXPECT_FALSE(plan.more);
  EXPECT_EQ(plan.placements[0].eligibility, Index{1});
}

TEST(Engine, NeverOverbooksAHostAndBlocksTheClassThatFitsNowhere) {
  EngineStory s;
  s.host(1, {4'000, 1'000, 0, 0, 0});
  const auto d = job_like({1'000, 300, 0, 0, 0});
  for (int i = 0; i < 10; ++i) s.task(d);
  EXPECT_EQ(s.place().placements.size(), 3U) << "memory is what runs out";
  EXPECT_EQ(s.engine.status().blocked, 1U);
  EXPECT_EQ(s.place().evaluations, 0U) << "nothing has changed";
}

TEST(Engine, TriesABlockedClassAgainWhenATaskEnded) {
  EngineStory s;
  s.host(1, {2'000, 1'000, 0, 0, 0});
  const auto d = job_like({1'000, 100, 0, 0, 0});
  const TaskId first = s.task(d);
  for (int i = 0; i < 3; ++i) s.task(d);
  EXPECT_EQ(s.place().placements.size(), 2U);
  s.settle(first, Placed{{Index{10}}});
  EXPECT_TRUE(s.place().placements.empty());
  s.end(first, 1, d, 11);
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(Engine, ClassesDifferWhereJobsNeedOtherDrivers) {
  EngineStory s;
  for (const std::uint32_t id : {1U, 2U}) {
    auto facts = s.facts(id, {4'000, 4'000, 0, 0, 0});
    facts.drivers = {"oci"};
    if (id == 2) facts.drivers.insert(facts.drivers.end(), "oci.hostNetwork");
    s.engine.upsert_host(facts);
  }
  JobDescriptor d = *job_like({1'000, 100, 0, 0, 0});
  d.image.name = "film/encode";
  d.image.tag = "1";
  const auto plain = std::make_shared<const JobDescriptor>(d);
  d.attributes["troupe.network"] = "host";
  const auto open = std::make_shared<const JobDescriptor>(d);
  std::set<TaskId> needing;
  for (int n = 0; n < 3; ++n) {
    s.task_of(s.random.uuid<JobId>(), plain);
    needing.insert(s.task_of(s.random.uuid<JobId>(), open));
  }
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 6U);
  for (const auto& placement : plan.placements)
    if (needing.contains(placement.task)) {
      EXPECT_EQ(placement.host, HostId{2}) << "the other grants no network of its own";
    }
}

TEST(Engine, PlacesWhatAsksForNoPortsWhereTooManyAreHeld) {
  EngineStory s;
  s.host(1, {4'000, 4'000, 0, 0, 0, 4}, {1'000, 1'000, 0, 0, 0, 6});
  s.task(job_like({1'000, 100, 0, 0, 0}));
  s.task(job_like({1'000, 100, 0, 0, 0, 1}));
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(Engine, OrdersByTierThenPriorityThenFirstCome) {
  EngineStory s;
  s.host(1, {1'000, 1'000, 0, 0, 0});
  s.engine.put_group({"urgent", Tier::critical, {5'000, 5'000, 0, 0, 0}, {}});
  const auto d = job_like({1'000, 10, 0, 0, 0});
  const auto other = job_like({999, 10, 0, 0, 0});
  const TaskId third = s.task(d);
  const TaskId fourth = s.task(other);
  const TaskId second = s.task(other, 5);
  const TaskId first = s.task(test::in_group(d, "urgent"));
  for (const TaskId& expected : {first, second, third, fourth}) {
    const Plan plan = s.place();
    ASSERT_EQ(plan.placements.size(), 1U);
    EXPECT_EQ(plan.placements[0].task, expected);
    s.engine.forget(expected);
  }
}

TEST(Engine, PutsARefusedTaskBackAtItsPlaceWhenItHasRested) {
  EngineStory s;
  s.host(1, {1'000, 1'000, 0, 0, 0});
  const auto d = job_like({1'000, 10, 0, 0, 0});
  const TaskId first = s.task(d);
  const TaskId second = s.task(d);
  s.place();
  s.settle(first, Refused{ErrorCode::precondition_failed, "the host's shape has changed"});
  EXPECT_EQ(s.engine.status().resting, 1U);
  EXPECT_EQ(s.engine.next_wake(), s.now + Engine::rest_first);
  EXPECT_EQ(s.place().placements.at(0).task, second) << "what it held is free for others meanwhile";
  s.engine.forget(second);
  s.now = s.now + Engine::rest_first;
  EXPECT_EQ(s.place().placements.at(0).task, first);
  EXPECT_EQ(s.engine.next_wake(), std::nullopt);
  EXPECT_EQ(s.engine.status().refused, 1U);
}

TEST(Engine, LetsATaskRestLongerWithEachRefusal) {
  EngineStory s;
  s.host(1, {1'000, 1'000, 0, 0, 0});
  const TaskId task = s.task(job_like({1'000, 10, 0, 0, 0}));
  milliseconds rested{0};
  int refusals = 0;
  for (; rested < Engine::rest_max; ++refusals) {
    ASSERT_EQ(s.place().placements.size(), 1U);
    s.settle(task, Refused{ErrorCode::limit_exceeded, "the host is full"});
    const Instant until = s.engine.next_wake().value();
    EXPECT_GT(until - s.now, rested);
    rested = until - s.now;
    s.now = until - milliseconds(1);
    EXPECT_TRUE(s.place().placements.empty());
    EXPECT_EQ(s.engine.explain(task).last_refusal, "the host is full");
    s.now = until;
  }
  EXPECT_EQ(rested, Engine::rest_max);
  EXPECT_LT(refusals, 12);
  s.engine.forget(task);
  EXPECT_EQ(s.engine.status().queued, 0U);
}

TEST(Engine, ForgetsATaskThatRests) {
  EngineStory s;
  s.host(1, {1'000, 1'000, 0, 0, 0});
  const TaskId task = s.task(job_like({1'000, 10, 0, 0, 0}));
  s.place();
  s.settle(task, Refused{ErrorCode::conflict, "the host has changed"});
  s.engine.forget(task);
  EXPECT_EQ(s.engine.next_wake(), std::nullopt);
  s.now = s.now + Engine::rest_max;
  EXPECT_TRUE(s.place().placements.empty());
}

TEST(Engine, CountsNothingTwiceWhateverTheOrderOfViewsAndEvents) {
  EngineStory s;
  s.host(1, {2'000, 1'000, 0, 0, 0}, {}, {Index{5}});
  const auto d = job_like({1'000, 10, 0, 0, 0});
  const TaskId first = s.task(d);
  const TaskId other = s.random.task_of(s.job);
  s.place();
  // The view at 20 has the placement of 12 already.
  s.host(1, {2'000, 1'000, 0, 0, 0}, {1'000, 10, 0, 0, 0}, {Index{20}});
  s.settle(first, Placed{{Index{12}}});
  s.end(other, 1, d, 19);  // in the view as well
  s.task(d), s.task(d);
  EXPECT_EQ(s.place().placements.size(), 1U);
  // An older view does not bring back what has ended since.
  s.end(first, 1, d, 30);
  s.host(1, {2'000, 1'000, 0, 0, 0}, {1'000, 10, 0, 0, 0}, {Index{25}});
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(Engine, TellsTheEventsOfOneCommandApart) {
  EngineStory s;
  const auto d = job_like({1'000, 10, 0, 0, 0});
  // Two tasks of the host end by one command; the view was taken between the two.
  s.host(1, {2'000, 1'000, 0, 0, 0}, {1'000, 10, 0, 0, 0}, {Index{5}, 3});
  s.engine.task_ended({s.random.task_of(s.job), s.job, HostId{1}, d->resources, {Index{5}, 3}});
  for (int i = 0; i < 3; ++i) s.task(d);
  EXPECT_EQ(s.place().placements.size(), 1U);
  s.engine.task_ended({s.random.task_of(s.job), s.job, HostId{1}, d->resources, {Index{5}, 6}});
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(Engine, ForgettingATaskInFlightFreesWhatItHeld) {
  EngineStory s;
  s.host(1, {1'000, 1'000, 0, 0, 0});
  const auto d = job_like({1'000, 10, 0, 0, 0});
  const TaskId first = s.task(d);
  const TaskId second = s.task(d);
  s.place();
  s.engine.forget(first);
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 1U);
  EXPECT_EQ(plan.placements[0].task, second);
}

TEST(Engine, StopsAtItsBudgetAndSaysThatThereIsMore) {
  EngineStory s;
  s.host(1, {100'000, 100'000, 0, 0, 0});
  const auto d = job_like({1, 1, 0, 0, 0});
  for (int i = 0; i < 10; ++i) s.task(d);
  const Plan plan = s.engine.place(Instant{}, {.placements_max = 4, .evaluations_max = 1'000});
  EXPECT_EQ(plan.placements.size(), 4U);
  EXPECT_TRUE(plan.more);
  EXPECT_TRUE(s.engine.place(Instant{}, {.placements_max = 100, .evaluations_max = 1}).more);
}

TEST(Engine, FollowsAHostThatDrainsLeavesAndReturns) {
  EngineStory s;
  const Resources size{1'000, 1'000, 0, 0, 0};
  HostFacts host = s.host(1, size);
  const auto d = job_like({100, 10, 0, 0, 0});
  host.phase = HostPhase::draining;
  s.engine.upsert_host(host);
  const TaskId task = s.task(d);
  EXPECT_TRUE(s.place().placements.empty());
  EXPECT_EQ(s.engine.explain(task).reasons, (std::map<std::string, std::size_t>{{"not active", 1}}));
  host.phase = HostPhase::active;
  s.engine.upsert_host(host);
  EXPECT_EQ(s.place().placements.size(), 1U);
  s.engine.remove_host(HostId{1});
  s.settle(task, Refused{ErrorCode::conflict, "gone"});
  s.now = s.now + Engine::rest_max;
  EXPECT_TRUE(s.place().placements.empty());
  s.host(1, size);
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(Engine, KeepsHardConstraints) {
  struct Row {
    StringMap constraints;
    std::set<std::uint32_t> hosts;
  };
  const Row rows[] = {
      {{{"machineId", "host-2"}}, {2}},         {{{"machineGroup", "big"}}, {2, 3}},
      {{{"availabilityZone", "b"}}, {1, 3}},    {{{"availabilityZone", "b"}, {"machineGroup", "big"}}, {3}},
      {{{"machineType", "none"}}, {}},          {{{"uniqueHost", "true"}}, {1, 2, 3}},
      {{{"exclusiveHost", "true"}}, {1, 2, 3}}, {{{"uniqueHost", "false"}, {"machineId", "host-1"}}, {1}},
  };
  for (const Row& row : rows) {
    EngineStory s;
    for (std::uint32_t i = 1; i <= 3; ++i) {
      HostFacts host = s.facts(i, {100'000, 100'000, 0, 0, 0});
      host.host_group = i == 1 ? "small" : "big";
      host.attributes["availabilityZone"] = i == 2 ? "a" : "b";
      s.engine.upsert_host(host);
    }
    auto d = test::service_like({10, 10, 0, 0, 0});
    d = test::with_constraints(d, row.constraints);
    for (int i = 0; i < 12; ++i) s.task(d);
    std::set<std::uint32_t> hosts;
    const Plan plan = s.place();
    for (const auto& p : plan.placements) hosts.insert(p.host.value);
    EXPECT_EQ(hosts, row.hosts) << row.constraints.begin()->first;
    const bool is_single = row.constraints.begin()->second == "true";
    EXPECT_EQ(plan.placements.size(), is_single ? 3U : row.hosts.empty() ? 0U : 12U);
  }
}

TEST(Engine, KeepsOthersOffAnExclusiveHostUntilItIsEmpty) {
  EngineStory s;
  s.host(1, {10'000, 10'000, 0, 0, 0});
  const auto alone = test::with_constraints(job_like({10, 10, 0, 0, 0}), {{"exclusiveHost", "true"}});
  const auto any = job_like({20, 10, 0, 0, 0});
  const TaskId first = s.task(alone);
  const TaskId second = s.task(any);
  EXPECT_EQ(s.place().placements.at(0).task, first);
  EXPECT_EQ(s.engine.explain(second).reasons.begin()->first, "exclusiveHost");
  s.settle(first, Placed{{Index{3}}});
  EXPECT_TRUE(s.place().placements.empty());
  s.end(first, 1, alone, 4);
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(Engine, ExplainsByCountsAndQueuePosition) {
  EngineStory s;
  s.host(1, {100, 100, 0, 0, 0});
  s.host(2, {1'000, 5, 0, 0, 0});
  HostFacts away = s.facts(3, {1'000, 1'000, 0, 0, 0});
  away.connected = false;
  s.engine.upsert_host(away);
  const auto d = job_like({500, 10, 0, 0, 0});
  s.task(d);
  const TaskId second = s.task(d);
  s.place();
  const auto why = s.engine.explain(second);
  EXPECT_EQ(why.standing, Explanation::Standing::waiting);
  EXPECT_EQ(why.position, 1U);
  EXPECT_EQ(why.hosts, 3U);
  EXPECT_EQ(why.reasons,
            (std::map<std::string, std::size_t>{{"cpu", 1}, {"memory", 1}, {"not connected", 1}}));
  EXPECT_EQ(why.fitting, 0U);
}

TEST(Engine, AskForADriverByTheJobsAttribute) {
  EngineStory s;
  s.host(1, {1'000, 1'000, 0, 0, 0});
  JobDescriptor d = *job_like({1, 1, 0, 0, 0});
  d.attributes["troupe.driver"] = "oci";
  const TaskId task = s.task(std::make_shared<const JobDescriptor>(d));
  EXPECT_TRUE(s.place().placements.empty());
  EXPECT_EQ(s.engine.explain(task).reasons.begin()->first, "driver");
}

TEST(Engine, NeverPlacesAJobWithAnImageWhereNothingIsolates) {
  EngineStory s;
  HostFacts bare = s.facts(1, {1'000, 1'000, 0, 0, 0});
  bare.drivers = {"process"};
  s.engine.upsert_host(bare);
  JobDescriptor d = *job_like({1, 1, 0, 0, 0});
  s.task(std::make_shared<const JobDescriptor>(d));
  EXPECT_EQ(s.place().placements.size(), 1U);
  d.image = {"busybox", "1.36", ""};
  const TaskId task = s.task(std::make_shared<const JobDescriptor>(d));
  EXPECT_TRUE(s.place().placements.empty());
  EXPECT_EQ(s.engine.explain(task).reasons.begin()->first, "driver");
}

TEST(Engine, TakesUpATaskWhosePlanHadNoKnownOutcomeAndTheTruthThatComesLater) {
  EngineStory s;
  s.host(1, {1'000, 1'000, 0, 0, 0});
  const auto d = job_like({600, 10, 0, 0, 0});
  const TaskId first = s.task(d);
  s.place();
  s.settle(first, Refused{ErrorCode::outcome_unknown, ""});
  EXPECT_EQ(s.engine.explain(first).standing, Explanation::Standing::resting);
  s.settle(first, Placed{{Index{9}}, HostId{1}});
  s.task(d);
  EXPECT_TRUE(s.place().placements.empty()) << "the first one is there after all";
}

TEST(Launches, OnAHostAreHeldToWhatIsLeftUntilItIsToldAnew) {
  EngineStory s;
  auto slow = s.facts(1, {10'000, 10'000, 0, 0, 0});
  slow.launches_left = 2;
  s.engine.upsert_host(slow);
  const auto d = job_like({1'000, 100, 0, 0, 0});
  const auto tasks = s.tasks(d, 5);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 2}}));
  EXPECT_TRUE(s.engine.is_held(HostId{1}));
  EXPECT_EQ(s.engine.explain(tasks[4]).reasons, (std::map<std::string, std::size_t>{{"launches", 1}}));
  s.settle(tasks[0], Placed{{Index{5}}, HostId{1}});
  EXPECT_TRUE(s.place_counted().empty()) << "placed counts as well as in flight";
  slow.used = {1'000, 100, 0, 0, 0};
  slow.as_of = {Index{6}};
  slow.launches_left = 2;
  s.engine.upsert_host(slow);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}})) << "one is in flight";
  slow.as_of = {Index{7}};
  slow.launches_left = 0;
  s.engine.upsert_host(slow);
  EXPECT_TRUE(s.place_counted().empty());
  slow.as_of = {Index{8}};
  slow.launches_left = LaunchRoom::unlimited;
  s.engine.upsert_host(slow);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 2}}));
}

TEST(Launches, OfAHostThatIsHeldGoElsewhere) {
  EngineStory s;
  auto rests = s.facts(1, {10'000, 10'000, 0, 0, 0});
  rests.launches_left = 0;
  s.engine.upsert_host(rests);
  s.host(2, {10'000, 10'000, 0, 0, 0});
  s.tasks(job_like({1'000, 100, 0, 0, 0}), 5);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{2, 5}}));
}

TEST(Launches, OfAGroupAreHeldToWhatIsLeft) {
  EngineStory s;
  s.host(1, {100'000, 100'000, 0, 0, 0});
  GroupFacts slow{"slow", Tier::flex, {}, {}, {}, 3};
  s.engine.put_group(slow);
  const auto d = test::in_group(job_like({1'000, 100, 0, 0, 0}), "slow");
  const auto tasks = s.tasks(d, 5);
  s.tasks(job_like({1'000, 100, 0, 0, 0}), 5);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 8}}));
  EXPECT_NE(s.engine.explain(tasks[4]).held_back.find("group slow"), std::string::npos);
  for (int n = 0; n < 3; ++n) s.settle(tasks[static_cast<std::size_t>(n)], Placed{{Index{9}}, HostId{1}});
  slow.launches_left = 1;
  s.engine.put_group(slow);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}}));
}

}  // namespace
}  // namespace troupe::scheduler
