// Gangs for which others end: all have their room, or nobody ends.

#include "actors/scheduler/preemptor.hpp"
#include "tests/actors/scheduler/preemption_story.hpp"

namespace troupe::scheduler {
namespace {

using test::in_group;
using test::job_like;
using test::units;
using test::with_constraints;

struct GangsPreempt : test::PreemptionStory {
  /// Two full hosts of so many places.
  explicit GangsPreempt(std::int64_t places = 2) {
    for (const std::uint32_t host : {1U, 2U}) {
      add_host(host, units(places));
      for (std::int64_t n = 0; n < places; ++n) low.push_back(run(host, job_like(units(1))));
    }
  }
  Plan place_later() {
    now = now + Preemptor::pause_max;
    return place();
  }
  std::vector<TaskId> low;
};

TEST(GangPreemption, EndsOthersForAllOfItAndStartsWhenAllHaveEnded) {
  GangsPreempt s;
  const auto gang = s.gang(3, job_like(units(1)), 5);
  const Plan plan = s.place();
  EXPECT_EQ(plan.preempting_together, (std::vector<std::uint32_t>{3}));
  const auto victims = s.victims_of(plan);
  ASSERT_EQ(victims.size(), 3U);
  s.take(plan);
  for (const TaskId& task : gang) {
    const Explanation why = s.engine.explain(task);
    EXPECT_EQ(why.standing, Explanation::Standing::preempting);
    EXPECT_EQ(why.preemption.victims.size(), 3U) << "of all of it";
    EXPECT_EQ(why.gang, 3U);
  }
  s.end(victims[0]);
  s.end(victims[1]);
  EXPECT_TRUE(s.place().placements.empty()) << "one has not ended";
  s.end(victims[2]);
  const Plan start = s.place();
  EXPECT_EQ(start.together, (std::vector<std::uint32_t>{3}));
  EXPECT_EQ(start.placements.size(), 3U);
  s.take(start);
  EXPECT_EQ(s.engine.status().preempting, 0U);
  EXPECT_EQ(s.engine.status().queued, 0U);
}

TEST(GangPreemption, ANewEngineKeepsTheRoomOfThoseWhoAreBeingEnded) {
  GangsPreempt s;
  for (std::size_t n = 0; n < 3; ++n) {
    s.running.at(s.low[n]).facts.is_leaving = true;
    s.engine.task_leaving(s.low[n], s.running.at(s.low[n]).host, units(1));
  }
  s.end(s.low[0]);
  const auto gang = s.gang(3, job_like(units(1)), 5);
  s.wait(job_like(units(1)));
  EXPECT_TRUE(s.place().placements.empty()) << "what is free is the gang's";
  EXPECT_EQ(s.engine.status().preempting, 3U);
  s.end(s.low[1]);
  s.end(s.low[2]);
  const Plan start = s.place();
  EXPECT_TRUE(start.preemptions.empty());
  EXPECT_EQ(start.together, (std::vector<std::uint32_t>{3}));
  EXPECT_EQ(start.placements.size(), 3U);
}

TEST(GangPreemption, EndsNobodyWhenOneOfItWouldHaveNoRoom) {
  GangsPreempt s;
  s.gang(5, job_like(units(1)), 5);
  EXPECT_TRUE(s.place().preemptions.empty()) << "four places are all there is";
  const TaskId next = s.wait(job_like(units(1)), 3);
  const Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 1U) << "it keeps no room from others";
  EXPECT_EQ(plan.preemptions[0].task, next);
  EXPECT_TRUE(plan.preempting_together.empty());
}

TEST(GangPreemption, LeavesNothingBehindWhenItFindsNoRoomForAll) {
  GangsPreempt s;
  s.add_host(3, units(2));
  const auto gang = s.gang(7, job_like(units(1)), 5);
  EXPECT_TRUE(s.place().preemptions.empty());
  EXPECT_EQ(s.engine.status().preempting, 0U);
  EXPECT_EQ(s.engine.explain(gang[0]).preemption.kind, PreemptionStanding::Kind::no_victims);
  const auto evaluations = s.engine.status().evaluations;
  const auto looks = s.looks;
  for (int n = 0; n < 10; ++n) s.place();
  EXPECT_EQ(s.engine.status().evaluations, evaluations);
  EXPECT_EQ(s.looks, looks) << "it costs nothing until something changes";
  s.wait(job_like(units(1)));
  s.wait(job_like(units(1)));
  EXPECT_EQ(s.place().placements.size(), 2U) << "what is free is free";
}

TEST(GangPreemption, TakesWhatIsFreeBesides) {
  GangsPreempt s;
  s.add_host(3, units(2));
  s.gang(3, job_like(units(1)), 5);
  const Plan plan = s.place();
  EXPECT_EQ(s.victims_of(plan).size(), 1U) << "two have room";
  s.wait(job_like(units(1)));
  EXPECT_TRUE(s.place().placements.empty()) << "that is kept for the gang";
  s.take(plan);
  s.end(s.victims_of(plan)[0]);
  EXPECT_EQ(s.place().together, (std::vector<std::uint32_t>{3}));
}

TEST(GangPreemption, WaitsForRoomForSeveralOnOneHost) {
  GangsPreempt s(3);
  s.gang(6, job_like(units(1)), 5);
  const Plan plan = s.place();
  s.take(plan);
  const auto victims = s.victims_of(plan);
  ASSERT_EQ(victims.size(), 6U);
  for (std::size_t n = 0; n + 1 < victims.size(); ++n) {
    s.end(victims[n]);
    EXPECT_TRUE(s.place().placements.empty()) << n;
  }
  s.end(victims.back());
  EXPECT_EQ(s.place().placements.size(), 6U);
}

TEST(GangPreemption, KeepsTheRelationsAmongItsTasks) {
  GangsPreempt s;
  s.gang(3, with_constraints(job_like(units(1)), {{"uniqueHost", "true"}}), 5);
  EXPECT_TRUE(s.place().preemptions.empty()) << "there are two hosts";
  s.gang(2, with_constraints(job_like(units(1)), {{"uniqueHost", "true"}}), 5);
  const Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 2U);
  EXPECT_NE(plan.preemptions[0].host, plan.preemptions[1].host);
}

TEST(GangPreemption, NeedsTheRightForEachOfItAndKeepsBudgets) {
  GangsPreempt s;
  s.gang(2, job_like(units(1)));
  EXPECT_TRUE(s.place().preemptions.empty()) << "it has no priority over anybody";
  s.left[s.job] = 1;
  s.gang(2, job_like(units(1)), 5);
  EXPECT_TRUE(s.place().preemptions.empty()) << "one may be disrupted";
  s.left[s.job] = 2;
  s.show(HostId{1});  // Something has changed.
  EXPECT_EQ(s.place_later().preemptions.size(), 2U);
}

TEST(GangPreemption, TakesBackWhatItsGroupReservedForAllOfIt) {
  for (const std::int64_t reserved : {1, 2}) {
    GangsPreempt s;
    s.group("owner", Tier::flex, units(reserved));
    s.gang(2, in_group(job_like(units(1)), "owner"));
    EXPECT_EQ(s.place().preemptions.size(), reserved == 2 ? 2U : 0U) << reserved;
  }
}

TEST(GangPreemption, ThatTheLogRefusesRestsWholeAndComesBack) {
  GangsPreempt s;
  const auto gang = s.gang(3, job_like(units(1)), 5);
  s.add_host(3, units(1));
  const Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 2U);
  for (const Preemption& end : plan.preemptions)
    s.engine.refuse_preemption(s.now, end, {ErrorCode::precondition_failed, "no"});
  EXPECT_EQ(s.engine.status().resting, 3U) << "also the one that had room";
  s.now = s.now + Engine::rest_max;
  const Plan again = s.place();
  EXPECT_EQ(again.preemptions.size(), 2U);
  EXPECT_EQ(s.engine.explain(gang[0]).last_refusal, "no");
}

TEST(GangPreemption, IsGivenUpWholeWhenOneOfItIsGone) {
  GangsPreempt s;
  const auto gang = s.gang(3, job_like(units(1)), 5);
  s.take(s.place());
  s.engine.forget(gang[1]);
  EXPECT_EQ(s.engine.status().preempting, 0U);
  EXPECT_EQ(s.engine.explain(gang[0]).standing, Explanation::Standing::waiting);
  EXPECT_TRUE(s.place().preemptions.empty()) << "two of three are no gang";
  for (const TaskId& task : {gang[0], gang[2]}) s.engine.forget(task);
  EXPECT_EQ(s.engine.status().queued, 0U);
}

TEST(GangPreemption, IsGivenUpWholeWhenAHostIsGoneOrTimePasses) {
  GangsPreempt s;
  s.gang(4, job_like(units(1)), 5);
  s.take(s.place());
  EXPECT_EQ(s.engine.status().preempting, 4U);
  s.engine.remove_host(HostId{1});
  s.place();
  EXPECT_EQ(s.engine.status().preempting, 0U);
  GangsPreempt t;
  t.gang(4, job_like(units(1)), 5);
  const Plan plan = t.place();
  t.take(plan);
  t.now = t.now + Engine::claim_max;
  const Plan next = t.place();
  EXPECT_TRUE(t.victims_of(next).empty()) << "those who are ending are enough";
}

TEST(GangPreemption, LooksForNobodyWhileItsGroupMayNotLaunchIt) {
  GangsPreempt s;
  const auto launches = [&](std::uint64_t left) {
    s.engine.put_group({"slow", Tier::flex, {}, units(4), {}, left, 4});
  };
  launches(1);
  s.gang(2, in_group(job_like(units(1)), "slow"), 5);
  EXPECT_TRUE(s.place().preemptions.empty());
  EXPECT_FALSE(s.engine.next_wake()) << "nothing but more launches helps";
}

TEST(GangPreemption, IsOffBeforeTheCellsLevelAllowsIt) {
  GangsPreempt s;
  s.gang(2, job_like(units(1)), 5);
  Budget budget;
  budget.gangs_preempt = false;
  EXPECT_TRUE(s.engine.place(s.now, budget).preemptions.empty());
  s.show(HostId{1});  // Something has changed.
  EXPECT_EQ(s.place_later().preemptions.size(), 2U);
}

TEST(GangPreemption, NeverOverbooksAndNeverEndsForAPart) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    GangsPreempt s(static_cast<std::int64_t>(random.between(1, 4)));
    for (int step = 0; step < 60; ++step) {
      if (random.chance(30))
        s.gang(static_cast<std::uint32_t>(random.between(1, 5)), job_like(units(random.between(1, 2))),
               static_cast<std::uint32_t>(random.below(4)));
      if (random.chance(20)) s.wait(job_like(units(1)), static_cast<std::uint32_t>(random.below(4)));
      s.now = s.now + milliseconds(random.between(0, 5'000));
      const Plan plan = s.place();
      std::size_t runs = 0;
      for (const std::uint32_t count : plan.preempting_together) runs += count;
      ASSERT_LE(runs, plan.preemptions.size());
      if (!plan.preemptions.empty() && random.chance(20)) {
        for (const Preemption& end : plan.preemptions)
          s.engine.refuse_preemption(s.now, end, {ErrorCode::precondition_failed, "no"});
        Plan rest = plan;
        rest.preemptions.clear();
        s.take(rest);
      } else {
        s.take(plan);
      }
      for (const auto& [host, total] : s.totals) {
        Resources used;
        for (const auto& [id, task] : s.running)
          if (task.host == host) used += task.facts.descriptor->resources;
        ASSERT_TRUE(used.fits_into(total)) << "seed " << seed << ", step " << step;
      }
      std::vector<TaskId> ending;
      for (const auto& [id, task] : s.running)
        if (task.facts.is_leaving && random.chance(50)) ending.push_back(id);
      for (const TaskId& id : ending) s.end(id);
    }
  }
}

TEST(Gangs, ThatFitNowhereHoldNobodyUpHoweverFewLaunchesAreLeft) {
  test::PreemptionStory s;
  s.add_host(1, units(2));
  s.gang(3, job_like(units(1)), 1);
  const TaskId behind = s.wait(job_like(units(1)));
  Budget budget;
  budget.launches_left = budget.placements_max = 1;
  const Plan plan = s.engine.place(s.now, budget);
  EXPECT_FALSE(plan.is_held);
  ASSERT_EQ(plan.placements.size(), 1U);
  EXPECT_EQ(plan.placements[0].task, behind);
}

TEST(Gangs, WaitForAllTheLaunchesThatTheCellEverAllowsAtOnce) {
  for (const auto& [most, enough] : {std::pair<std::uint64_t, std::uint64_t>{10, 3}, {2, 2}}) {
    test::PreemptionStory s;
    s.add_host(1, units(8));
    s.gang(3, job_like(units(1)), 1);
    s.wait(job_like(units(1)));
    Budget budget;
    budget.launches_most = most;
    budget.launches_left = enough - 1;
    budget.placements_max = budget.launches_left;
    const Plan early = s.engine.place(s.now, budget);
    EXPECT_TRUE(early.placements.empty()) << "nobody passes it";
    EXPECT_TRUE(early.is_held);
    budget.launches_left = budget.placements_max = enough;
    const Plan start = s.engine.place(s.now, budget);
    EXPECT_EQ(start.together, std::vector<std::uint32_t>{3});
    EXPECT_FALSE(start.is_held);
  }
}

}  // namespace
}  // namespace troupe::scheduler
