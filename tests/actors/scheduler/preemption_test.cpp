// Who gives way to whom, and what becomes of the room.

#include <gmock/gmock.h>

#include "actors/scheduler/preemptor.hpp"
#include "tests/actors/scheduler/preemption_story.hpp"

namespace troupe::scheduler {
namespace {

using test::in_group;
using test::job_like;
using test::PreemptionStory;
using test::units;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr milliseconds minute{60'000};

TEST(Preemption, TakesBackWhatWasLentAndNoMoreThanWasPromised) {
  PreemptionStory s;
  s.add_host(1, units(4));
  for (int n = 0; n < 4; ++n) s.run(1, in_group(job_like(units(1)), "borrower"));
  s.group("owner", Tier::critical, units(2));
  for (int n = 0; n < 3; ++n) s.wait(in_group(job_like(units(1)), "owner"));
  const Plan plan = s.place();
  EXPECT_TRUE(plan.placements.empty());
  ASSERT_EQ(plan.preemptions.size(), 2U) << "the third would be above its ceiling";
  EXPECT_EQ(plan.preemptions[0].victims.size(), 1U);
  EXPECT_EQ(plan.preemptions[0].host, HostId{1});
  EXPECT_EQ(plan.preemptions[0].victims[0].version, Index{7});
  EXPECT_EQ(s.engine.status().preempting, 2U);
  s.take(plan);
  EXPECT_TRUE(s.place().preemptions.empty()) << "they are on their way";
  for (const TaskId& victim : s.victims_of(plan)) {
    s.end(victim);
    const Plan next = s.place();
    ASSERT_EQ(next.placements.size(), 1U);
    s.take(next);
  }
  EXPECT_EQ(s.engine.status().preempting, 0U);
  EXPECT_EQ(s.running.size(), 4U);
}

TEST(Preemption, ANewEngineKeepsTheRoomOfThoseWhoAreBeingEnded) {
  PreemptionStory s;
  s.group("owner", Tier::critical, units(4));
  s.add_host(1, units(4));
  std::vector<TaskId> ending;
  for (int n = 0; n < 4; ++n) ending.push_back(s.run(1, in_group(job_like(units(1)), "borrower")));
  for (const TaskId& task : ending) {
    s.running.at(task).facts.is_leaving = true;
    s.engine.task_leaving(task, HostId{1}, units(1));
  }
  s.end(ending[0]);
  const TaskId wide = s.wait(in_group(job_like(units(2)), "owner"));
  const TaskId successor = s.wait(in_group(job_like(units(1)), "borrower"));
  EXPECT_TRUE(s.place().placements.empty()) << "one unit is free, and is one of the owner's two";
  EXPECT_EQ(s.engine.explain(wide).standing, Explanation::Standing::preempting);
  s.end(ending[1]);
  const Plan plan = s.place();
  EXPECT_TRUE(plan.preemptions.empty());
  ASSERT_EQ(plan.placements.size(), 1U);
  EXPECT_EQ(plan.placements[0].task, wide);
  s.take(plan);
  s.end(ending[2]);
  const Plan last = s.place();
  ASSERT_EQ(last.placements.size(), 1U);
  EXPECT_EQ(last.placements[0].task, successor) << "nobody keeps the rest";
}

TEST(Preemption, LeavesAGroupWhatItReserved) {
  PreemptionStory s;
  s.add_host(1, units(4));
  for (int n = 0; n < 4; ++n) s.run(1, in_group(job_like(units(1)), "lender"));
  s.group("lender", Tier::flex, units(3));
  s.group("owner", Tier::flex, units(9));
  for (int n = 0; n < 3; ++n) s.wait(in_group(job_like(units(1)), "owner"));
  EXPECT_EQ(s.place().preemptions.size(), 1U) << "one of four is borrowed";
}

TEST(Preemption, OfAGroupThatWouldBorrowItselfEndsNobody) {
  PreemptionStory s;
  s.add_host(1, units(2));
  for (int n = 0; n < 2; ++n) s.run(1, in_group(job_like(units(1)), "borrower"));
  s.group("owner", Tier::flex, units(1));
  const TaskId wide = s.wait(in_group(job_like(units(2)), "owner"));
  EXPECT_TRUE(s.place().preemptions.empty());
  EXPECT_EQ(s.engine.explain(wide).preemption.kind, PreemptionStanding::Kind::no_right);
  EXPECT_EQ(s.looks, 0U);
}

TEST(Preemption, EndsTheLowestPriorityThenTheYoungest) {
  PreemptionStory s;
  s.add_host(1, units(4));
  s.run(1, job_like(units(1)), 3 * minute, 1);
  s.run(1, job_like(units(1)), 1 * minute, 2);
  const TaskId younger = s.run(1, job_like(units(1)), 2 * minute, 1);
  s.run(1, job_like(units(1)), 0 * minute, 3);
  s.wait(job_like(units(1)), 3);
  EXPECT_THAT(s.victims_of(s.place()), ElementsAre(younger));
}

TEST(Preemption, EndsOneLargeTaskRatherThanManySmallOnes) {
  PreemptionStory s;
  s.add_host(1, units(4));
  s.add_host(2, units(4));
  for (int n = 0; n < 4; ++n) s.run(1, job_like(units(1)));
  s.run(2, job_like(units(1)));
  const TaskId wide = s.run(2, job_like(units(3)), 9 * minute);
  s.wait(job_like(units(3)), 1);
  EXPECT_THAT(s.victims_of(s.place()), ElementsAre(wide));
}

TEST(Preemption, OfSeveralEndsTheFewestThatMakeRoom) {
  PreemptionStory s;
  s.add_host(1, units(6));
  for (int n = 0; n < 2; ++n) s.run(1, job_like(units(1)));
  const TaskId a = s.run(1, job_like(units(2)), minute), b = s.run(1, job_like(units(2)), 2 * minute);
  s.wait(job_like(units(4)), 1);
  EXPECT_THAT(s.victims_of(s.place()), UnorderedElementsAre(a, b));
}

// What is borrowed is asked of one after the other: in another order apply would refuse the second.
TEST(Preemption, TellsItsVictimsInTheOrderInWhichTheyWereJudged) {
  PreemptionStory s;
  s.add_host(1, {3'000, 500, 0, 0, 0});
  const auto lent = [](Resources amount) { return in_group(job_like(amount), "lender"); };
  s.run(1, lent({1'000, 100, 0, 0, 0}), 3 * minute);
  const TaskId older = s.run(1, lent({2'000, 200, 0, 0, 0}), 2 * minute);
  const TaskId younger = s.run(1, lent({0, 200, 0, 0, 0}), minute);
  s.group("lender", Tier::flex, {1'000, 300, 0, 0, 0});
  s.group("owner", Tier::flex, units(9));
  s.wait(in_group(job_like({2'000, 400, 0, 0, 0}), "owner"));
  EXPECT_THAT(s.victims_of(s.place()), ElementsAre(younger, older));
}

TEST(Preemption, NeverEndsMoreOfAJobThanItsBudgetAllows) {
  PreemptionStory s;
  s.add_host(1, units(4));
  const JobId guarded = s.random.uuid<JobId>();
  for (int n = 0; n < 4; ++n) s.run(1, job_like(units(1)), {}, 0, guarded);
  s.left[guarded] = 1;
  const TaskId first = s.wait(job_like(units(1)), 1), second = s.wait(job_like(units(1)), 1);
  const Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 1U);
  EXPECT_EQ(plan.preemptions[0].task, first);
  EXPECT_EQ(s.engine.explain(first).standing, Explanation::Standing::preempting);
  EXPECT_EQ(s.engine.explain(first).preemption.victims, s.victims_of(plan));
  EXPECT_EQ(s.engine.explain(second).preemption.kind, PreemptionStanding::Kind::no_victims);
  s.wait(job_like(units(2)), 1);
  EXPECT_TRUE(s.place().preemptions.empty());
}

TEST(Preemption, WaitsForWhatIsEndingAnyway) {
  PreemptionStory s;
  s.add_host(1, units(2));
  const TaskId leaving = s.run(1, job_like(units(1)));
  s.run(1, job_like(units(1)));
  s.running.at(leaving).facts.is_leaving = true;
  const TaskId task = s.wait(job_like(units(1)), 1);
  EXPECT_TRUE(s.place().preemptions.empty());
  EXPECT_EQ(s.engine.explain(task).standing, Explanation::Standing::preempting);
  s.end(leaving);
  ASSERT_EQ(s.place().placements.size(), 1U);
}

TEST(Preemption, AsksFirstWhereOthersAreEndingAnyway) {
  PreemptionStory s;
  TaskId leaving;
  for (std::uint32_t n = 1; n <= 50; ++n) {
    s.add_host(n, units(1));
    const TaskId task = s.run(n, job_like(units(1)));
    if (n == 42) leaving = task;
  }
  s.running.at(leaving).facts.is_leaving = true;
  s.engine.task_leaving(leaving, HostId{42}, units(1));
  const TaskId first = s.wait(job_like(units(1)), 1), second = s.wait(job_like(units(1)), 1);
  const Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 1U) << "one of the two needs nobody to end";
  EXPECT_EQ(plan.preemptions[0].task, second);
  EXPECT_EQ(s.engine.explain(first).preemption.host, "host-42");
  s.end(leaving);
  ASSERT_EQ(s.place().placements.size(), 1U);
}

TEST(Preemption, KeepsTheRoomForTheOneItWasMadeFor) {
  PreemptionStory s;
  s.add_host(1, units(4));
  const TaskId victim = s.run(1, job_like(units(4)));
  const TaskId wide = s.wait(job_like(units(3)), 1);
  s.take(s.place());
  s.wait(job_like(units(2)));
  s.wait(job_like(units(1)));
  EXPECT_TRUE(s.place().placements.empty());
  s.end(victim);
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 2U);
  EXPECT_EQ(plan.placements[0].task, wide);
}

TEST(Preemption, ThatTheLogRefusedIsTriedAgainLater) {
  PreemptionStory s;
  s.add_host(1, units(1));
  const TaskId victim = s.run(1, job_like(units(1)));
  const TaskId task = s.wait(job_like(units(1)), 1);
  const Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 1U);
  s.engine.refuse_preemption(s.now, plan.preemptions[0], {ErrorCode::precondition_failed, "it has changed"});
  EXPECT_EQ(s.engine.explain(task).standing, Explanation::Standing::resting);
  EXPECT_EQ(s.engine.explain(task).last_refusal, "it has changed");
  EXPECT_TRUE(s.place().preemptions.empty());
  s.now = *s.engine.next_wake();
  EXPECT_THAT(s.victims_of(s.place()), ElementsAre(victim));
}

TEST(Preemption, ThatWasRefusedForATaskThatIsGoneLeavesItsVictimsToOthers) {
  PreemptionStory s;
  s.add_host(1, units(1));
  const TaskId victim = s.run(1, job_like(units(1)));
  const TaskId gone = s.wait(job_like(units(1)), 1);
  const Plan plan = s.place();
  s.engine.forget(gone);
  s.engine.refuse_preemption(s.now, plan.preemptions.at(0), {ErrorCode::not_found, "no live task"});
  s.wait(job_like(units(1)), 1);
  EXPECT_THAT(s.victims_of(s.place()), ElementsAre(victim));
}

TEST(Preemption, IsGivenUpWithTheTaskOrTheHostOrAfterALongTime) {
  PreemptionStory s;
  s.add_host(1, units(1));
  s.add_host(2, units(1));
  s.run(1, job_like(units(1)), minute);
  s.run(2, job_like(units(1)), 2 * minute);
  const TaskId first = s.wait(job_like(units(1)), 1);
  Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.at(0).host, HostId{1}) << "its task is the younger one";
  s.take(plan);
  auto facts = s.facts(1, units(1), units(1), {Index{s.index}});
  facts.phase = HostPhase::draining;
  s.engine.upsert_host(facts);
  plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 1U) << "the host takes no tasks any more";
  EXPECT_EQ(plan.preemptions[0].host, HostId{2});
  s.take(plan);
  s.now = s.now + Engine::claim_max;
  EXPECT_EQ(s.engine.next_wake(), s.now);
  s.place();
  EXPECT_EQ(s.engine.explain(first).standing, Explanation::Standing::preempting)
      << "what is ending still will do";
  s.engine.forget(first);
  EXPECT_EQ(s.engine.status().preempting, 0U);
  for (const TaskId& victim : s.victims_of(plan)) s.end(victim);
  s.wait(job_like(units(1)));
  EXPECT_EQ(s.place().placements.size(), 1U) << "its room is anybody's";
}

TEST(Preemption, MakesRoomBelowACeilingAmongItsOwn) {
  PreemptionStory s;
  s.add_host(1, units(9));
  const auto d = in_group(job_like(units(1)), "c");
  const TaskId low = s.run(1, d, minute, 1);
  s.run(1, d, minute, 5);
  s.run(1, in_group(job_like(units(1)), "borrower"));
  s.group("c", Tier::critical, units(2));
  const TaskId task = s.wait(d, 5);
  EXPECT_THAT(s.victims_of(s.place()), ElementsAre(low));
  s.running.at(low).facts.is_leaving = true;
  s.group("c", Tier::critical, units(2));
  s.end(low);
  s.group("c", Tier::critical, units(2));
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 1U);
  EXPECT_EQ(plan.placements[0].task, task);
}

TEST(Preemption, IsNotRedeemedAboveACeiling) {
  PreemptionStory s;
  s.add_host(1, units(9));
  const auto d = in_group(job_like(units(1)), "c");
  const TaskId low = s.run(1, d, minute, 1);
  s.run(1, d, minute, 5);
  s.group("c", Tier::critical, units(2));
  const TaskId task = s.wait(d, 5);
  s.take(s.place());
  s.group("c", Tier::critical, units(2));
  const Plan early = s.place();
  EXPECT_TRUE(early.placements.empty()) << "the host has room, and the victim has not ended";
  EXPECT_TRUE(early.preemptions.empty());
  EXPECT_EQ(s.engine.explain(task).standing, Explanation::Standing::preempting);
  s.end(low);
  s.group("c", Tier::critical, units(2));
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 1U);
  EXPECT_EQ(plan.placements[0].task, task);
}

TEST(Preemption, OfAClassThatFitNowhereHeedsACeilingReachedSince) {
  PreemptionStory s;
  const auto of_c = [](Resources amount) { return in_group(job_like(amount), "c"); };
  s.add_host(1, {2'000, 500, 0, 0, 0});
  s.run(1, of_c({500, 10, 0, 0, 0}));
  s.group("c", Tier::critical, {3'000, 1'000, 0, 0, 0});
  s.wait(of_c({2'000, 100, 0, 0, 0}), 1);
  Budget nobody;
  nobody.preemptions_max = 0;
  EXPECT_TRUE(s.engine.place(s.now, nobody).placements.empty()) << "it fits nowhere";
  s.add_host(2, {1'200, 500, 0, 0, 0});
  s.wait(of_c({1'200, 10, 0, 0, 0}), 2);
  const Plan plan = s.place();
  EXPECT_EQ(plan.placements.size(), 1U);
  EXPECT_THAT(s.victims_of(plan), IsEmpty()) << "the host would have room, and the group would not";
}

TEST(Preemption, IsNotRedeemedOnAHostThatLaunchesNothing) {
  PreemptionStory s;
  s.add_host(1, units(1));
  const TaskId victim = s.run(1, job_like(units(1)));
  const TaskId task = s.wait(job_like(units(1)), 1);
  s.take(s.place());
  s.end(victim);
  auto facts = s.facts(1, units(1), {}, {Index{s.index}});
  facts.launches_left = 0;
  s.engine.upsert_host(facts);
  EXPECT_TRUE(s.place().placements.empty());
  EXPECT_EQ(s.engine.explain(task).standing, Explanation::Standing::preempting) << "its room stays kept";
  facts.launches_left = 1;
  s.engine.upsert_host(facts);
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(Preemption, IsRedeemedAsItsGroupsLaunchesAllow) {
  PreemptionStory s;
  std::vector<TaskId> victims;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    s.add_host(n, units(1));
    victims.push_back(s.run(n, job_like(units(1))));
  }
  for (int n = 0; n < 2; ++n) s.wait(in_group(job_like(units(1)), "g"), 1);
  s.take(s.place());
  for (const TaskId& victim : victims) s.end(victim);
  s.engine.put_group({"g", Tier::flex, {}, {}, {}, 0});
  EXPECT_TRUE(s.place().placements.empty());
  s.engine.put_group({"g", Tier::flex, {}, {}, {}, 1});
  EXPECT_EQ(s.place().placements.size(), 1U) << "who waits for its room is not counted as a launch";
  s.engine.put_group({"g", Tier::flex, {}, {}, {}, 2});
  EXPECT_EQ(s.place().placements.size(), 1U) << "the first one flies still";
}

TEST(Preemption, KeepsNeighboursApart) {
  PreemptionStory s;
  for (std::uint32_t n = 1; n <= 2; ++n) {
    s.add_host(n, units(2));
    for (int i = 0; i < 2; ++i) s.run(n, job_like(units(1)), {}, 0, s.random.uuid<JobId>());
  }
  const auto apart = test::with_constraints(job_like(units(1)), {{"uniqueHost", "true"}});
  for (int n = 0; n < 3; ++n) s.wait(apart, 1);
  const Plan plan = s.place();
  ASSERT_EQ(plan.preemptions.size(), 2U);
  EXPECT_NE(plan.preemptions[0].host, plan.preemptions[1].host);
}

TEST(Preemption, InVainCostsNothingUntilSomethingChanges) {
  PreemptionStory s;
  for (std::uint32_t n = 1; n <= 5; ++n) {
    s.add_host(n, units(1));
    s.run(n, job_like(units(1)), {}, 1);
  }
  s.wait(job_like(units(1)), 1);
  EXPECT_TRUE(s.place().preemptions.empty());
  EXPECT_EQ(s.looks, 5U);
  EXPECT_EQ(s.engine.next_wake(), std::nullopt);
  s.now = s.now + Preemptor::pause_max;
  s.run(3, job_like(units(1)), {}, 1);
  ASSERT_TRUE(s.engine.next_wake().has_value());
  s.place();
  EXPECT_EQ(s.looks, 10U);
  EXPECT_GE(Preemptor::pause_first, milliseconds(1'000));
}

TEST(Preemption, LooksAtSoManyHostsAPassAndGoesOnWhereItWas) {
  PreemptionStory s;
  for (std::uint32_t n = 1; n <= 50; ++n) {
    s.add_host(n, units(1));
    s.run(n, job_like(units(1)), {}, n == 42 ? 0 : 1);
  }
  s.wait(job_like(units(1)), 1);
  Budget budget;
  budget.preemption_hosts_max = 10;
  for (int pass = 0; pass < 4; ++pass) {
    const Plan plan = s.engine.place(s.now, budget);
    EXPECT_TRUE(plan.more);
    EXPECT_THAT(s.victims_of(plan), IsEmpty());
  }
  EXPECT_EQ(s.engine.place(s.now, budget).preemptions.at(0).host, HostId{42});
}

TEST(Preemption, BelongsToWhoeverHasTheReservationNow) {
  PreemptionStory s;
  s.add_host(1, units(1));
  s.run(1, in_group(job_like(units(1)), "borrower"));
  s.group("owner", Tier::flex, {});
  s.wait(in_group(job_like(units(1)), "owner"));
  EXPECT_TRUE(s.place().preemptions.empty());
  s.group("owner", Tier::flex, units(1));
  EXPECT_EQ(s.place().preemptions.size(), 1U);
}

}  // namespace
}  // namespace troupe::scheduler
