// Relations between tasks: unique hosts, balance over zones, affinity and its opposite.

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;
using test::job_like;
using test::units;
using test::with_constraints;

constexpr Resources large{100'000, 100'000, 0, 0, 0};
constexpr Resources small_task{10, 10, 0, 0, 0};

/// Hosts 1 to `count`, of zones a, b, c in turn and racks of two hosts.
void zoned_hosts(EngineStory& s, std::uint32_t count) {
  for (std::uint32_t i = 1; i <= count; ++i) {
    HostFacts host = s.facts(i, large);
    host.attributes["availabilityZone"] = std::string(1, static_cast<char>('a' + (i - 1) % 3));
    host.attributes["rack"] = "r" + std::to_string((i - 1) / 2);
    s.engine.upsert_host(host);
  }
}
std::map<std::uint32_t, int> by_zone(const std::map<std::uint32_t, int>& by_host) {
  std::map<std::uint32_t, int> zones;
  for (const auto& [host, tasks] : by_host) zones[(host - 1) % 3] += tasks;
  return zones;
}

TEST(Neighbours, AUniqueHostIsRememberedByANewLeaderThatLooksItUp) {
  EngineStory s;
  const TaskId running = s.random.task_of(s.job);
  Lookups lookups;
  lookups.places_of = [&](const JobId& job) {
    return job == s.job ? std::vector<Lookups::Place>{{running, HostId{1}}} : std::vector<Lookups::Place>{};
  };
  s.engine = Engine(std::move(lookups));
  zoned_hosts(s, 2);
  const auto d = with_constraints(job_like(small_task), {{"uniqueHost", "true"}});
  s.tasks(d, 2);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{2, 1}}));
  s.engine.task_ended({running, s.job, HostId{1}, {}, {Index{5}}});
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}}));
}

TEST(Neighbours, ATaskThatMovesCountsForItsNewJobOnly) {
  EngineStory s;
  const TaskId running = s.random.task_of(s.job);
  Lookups lookups;
  lookups.places_of = [&](const JobId& job) {
    return job == s.job ? std::vector<Lookups::Place>{{running, HostId{1}}} : std::vector<Lookups::Place>{};
  };
  s.engine = Engine(std::move(lookups));
  zoned_hosts(s, 2);
  const auto d = with_constraints(job_like(small_task), {{"uniqueHost", "true"}});
  s.tasks(d, 2);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{2, 1}}));
  s.engine.task_moved(running, s.job, s.random.uuid<JobId>(), HostId{1});
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}}));
}

TEST(Neighbours, ATaskThatArrivesFromAnotherJobCounts) {
  EngineStory s;
  zoned_hosts(s, 2);
  const auto d = with_constraints(job_like(small_task), {{"uniqueHost", "true"}});
  s.tasks(d, 1);
  const auto first = s.place_counted();
  ASSERT_EQ(first.size(), 1U);
  const HostId other{first.begin()->first == 1 ? 2U : 1U};
  s.engine.task_moved(s.random.task_of(s.job), s.random.uuid<JobId>(), s.job, other);
  s.tasks(d, 1);
  EXPECT_TRUE(s.place_counted().empty()) << "both hosts have one";
}

TEST(Neighbours, AnExclusiveTaskIsRememberedByANewLeaderThatLooksItUp) {
  EngineStory s;
  Lookups lookups;
  lookups.is_exclusive = [](HostId host) { return host == HostId{1}; };
  s.engine = Engine(std::move(lookups));
  s.host(1, large, small_task);
  s.host(2, large, small_task);
  s.tasks(job_like(small_task), 4);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{2, 4}}));
}

TEST(Neighbours, ZoneBalanceSpreadsEvenlyAndWaitsForAZoneThatIsFull) {
  EngineStory s;
  zoned_hosts(s, 6);
  const auto d = with_constraints(job_like(small_task), {{"zoneBalance", "true"}});
  s.tasks(d, 9);
  EXPECT_EQ(by_zone(s.place_counted()), (std::map<std::uint32_t, int>{{0, 3}, {1, 3}, {2, 3}}));
  // Zone c takes no more: one above it is the most that the others may have.
  for (const std::uint32_t full : {3U, 6U}) {
    HostFacts host = s.facts(full, small_task, small_task, {Index{9}});
    host.attributes["availabilityZone"] = "c";
    s.engine.upsert_host(host);
  }
  const auto waiting = s.tasks(d, 6);
  EXPECT_EQ(by_zone(s.place_counted()), (std::map<std::uint32_t, int>{{0, 1}, {1, 1}}));
  EXPECT_EQ(s.engine.explain(waiting.back()).reasons.count("zoneBalance"), 1U);
}

TEST(Neighbours, ASoftZoneBalanceForbidsNothing) {
  EngineStory s;
  zoned_hosts(s, 3);
  const auto d = with_constraints(job_like({40'000, 10, 0, 0, 0}), {}, {{"zoneBalance", "true"}});
  s.tasks(d, 3);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}, {2, 1}, {3, 1}}));
  s.engine.remove_host(HostId{3});
  s.tasks(d, 3);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}, {2, 1}})) << "no more room";
}

TEST(Neighbours, TopologySpreadKeepsTheSkewThatItAllows) {
  EngineStory s;
  zoned_hosts(s, 3);
  HostFacts narrow = s.facts(3, {20, 20, 0, 0, 0}, {}, {Index{2}});
  narrow.attributes["availabilityZone"] = "c";
  s.engine.upsert_host(narrow);
  const auto d = with_constraints(job_like(small_task), {{"topologySpread", "zone:3"}});
  s.tasks(d, 30);
  // Zone c has room for two, and the others may be three above it.
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 5}, {2, 5}, {3, 2}}));
}

TEST(Neighbours, ASpreadOverHostsGoesOnWhenTheEmptiestHostCatchesUp) {
  EngineStory s;
  s.host(1, units(4));
  s.host(2, units(4), units(4), {Index{5}});
  const auto d = with_constraints(test::service_like(units(1)), {{"topologySpread", "host:1"}});
  s.tasks(d, 3);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}})) << "the other one has none of them";
  s.host(2, units(4), units(3), {Index{6}});
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 1}, {2, 1}}));
}

TEST(Neighbours, TopologySpreadOverHostsAndZonesTogether) {
  EngineStory s;
  zoned_hosts(s, 6);
  const auto d = with_constraints(job_like(small_task), {{"topologySpread", "zone:1,host:1"}});
  s.tasks(d, 12);
  for (const auto& [host, tasks] : s.place_counted()) EXPECT_EQ(tasks, 2) << "host " << host;
}

TEST(Neighbours, AffinityKeepsAJobInTheRackWhereItBegan) {
  EngineStory s;
  zoned_hosts(s, 6);
  const auto d = with_constraints(job_like({30'000, 10, 0, 0, 0}), {{"jobAffinity", "rack"}});
  s.tasks(d, 20);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 3}, {2, 3}})) << "a rack has two hosts";
}

TEST(Neighbours, AffinityToAnotherJobWaitsForItAndFollowsIt) {
  EngineStory s;
  zoned_hosts(s, 6);
  const JobId other = s.random.uuid<JobId>();
  const auto d = with_constraints(job_like(small_task), {{"jobAffinity", "host=" + to_text(other)}});
  const TaskId follower = s.task(d);
  EXPECT_TRUE(s.place().placements.empty());
  EXPECT_EQ(s.engine.explain(follower).reasons.at("jobAffinity"), 6U);
  const auto there = with_constraints(job_like(small_task), {{"machineId", "host-5"}});
  s.task_of(other, there);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{5, 1}}));
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{5, 1}}));
}

TEST(Neighbours, AntiAffinityPutsOneTaskInAZone) {
  EngineStory s;
  zoned_hosts(s, 6);
  const auto d = with_constraints(job_like(small_task), {{"jobAntiAffinity", "zone"}});
  const auto tasks = s.tasks(d, 5);
  EXPECT_EQ(by_zone(s.place_counted()), (std::map<std::uint32_t, int>{{0, 1}, {1, 1}, {2, 1}}));
  EXPECT_EQ(s.engine.explain(tasks.back()).reasons.at("jobAntiAffinity"), 6U);
  s.settle(tasks[0], Refused{ErrorCode::conflict, "no"});
  EXPECT_EQ(s.place_counted().size(), 1U) << "its zone is free again";
}

TEST(Neighbours, AHostThatMovesToAnotherZoneTakesItsTasksAlong) {
  EngineStory s;
  zoned_hosts(s, 3);
  const auto d = with_constraints(job_like(small_task), {{"jobAntiAffinity", "zone"}});
  s.tasks(d, 3);
  EXPECT_EQ(s.place_counted().size(), 3U);
  HostFacts moved = s.facts(3, large, {}, {Index{2}});
  moved.attributes["availabilityZone"] = "a";
  s.engine.upsert_host(moved);
  HostFacts fresh = s.facts(4, large);
  fresh.attributes["availabilityZone"] = "c";
  s.engine.upsert_host(fresh);
  s.tasks(d, 2);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{4, 1}})) << "zone c is empty now, a has two";
}

}  // namespace
}  // namespace troupe::scheduler
