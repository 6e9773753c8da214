// Each score prefers what its sentence says, seen by where the engine puts a task.

#include "actors/scheduler/scores/score.hpp"

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;
using test::job_like;
using test::service_like;
using test::with_constraints;

constexpr Resources host_size{8'000, 8'000, 0, 0, 0};
constexpr Resources task_size{1'000, 1'000, 0, 0, 0};

std::uint32_t chosen(EngineStory& s) {
  const Plan plan = s.place();
  return plan.placements.empty() ? 0 : plan.placements.front().host.value;
}

TEST(Score, EachHasANameAndASentence) {
  std::set<std::string_view> names;
  for (const Score* score : scores()) {
    EXPECT_TRUE(names.insert(score->name).second);
    EXPECT_TRUE(score->sentence.ends_with("."));
  }
}

TEST(Score, BatchTasksFillTheFullestHostThatHasRoom) {
  EngineStory s;
  s.host(1, host_size);
  s.host(2, host_size, {5'000, 5'000, 0, 0, 0});
  s.host(3, host_size, {2'000, 2'000, 0, 0, 0});
  s.task(job_like(task_size));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, ServicesTakeTheEmptiestHost) {
  EngineStory s;
  s.host(1, host_size, {5'000, 5'000, 0, 0, 0});
  s.host(2, host_size, {1'000, 1'000, 0, 0, 0});
  s.host(3, host_size, {2'000, 2'000, 0, 0, 0});
  s.task(service_like(task_size));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, TheJobMayAskForTheOtherWay) {
  EngineStory s;
  s.host(1, host_size, {5'000, 5'000, 0, 0, 0});
  s.host(2, host_size);
  JobDescriptor d = *job_like(task_size);
  d.attributes["troupe.placement"] = "spread";
  s.task(std::make_shared<const JobDescriptor>(d));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, SoftConstraintsAreKeptWhereOneHostCanAndForbidNothing) {
  EngineStory s;
  for (std::uint32_t i = 1; i <= 40; ++i) {
    HostFacts host = s.facts(i, host_size);
    host.attributes["machineType"] = i == 40 ? "rare" : "usual";
    s.engine.upsert_host(host);
  }
  const auto d = with_constraints(job_like({5'000, 1'000, 0, 0, 0}), {}, {{"machineType", "rare"}});
  s.tasks(d, 2);
  const auto placed = s.place_counted();
  EXPECT_EQ(placed.size(), 2U);
  EXPECT_EQ(placed.count(40), 1U) << "the one host that it wants, though it is the last";
}

TEST(Score, OfSeveralSoftConstraintsMostAreKept) {
  EngineStory s;
  HostFacts none = s.facts(1, host_size, {7'000, 7'000, 0, 0, 0});
  HostFacts one = s.facts(2, host_size);
  one.attributes["cpuModel"] = "new";
  s.engine.upsert_host(none);
  s.engine.upsert_host(one);
  s.task(with_constraints(job_like(task_size), {}, {{"machineType", "rare"}, {"cpuModel", "new"}}));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, ASoftNeighbourWishIsKeptAsLongAsItCanBe) {
  EngineStory s;
  for (std::uint32_t i = 1; i <= 3; ++i) s.host(i, host_size);
  s.tasks(with_constraints(job_like(task_size), {}, {{"uniqueHost", "true"}}), 6);
  EXPECT_EQ(s.place_counted(), (std::map<std::uint32_t, int>{{1, 2}, {2, 2}, {3, 2}}));
}

TEST(Score, AHostThatHasTheImageIsPreferred) {
  EngineStory s;
  JobDescriptor d = *job_like(task_size);
  d.image = {"web", "1", ""};
  d.hard_constraints["machineId"] = "host-3";
  s.host(1, host_size, task_size);
  s.host(2, host_size, task_size);
  s.host(3, host_size);
  s.task(std::make_shared<const JobDescriptor>(d));
  EXPECT_EQ(chosen(s), 3U);
  d.hard_constraints.clear();
  s.task(std::make_shared<const JobDescriptor>(d));
  EXPECT_EQ(chosen(s), 3U);
}

TEST(Score, AHostOnWhichTasksFailToStartIsAvoided) {
  EngineStory s;
  s.host(1, host_size, task_size);
  s.host(2, host_size, task_size);
  s.engine.task_ended({s.random.task_of(s.job), s.job, HostId{1}, {}, {Index{9}}, true});
  s.task(job_like(task_size));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, HostsWithGpusAreKeptForTasksThatWantThem) {
  EngineStory s;
  s.host(1, {8'000, 8'000, 0, 0, 4}, {6'000, 6'000, 0, 0, 0});
  s.host(2, host_size);
  s.task(job_like(task_size));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, AHostWhoseGpusAreTakenIsAsGoodAsOneWithout) {
  EngineStory s;
  s.host(1, {8'000, 8'000, 0, 0, 4}, {1'000, 1'000, 0, 0, 1});
  s.host(2, {8'000, 8'000, 0, 0, 4}, {1'000, 1'000, 0, 0, 4});
  s.task(job_like(task_size));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, TasksWithGpusFillTheHostWhoseGpusAreFullest) {
  EngineStory s;
  s.host(1, {8'000, 8'000, 0, 0, 4}, {1'000, 1'000, 0, 0, 1});
  s.host(2, {8'000, 8'000, 0, 0, 4}, {1'000, 1'000, 0, 0, 3});
  Resources need = task_size;
  need.gpu = 1;
  s.task(job_like(need));
  EXPECT_EQ(chosen(s), 2U);
}

TEST(Score, AServicePrefersAHostWithFewLaunchesUnderWay) {
  EngineStory s;
  s.host(1, {64'000, 64'000, 0, 0, 0}, {1'000, 1'000, 0, 0, 0});
  s.host(2, {64'000, 64'000, 0, 0, 0}, {1'500, 1'500, 0, 0, 0});
  s.tasks(with_constraints(job_like({10, 10, 0, 0, 0}), {{"machineId", "host-1"}}), 40);
  s.place();
  s.task_of(s.random.uuid<JobId>(), service_like(task_size));
  EXPECT_EQ(chosen(s), 2U);
}

}  // namespace
}  // namespace troupe::scheduler
