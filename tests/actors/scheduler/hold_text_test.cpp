// What people are told of pauses and limits of launches.

#include "actors/scheduler/hold_text.hpp"

#include <gtest/gtest.h>

namespace troupe::scheduler {
namespace {

constexpr Instant now{1'800'000'000'000};

TEST(LaunchHold, SaysWhenTheNextLaunchComes) {
  LaunchStanding standing{{{10, 6}, 0}, {}, 0};
  EXPECT_TRUE(launch_hold("the cell", standing, 1, now).sentence.empty()) << "all are left";
  for (int n = 0; n < 10; ++n) standing.record.bucket.take(standing.limit.rate, now);
  const LaunchHold hold = launch_hold("the cell", standing, 1, now + milliseconds(2'500));
  EXPECT_EQ(hold.sentence, "the cell: 0 launches of 10 left, 6 a minute come: the next in 7.5 s");
  EXPECT_EQ(hold.until, now + milliseconds(10'000));
}

TEST(LaunchHold, OfAGangWaitsForAllThatItNeeds) {
  LaunchStanding standing{{{10, 6}, 0}, {}, 0};
  for (int n = 0; n < 9; ++n) standing.record.bucket.take(standing.limit.rate, now);
  EXPECT_TRUE(launch_hold("g", standing, 1, now).sentence.empty());
  EXPECT_EQ(launch_hold("g", standing, 4, now).sentence,
            "g: 1 launch of 10 left, 6 a minute come: the 4 that start at once in 30.0 s");
  EXPECT_EQ(launch_hold("g", standing, 500, now).until, now + milliseconds(90'000))
      << "of more than there ever are, all";
}

TEST(LaunchHold, OfLaunchesUnderWayHasNoTime) {
  const LaunchHold hold = launch_hold("g", {{{}, 3}, {}, 3}, 1, now);
  EXPECT_EQ(hold.sentence,
            "g: 3 launches are under way and at most 3 may be: it waits for some to start or end");
  EXPECT_FALSE(hold.until.is_set());
  EXPECT_TRUE(launch_hold("g", {{{}, 3}, {}, 2}, 1, now).sentence.empty());
  EXPECT_FALSE(launch_hold("g", {{{}, 3}, {}, 2}, 2, now).sentence.empty());
}

TEST(PauseText, SaysWhoAndWhy) {
  EXPECT_EQ(pause_text("the cell", {now, "ann", "INC-12"}),
            "scheduling of the cell is paused by ann since " + to_text(now) + ": INC-12");
}

}  // namespace
}  // namespace troupe::scheduler
