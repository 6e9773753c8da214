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

}  // namespace
}  // namespace troupe::scheduler
