// Why a task waits, and that each change that is offered does help when it is made.

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;
using test::job_like;
using test::with_constraints;

TEST(Explain, NamesTheNearestHostsAndAllThatEachLacks) {
  EngineStory s;
  s.host(1, {1'000, 900, 0, 0, 0});
  s.host(2, {1'900, 1'900, 0, 0, 0});
  HostFacts away = s.facts(3, {8'000, 8'000, 0, 0, 0});
  away.connected = false;
  s.engine.upsert_host(away);
  s.host(4, {100, 100, 0, 0, 0});
  const TaskId task = s.task(job_like({2'000, 1'000, 0, 0, 0}));
  EXPECT_TRUE(s.place().placements.empty());
  const Explanation why = s.engine.explain(task);
  ASSERT_EQ(why.nearest.size(), Engine::nearest_max);
  EXPECT_EQ(why.nearest[0].name, "host-2");
  EXPECT_EQ(why.nearest[0].lacks.size(), 1U);
  EXPECT_EQ(why.nearest[1].name, "host-1");
  ASSERT_EQ(why.nearest[1].lacks.size(), 2U);
  EXPECT_EQ(why.nearest[1].lacks[0].reason, "cpu");
  EXPECT_EQ(why.nearest[1].lacks[0].detail, "1000 thousandths of a cpu free, 2000 asked for");
  EXPECT_EQ(why.nearest[2].name, "host-3");
}

TEST(Explain, OffersTheSmallestCutOfAResourceThatSuffices) {
  EngineStory s;
  s.host(1, {1'500, 4'000, 0, 0, 0});
  s.host(2, {1'900, 4'000, 0, 0, 0});
  s.host(3, {4'000, 100, 0, 0, 0});
  const TaskId task = s.task(job_like({2'000, 1'000, 0, 0, 0}));
  s.place();
  const Explanation why = s.engine.explain(task);
  ASSERT_EQ(why.changes.size(), 2U);
  EXPECT_EQ(why.changes[0], (Change{Change::Kind::resource, "cpu", 2'000, 1'900, 1}));
  EXPECT_EQ(why.changes[1], (Change{Change::Kind::resource, "memory", 1'000, 100, 1}));
}

TEST(Explain, OffersTheConstraintWithoutWhichItWouldFit) {
  EngineStory s;
  s.host(1, {4'000, 4'000, 0, 0, 0});
  s.host(2, {4'000, 4'000, 0, 0, 0});
  const TaskId task = s.task(
      with_constraints(job_like({2'000, 1'000, 0, 0, 0}), {{"machineType", "x"}, {"uniqueHost", "true"}}));
  s.place();
  const Explanation why = s.engine.explain(task);
  EXPECT_EQ(why.reasons, (std::map<std::string, std::size_t>{{"machineType", 2}}));
  ASSERT_EQ(why.changes.size(), 1U);
  EXPECT_EQ(why.changes[0], (Change{Change::Kind::constraint, "machineType", 0, 0, 2}));
}

TEST(Explain, SaysWhenTheGroupsCeilingIsTheReason) {
  EngineStory s;
  s.host(1, {8'000, 8'000, 0, 0, 0});
  s.engine.put_group({"c", Tier::critical, {1'000, 1'000, 0, 0, 0}, {}});
  const auto d = test::in_group(job_like({1'000, 10, 0, 0, 0}), "c");
  s.task(d);
  const TaskId second = s.task(d);
  s.place();
  const Explanation why = s.engine.explain(second);
  EXPECT_EQ(why.fitting, 1U);
  EXPECT_TRUE(why.group.is_capped);
  EXPECT_EQ(why.group.used.cpu_milli, 1'000);
  ASSERT_EQ(why.changes.size(), 1U);
  EXPECT_EQ(why.changes[0], (Change{Change::Kind::group, "c", 0, 0, 1}));
}

/// The descriptor with the change made.
DescriptorPtr changed(const DescriptorPtr& from, const Change& change) {
  JobDescriptor d = *from;
  if (change.kind == Change::Kind::constraint) d.hard_constraints.erase(change.what);
  if (change.what == "cpu") d.resources.cpu_milli = change.to;
  if (change.what == "memory") d.resources.memory_mb = change.to;
  return std::make_shared<const JobDescriptor>(std::move(d));
}

TEST(Explain, EachChangeThatIsOfferedLetsTheTaskBePlaced) {
  int offered = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    EngineStory s;
    s.random = Random(seed);
    for (std::uint32_t i = 1; i <= 6; ++i) {
      HostFacts host = s.facts(i, {s.random.between(100, 3'000), s.random.between(100, 3'000), 0, 0, 0});
      host.attributes = {{"zone", std::string(1, static_cast<char>('a' + s.random.below(3)))},
                         {"machineType", s.random.chance(50) ? "m" : "r"}};
      host.connected = s.random.chance(90);
      s.engine.upsert_host(host);
    }
    const auto d = with_constraints(
        job_like({s.random.between(500, 4'000), s.random.between(500, 4'000), 0, 0, 0}),
        {{"machineType", "m"}, {"expression", "zone in (a, b)"}, {"jobAntiAffinity", "zone"}});
    const auto tasks = s.tasks(d, 3);
    s.place();
    const Explanation why = s.engine.explain(tasks.back());
    if (why.standing != Explanation::Standing::waiting) continue;
    EXPECT_EQ(why.fitting, 0U);
    for (const TaskId& other : tasks)
      if (s.engine.explain(other).standing == Explanation::Standing::waiting) s.engine.forget(other);
    for (const Change& change : why.changes) {
      ++offered;
      // The same task as a later one, with nothing but that changed.
      const TaskId instead = s.task(changed(d, change));
      EXPECT_EQ(s.place().placements.size(), 1U) << change.what;
      s.engine.forget(instead);
    }
  }
  EXPECT_GT(offered, 50);
}

}  // namespace
}  // namespace troupe::scheduler
