// What searches in vain leave behind, so that nobody looks at a place twice for nothing.

#include "actors/scheduler/improvements.hpp"
#include "actors/scheduler/search_starts.hpp"
#include "actors/scheduler/vain_searches.hpp"
#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;
using test::job_like;

std::vector<std::size_t> places_since(const Improvements& all, std::uint64_t since) {
  std::vector<std::size_t> places;
  for (std::uint64_t n = since; n < all.count(); ++n)
    if (const auto place = all.place_of(n)) places.push_back(*place);
  return places;
}

TEST(Improvements, AreNumberedByPlaceWhateverTheOrderInWhichTheyCame) {
  for (const std::vector<std::size_t>& order :
       std::vector<std::vector<std::size_t>>{{7, 3, 5, 3}, {3, 5, 3, 7}}) {
    Improvements all;
    for (std::size_t place = 0; place < 10; ++place) EXPECT_EQ(all.note(place), place == 0);
    all.settle();
    const std::uint64_t since = all.count();
    for (const std::size_t place : order) all.note(place);
    all.settle();
    EXPECT_TRUE(all.remembers(since));
    EXPECT_EQ(places_since(all, since), (std::vector<std::size_t>{3, 5, 7}));
  }
}

TEST(Improvements, TellAPlaceOnceByItsLastOne) {
  Improvements all;
  for (const std::size_t place : {0, 1, 2}) all.note(place);
  all.settle();
  const std::uint64_t since = all.count();
  for (const std::size_t place : {1, 2}) all.note(place);
  all.settle();
  all.note(1);
  all.settle();
  EXPECT_EQ(places_since(all, since), (std::vector<std::size_t>{2, 1}));
}

TEST(Improvements, ForgetTheOldestAndSaySo) {
  Improvements all;
  all.note(0);
  all.settle();
  const std::uint64_t since = all.count();
  for (std::size_t n = 0; n < Improvements::kept_min; ++n) {
    all.note(n % 4);
    all.settle();
  }
  EXPECT_TRUE(all.remembers(since));
  all.note(0);
  all.settle();
  EXPECT_FALSE(all.remembers(since));
  EXPECT_TRUE(all.remembers(since + 1));
}

TEST(Improvements, ForgetAllWhenMoreComeAtOnceThanAreKept) {
  Improvements all;
  for (std::size_t n = 0; n <= Improvements::kept_min; ++n) all.note(n % 4);
  const std::uint64_t late = all.count() - 1;
  all.settle();
  EXPECT_FALSE(all.remembers(late)) << "which ones are left would depend on their order";
  EXPECT_TRUE(all.remembers(all.count()));
}

TEST(VainSearches, HoldForWhoeverAsksForAsMuchOfEverything) {
  VainSearches all;
  EXPECT_EQ(all.since({1, 1, 0, 0, 0}), std::nullopt);
  all.note({100, 200, 0, 0, 0}, 5);
  EXPECT_EQ(all.since({100, 200, 0, 0, 0}), 5U);
  EXPECT_EQ(all.since({300, 200, 0, 1, 0}), 5U);
  EXPECT_EQ(all.since({300, 199, 0, 0, 0}), std::nullopt);
}

TEST(VainSearches, KeepOnlyWhatSaysMoreThanTheOthers) {
  VainSearches all;
  all.note({100, 200, 0, 0, 0}, 5);
  all.note({200, 100, 0, 0, 0}, 6);
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(all.since({200, 200, 0, 0, 0}), 6U) << "the latest";
  all.note({100, 100, 0, 0, 0}, 6);
  EXPECT_EQ(all.size(), 1U);
  all.note({200, 100, 0, 0, 0}, 7);
  EXPECT_EQ(all.size(), 2U) << "of less nobody knows so late a thing";
  EXPECT_EQ(all.since({150, 100, 0, 0, 0}), 6U);
}

TEST(VainSearches, AreBounded) {
  VainSearches all;
  const auto nth = [](std::size_t n) {
    const auto number = static_cast<std::int64_t>(n);
    return Resources{1'000 + number, 1'000 - number, 0, 0, 0};
  };
  for (std::size_t n = 0; n <= VainSearches::kept_max; ++n) all.note(nth(n), 1);
  EXPECT_EQ(all.size(), VainSearches::kept_max);
  EXPECT_EQ(all.since(nth(0)), std::nullopt);
  EXPECT_EQ(all.since(nth(1)), 1U);
}

TEST(SearchStarts, AreForTheSameAmountsAndBounded) {
  SearchStarts all;
  all.keep({1, 2, 3, 4, 5, 6}, {7, 8, true});
  ASSERT_TRUE(all.find({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(all.find({1, 2, 3, 4, 5, 6})->at, 7U);
  EXPECT_FALSE(all.find({1, 2, 3, 4, 5, 7}));
  for (std::int64_t n = 0; n < 3 * static_cast<std::int64_t>(SearchStarts::kept_max); ++n) {
    all.keep({n, 0, 0, 0, 0, 0}, {});
    ASSERT_LE(all.size(), SearchStarts::kept_max);
  }
}

/// Hosts that have either cpus or memory left, so that the tree's maxima tell nothing.
struct HalfFullCell : EngineStory {
  static constexpr std::uint32_t hosts = 1'000;
  static constexpr Resources total{10'000, 10'000, 0, 0, 0};
  HalfFullCell() {
    for (std::uint32_t n = 1; n <= hosts; ++n)
      host(n, total, n % 2 == 0 ? Resources{9'000, 1'000, 0, 0, 0} : Resources{1'000, 9'000, 0, 0, 0});
  }
  /// Ends somebody there: it has a little more of what it had most of.
  void improve(std::uint32_t n) {
    engine.task_ended({random.task_of(job), job, HostId{n}, {n % 2, (n + 1) % 2, 0, 0, 0}, {Index{++index}}});
  }
  std::uint64_t index = 1;
};

TEST(SearchMemory, OneSearchInVainTellsAllThatAskForMore) {
  HalfFullCell s;
  s.task(job_like({2'000, 2'000, 0, 0, 0}));
  const std::size_t alone = s.place().evaluations;
  EXPECT_GE(alone, HalfFullCell::hosts);
  for (std::int64_t n = 1; n <= 200; ++n) s.task(job_like({2'000 + n, 2'000 + n % 7, 0, 0, 0}));
  EXPECT_LE(s.place().evaluations, 10U);
  EXPECT_EQ(s.engine.status().blocked, 201U);
}

TEST(SearchMemory, AClassBeginsWhereThoseBeforeItThatAskedForAsMuchHaveCome) {
  HalfFullCell s;
  s.host(HalfFullCell::hosts + 1, HalfFullCell::total);
  const auto d = job_like({2'000, 2'000, 0, 0, 0});
  for (int n = 0; n < 3; ++n) {
    const TaskId task = s.task(d);
    const Plan plan = s.place();
    ASSERT_EQ(plan.placements.size(), 1U);
    EXPECT_EQ(plan.placements[0].host, HostId{HalfFullCell::hosts + 1});
    if (n == 0)
      EXPECT_GE(plan.evaluations, HalfFullCell::hosts);
    else
      EXPECT_LE(plan.evaluations, 50U);
    s.settle(task, Placed{{Index{++s.index}}});
    EXPECT_EQ(s.engine.status().classes, 0U) << "nobody waits";
  }
}

TEST(SearchMemory, OnlyWhatHasImprovedIsLookedAtAgain) {
  HalfFullCell s;
  // None asks for less of everything than another.
  for (std::int64_t n = 0; n < 50; ++n) s.task(job_like({2'000 + n, 2'100 - n, 0, 0, 0}));
  EXPECT_TRUE(s.place().placements.empty());
  for (std::uint32_t n = 1; n <= 20; ++n) s.improve(n);
  const Plan plan = s.place();
  EXPECT_TRUE(plan.placements.empty());
  EXPECT_LE(plan.evaluations, 50U * 20U);
  EXPECT_EQ(s.engine.status().blocked, 50U);
  // And it is found where it is.
  s.engine.task_ended({s.random.task_of(s.job), s.job, HostId{700}, {9'000, 0, 0, 0, 0}, {Index{++s.index}}});
  const Plan next = s.place();
  ASSERT_FALSE(next.placements.empty());
  for (const Placement& placement : next.placements) EXPECT_EQ(placement.host, HostId{700});
}

TEST(SearchMemory, AGangThatFoundNoRoomForAllTellsNobodyAnything) {
  EngineStory s;
  s.host(1, test::units(3));
  const auto d = job_like(test::units(1));
  for (int n = 0; n < 4; ++n)
    s.engine.enqueue(
        {s.random.task_of(s.job), s.job, Index{1}, {Index{2}, static_cast<std::uint32_t>(n)}, d, 0, 4});
  EXPECT_TRUE(s.place().placements.empty());
  s.task(d);
  EXPECT_EQ(s.place().placements.size(), 1U);
}

TEST(SearchMemory, ARehearsalTellsNobodyAnything) {
  EngineStory s;
  s.host(1, test::units(3));
  const auto d = job_like(test::units(1));
  const auto rehearsal =
      s.engine.rehearse({s.random.task_of(s.job), s.job, Index{1}, {Index{2}, 9}, d}, 5, s.now);
  EXPECT_EQ(rehearsal.places.size(), 3U);
  s.tasks(d, 3);
  EXPECT_EQ(s.place().placements.size(), 3U);
}

TEST(SearchMemory, ARoomThatATaskLeavesUnusedIsSeen) {
  EngineStory s;
  s.host(1, test::units(1));
  const auto d = job_like(test::units(1));
  const TaskId first = s.task(d);
  s.place();
  s.settle(first, Refused{ErrorCode::outcome_unknown, ""});
  auto gone = s.facts(1, test::units(1));
  gone.phase = HostPhase::draining;
  s.engine.upsert_host(gone);
  s.host(2, test::units(1));
  s.now = s.now + Engine::rest_max;
  EXPECT_EQ(s.place().placements.at(0).host, HostId{2});
  const TaskId second = s.task(d);
  EXPECT_TRUE(s.place().placements.empty());
  s.settle(first, Placed{{Index{9}}, HostId{1}});
  const Plan plan = s.place();
  ASSERT_EQ(plan.placements.size(), 1U) << "it is on the other host after all";
  EXPECT_EQ(plan.placements[0].task, second);
}

TEST(SearchMemory, TheOrderInWhichHostsImproveDecidesNothing) {
  const auto plan_of = [](const std::vector<std::uint32_t>& order) {
    EngineStory s;
    const Resources total = test::units(10);
    for (const std::uint32_t n : order) s.host(n, total, total);
    for (std::int64_t n = 0; n < 60; ++n) s.task(job_like({100 + 37 * (n % 11), 10 + 7 * (n % 13), 0, 0, 0}));
    EXPECT_TRUE(s.place().placements.empty());
    for (const std::uint32_t n : order) s.host(n, total, test::units(9), {Index{5}});
    std::vector<std::pair<TaskId, HostId>> plan;
    for (const auto& placement : s.place().placements) plan.emplace_back(placement.task, placement.host);
    return plan;
  };
  std::vector<std::uint32_t> order;
  for (std::uint32_t n = 1; n <= 30; ++n) order.push_back(n);
  const auto plan = plan_of(order);
  EXPECT_GT(plan.size(), 20U);
  Random random{7};
  for (int n = 0; n < 20; ++n) {
    for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(i + 1)]);
    EXPECT_EQ(plan_of(order), plan);
  }
}

}  // namespace
}  // namespace troupe::scheduler
