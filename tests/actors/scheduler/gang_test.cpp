// Tasks that start at once or not at all.

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;
using test::in_group;
using test::job_like;
using test::units;
using test::with_constraints;

struct GangStory : EngineStory {
  /// So many tasks of a job that start at once; the first ones of them.
  std::vector<TaskId> gang(std::uint32_t size, const DescriptorPtr& descriptor,
                           std::uint32_t come = UINT32_MAX) {
    const JobId whose = random.uuid<JobId>();
    std::vector<TaskId> ids;
    for (std::uint32_t n = 0; n < std::min(size, come); ++n) ids.push_back(one_more(whose, size, descriptor));
    return ids;
  }
  TaskId one_more(const JobId& whose, std::uint32_t size, const DescriptorPtr& descriptor) {
    const TaskId id = random.task_of(whose);
    engine.enqueue(
        {id, whose, Index{1}, {Index{2}, static_cast<std::uint32_t>(++created)}, descriptor, 0, size});
    return id;
  }
};

TEST(Gangs, StartWholeOrNotAtAll) {
  GangStory s;
  s.host(1, units(3));
  s.host(2, units(2));
  const auto six = s.gang(6, job_like(units(1)));
  s.gang(4, job_like(units(1)));
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 4U) << "six do not fit, four do";
  EXPECT_EQ(plan.together, (std::vector<std::uint32_t>{4}));
  EXPECT_EQ(s.engine.status().blocked, 1U);
  s.host(3, units(5));
  EXPECT_EQ(s.place().together, (std::vector<std::uint32_t>{6}));
}

TEST(Gangs, LargerThanTheirGroupsLaunchesStartWhenAllOfThoseAreLeft) {
  GangStory s;
  s.host(1, units(9));
  const auto launches = [&](std::uint64_t left) {
    s.engine.put_group({"slow", Tier::flex, {}, {}, {}, left, 2});
  };
  launches(1);
  s.gang(5, in_group(job_like(units(1)), "slow"));
  EXPECT_TRUE(s.place().placements.empty());
  launches(2);
  EXPECT_EQ(s.place().together, (std::vector<std::uint32_t>{5}));
}

TEST(Gangs, WaitForTheirLastTask) {
  GangStory s;
  s.host(1, units(9));
  const JobId whose = s.random.uuid<JobId>();
  const auto d = job_like(units(1));
  const TaskId first = s.one_more(whose, 3, d);
  s.one_more(whose, 3, d);
  EXPECT_TRUE(s.place().placements.empty());
  EXPECT_EQ(s.engine.explain(first).gang, 3U);
  EXPECT_EQ(s.engine.explain(first).gang_waiting, 2U);
  s.one_more(whose, 3, d);
  EXPECT_EQ(s.place().placements.size(), 3U);
}

TEST(Gangs, StandFirstInAPlanAndDoNotHoldUpTheOthers) {
  GangStory s;
  s.host(1, units(5));
  const TaskId alone = s.task(job_like(units(1)));
  s.gang(9, job_like(units(1)));
  const auto two = s.gang(2, job_like(units(1)));
  s.task(job_like(units(1)));
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 4U);
  EXPECT_EQ(plan.together, (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(plan.placements[0].task, two[0]);
  EXPECT_EQ(plan.placements[2].task, alone);
}

TEST(Gangs, ThatFitNowhereCostNothingUntilSomethingIsBetter) {
  GangStory s;
  s.host(1, units(4));
  s.gang(5, job_like(units(1)));
  s.gang(5, with_constraints(job_like(units(1)), {{"uniqueHost", "true"}}));
  EXPECT_TRUE(s.place().placements.empty());
  const auto before = s.engine.status().evaluations;
  for (int n = 0; n < 10; ++n) s.place();
  EXPECT_EQ(s.engine.status().evaluations, before);
  s.engine.forget(s.task(job_like(units(9))));
  EXPECT_EQ(s.engine.status().evaluations, before);
}

TEST(Gangs, LeaveNothingBehindWhenTheyDoNotFit) {
  GangStory s;
  s.host(1, units(2));
  s.host(2, units(2));
  s.gang(5, job_like(units(1)));
  EXPECT_TRUE(s.place().placements.empty());
  for (int n = 0; n < 5; ++n) s.task(job_like(units(1)));
  EXPECT_EQ(s.place().placements.size(), 4U) << "all the room is there still";
}

TEST(Gangs, KeepTheirConstraintsAmongThemselves) {
  GangStory s;
  for (std::uint32_t n = 1; n <= 3; ++n) s.host(n, units(9));
  s.gang(4, with_constraints(job_like(units(1)), {{"uniqueHost", "true"}}));
  EXPECT_TRUE(s.place().placements.empty());
  s.host(4, units(9));
  std::set<HostId> hosts;
  for (const auto& placement : s.place().placements) hosts.insert(placement.host);
  EXPECT_EQ(hosts.size(), 4U);
}

TEST(Gangs, OfACriticalGroupNeedRoomBelowItsCeilingForAll) {
  GangStory s;
  s.host(1, units(9));
  s.engine.put_group({"c", Tier::critical, units(3), {}});
  s.gang(4, in_group(job_like(units(1)), "c"));
  EXPECT_TRUE(s.place().placements.empty());
  s.engine.put_group({"c", Tier::critical, units(4), {}});
  EXPECT_EQ(s.place().placements.size(), 4U);
}

TEST(Gangs, ThatWereRefusedRestAndComeBackWhole) {
  GangStory s;
  s.host(1, units(9));
  s.gang(3, job_like(units(1)));
  for (const auto& placement : s.place().placements)
    s.settle(placement.task, Refused{ErrorCode::conflict, "one has changed"});
  EXPECT_TRUE(s.place().placements.empty());
  s.now = s.now + Engine::rest_first;
  EXPECT_EQ(s.place().placements.size(), 3U);
}

TEST(Gangs, OfManyTasksNeedNoMoreThanOnePlan) {
  GangStory s;
  s.host(1, units(5'000));
  for (int n = 0; n < 10; ++n) s.task(job_like(units(1)));
  s.gang(1'000, job_like(units(1)));
  Plan plan = s.place();
  EXPECT_EQ(plan.placements.size(), 10U);
  EXPECT_TRUE(plan.more);
  plan = s.place();
  EXPECT_EQ(plan.together, (std::vector<std::uint32_t>{1'000}));
}

}  // namespace
}  // namespace troupe::scheduler
