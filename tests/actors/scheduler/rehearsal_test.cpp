// What would become of tasks that nobody has made.

#include "tests/actors/scheduler/preemption_story.hpp"

namespace troupe::scheduler {
namespace {

using test::in_group;
using test::job_like;
using test::PreemptionStory;
using test::units;

struct RehearsalStory : PreemptionStory {
  Rehearsal rehearse(const DescriptorPtr& descriptor, std::size_t count, std::uint32_t priority = 0) {
    return engine.rehearse({{}, random.uuid<JobId>(), {}, {Index{99}}, descriptor, priority}, count, now);
  }
};

TEST(Rehearsals, TellThePlacesThatThePassThenTakes) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    RehearsalStory s;
    Random random(seed);
    for (std::uint32_t n = 1; n <= 10; ++n) s.add_host(n, {random.between(1'000, 4'000), 400, 0, 0, 0});
    for (int n = 0; n < 8; ++n) s.wait(job_like({random.between(100, 900), 10, 0, 0, 0}));
    s.take(s.place());
    const auto d = random.chance(50) ? job_like({700, 10, 0, 0, 0}) : test::service_like({700, 10, 0, 0, 0});
    const auto before = s.engine.status();
    const Rehearsal told = s.rehearse(d, 6);
    EXPECT_EQ(s.engine.status().classes, before.classes);
    EXPECT_EQ(s.engine.status().in_flight, before.in_flight);
    const Rehearsal again = s.rehearse(d, 6);
    ASSERT_EQ(told.places.size(), again.places.size()) << "seed " << seed;
    for (std::size_t n = 0; n < told.places.size(); ++n) EXPECT_EQ(told.places[n].host, again.places[n].host);
    for (int n = 0; n < 6; ++n) s.wait(d);
    const Plan plan = s.place();
    ASSERT_EQ(plan.placements.size(), told.places.size()) << "seed " << seed;
    for (std::size_t n = 0; n < told.places.size(); ++n)
      EXPECT_EQ(plan.placements[n].host, told.places[n].host) << "seed " << seed << " task " << n;
  }
}

TEST(Rehearsals, SayWhyTheFirstWouldWait) {
  RehearsalStory s;
  s.add_host(1, units(2));
  const Rehearsal told = s.rehearse(job_like(units(1)), 3);
  EXPECT_EQ(told.places.size(), 2U);
  ASSERT_TRUE(told.waits.has_value());
  EXPECT_EQ(told.waits->reasons.at("cpu"), 1U);
  EXPECT_EQ(told.waits->preemption.kind, PreemptionStanding::Kind::no_right);
  EXPECT_FALSE(s.rehearse(job_like(units(1)), 2).waits.has_value());
  s.wait(job_like(units(2)));
  EXPECT_EQ(s.place().placements.size(), 1U) << "nothing was taken";
}

TEST(Rehearsals, TellWhomTheyWouldEndAndEndNobody) {
  RehearsalStory s;
  s.add_host(1, units(2));
  const TaskId old = s.run(1, job_like(units(1)), milliseconds(9'000));
  const TaskId young = s.run(1, job_like(units(1)));
  const Rehearsal told = s.rehearse(job_like(units(1)), 3, 1);
  ASSERT_EQ(told.places.size(), 2U);
  EXPECT_TRUE(told.places[0].waits);
  EXPECT_EQ(told.places[0].victims.at(0).task, young);
  EXPECT_EQ(told.places[1].victims.at(0).task, old) << "nobody is ended twice";
  EXPECT_EQ(s.engine.status().preempting, 0U);
  EXPECT_TRUE(s.place().preemptions.empty());
  s.wait(job_like(units(1)), 1);
  EXPECT_EQ(s.victims_of(s.place()).at(0), young);
}

TEST(Rehearsals, LookAtNoMoreHostsThanAPassDoes) {
  RehearsalStory s;
  const std::size_t most = Budget{}.preemption_hosts_max;
  const auto hosts = static_cast<std::uint32_t>(most + 100);
  for (std::uint32_t n = 1; n <= hosts; ++n) {
    s.add_host(n, units(1));
    s.run(n, job_like(units(1)));
  }
  const Rehearsal told = s.rehearse(job_like(units(1)), planned_places_max, 1);
  EXPECT_LE(s.looks, most) << "all its tasks together";
  EXPECT_LT(told.places.size(), planned_places_max);
  EXPECT_TRUE(told.waits.has_value());
}

TEST(Rehearsals, LeaveAWaitingClassWhereItsOwnLookWas) {
  RehearsalStory s;
  for (std::uint32_t n = 1; n <= 50; ++n) {
    s.add_host(n, units(1));
    s.run(n, job_like(units(1)), {}, n == 42 ? 0 : 1);
  }
  const auto d = job_like(units(1));
  s.wait(d, 1);
  Budget budget;
  budget.preemption_hosts_max = 10;
  for (int pass = 0; pass < 4; ++pass) {
    EXPECT_TRUE(s.engine.place(s.now, budget).preemptions.empty());
    EXPECT_EQ(s.rehearse(d, 1, 1).places.at(0).host, HostId{42});
  }
  EXPECT_EQ(s.engine.place(s.now, budget).preemptions.at(0).host, HostId{42});
}

TEST(Rehearsals, HeedACeiling) {
  RehearsalStory s;
  s.add_host(1, units(9));
  s.group("c", Tier::critical, units(2));
  const Rehearsal told = s.rehearse(in_group(job_like(units(1)), "c"), 5);
  EXPECT_EQ(told.places.size(), 2U);
  EXPECT_TRUE(told.waits->group.is_capped);
  for (int n = 0; n < 3; ++n) s.wait(in_group(job_like(units(1)), "c"));
  EXPECT_EQ(s.place().placements.size(), 2U);
}

TEST(Rehearsals, OfAGangTellPlacesForAllOfItOrNone) {
  RehearsalStory s;
  s.add_host(1, units(2));
  s.run(1, job_like(units(1)));
  const auto gang_of = [&](std::uint32_t size, std::uint32_t priority) {
    return s.engine.rehearse(
        {{}, s.random.uuid<JobId>(), {}, {Index{99}}, job_like(units(1)), priority, size}, size, s.now);
  };
  EXPECT_EQ(gang_of(1, 0).places.size(), 1U);
  const Rehearsal told = gang_of(2, 5);
  ASSERT_EQ(told.places.size(), 2U);
  EXPECT_EQ(told.places[0].victims.size() + told.places[1].victims.size(), 1U);
  for (const Rehearsal& none : {gang_of(2, 0), gang_of(3, 5)}) {
    EXPECT_TRUE(none.places.empty());
    ASSERT_TRUE(none.waits.has_value());
    EXPECT_EQ(none.waits->gang, none.waits->gang_waiting);
  }
}

TEST(Rehearsals, SayThatAPausedGroupWaits) {
  RehearsalStory s;
  s.add_host(1, units(2));
  s.engine.put_group({"g", Tier::flex, {}, {}, {}, 0});
  const Rehearsal told = s.rehearse(in_group(job_like(units(1)), "g"), 1);
  EXPECT_TRUE(told.places.empty());
  ASSERT_TRUE(told.waits.has_value());
  EXPECT_FALSE(told.waits->held_back.empty());
}

struct PromiseStory : RehearsalStory {
  /// The numbers of the places that do not hold.
  std::vector<std::size_t> broken(const DescriptorPtr& descriptor, const std::vector<PromisedPlace>& places) {
    std::vector<std::size_t> numbers;
    for (const BrokenPromise& promise : engine.verify({{}, job, {}, {Index{99}}, descriptor, 0}, places)) {
      EXPECT_FALSE(promise.why.empty());
      numbers.push_back(promise.place);
    }
    return numbers;
  }
  bool holds(const DescriptorPtr& descriptor, std::uint32_t host) {
    return broken(descriptor, {{HostId{host}, {}}}).empty();
  }
};

TEST(Promises, HeedNeighboursAndEachOther) {
  PromiseStory s;
  for (std::uint32_t n = 1; n <= 3; ++n) s.add_host(n, units(4));
  const auto apart = test::with_constraints(job_like(units(1)), {{"uniqueHost", "true"}});
  s.run(1, apart);
  const std::vector<PromisedPlace> places{
      {HostId{1}, {}}, {HostId{2}, {}}, {HostId{2}, {}}, {HostId{3}, {}}, {HostId{9}, {}}};
  const std::vector<std::size_t> expected{0, 2, 4};
  EXPECT_EQ(s.broken(apart, places), expected);
  EXPECT_EQ(s.broken(apart, places), expected) << "nothing was taken";
  EXPECT_EQ(s.broken(job_like(units(2)), {{HostId{1}, {}}, {HostId{1}, {}}}), (std::vector<std::size_t>{1}));
  EXPECT_EQ(s.engine.status().classes, 0U);
}

TEST(Promises, HeedWhatHostsAreAndWhoWantsThemAlone) {
  PromiseStory s;
  for (std::uint32_t n = 1; n <= 2; ++n) s.add_host(n, units(4));
  s.run(1, job_like(units(1)));
  const auto named = test::with_constraints(job_like(units(1)), {{"machineId", "host-2"}});
  EXPECT_FALSE(s.holds(named, 1));
  EXPECT_TRUE(s.holds(named, 2));
  const auto alone = test::with_constraints(job_like(units(1)), {{"exclusiveHost", "true"}});
  EXPECT_FALSE(s.holds(alone, 1));
  EXPECT_TRUE(s.holds(alone, 2));
  auto facts = s.facts(2, units(4), {}, {Index{s.index}});
  facts.launches_left = 0;
  s.engine.upsert_host(facts);
  EXPECT_FALSE(s.holds(job_like(units(1)), 2)) << "it launches nothing now";
}

TEST(Promises, LeaveToOthersWhatIsKeptForThem) {
  PromiseStory s;
  s.add_host(1, units(2));
  const TaskId victim = s.run(1, job_like(units(2)));
  s.wait(job_like(units(1)), 1);
  s.take(s.place());
  s.end(victim);
  EXPECT_FALSE(s.holds(job_like(units(2)), 1)) << "one unit of it is claimed";
  EXPECT_TRUE(s.holds(job_like(units(1)), 1));
}

TEST(Promises, CountOnTheirVictims) {
  PromiseStory s;
  s.add_host(1, units(2));
  const TaskId a = s.run(1, job_like(units(1))), b = s.run(1, job_like(units(1)));
  EXPECT_TRUE(s.broken(job_like(units(1)), {{HostId{1}, {a}}, {HostId{1}, {b}}}).empty());
  EXPECT_EQ(s.broken(job_like(units(2)), {{HostId{1}, {a}}}).size(), 1U);
  EXPECT_TRUE(s.broken(job_like(units(2)), {{HostId{1}, {a, b}}}).empty());
  const auto named = test::with_constraints(job_like(units(1)), {{"machineId", "host-2"}});
  EXPECT_EQ(s.broken(named, {{HostId{1}, {a}}}).size(), 1U);
}

}  // namespace
}  // namespace troupe::scheduler
