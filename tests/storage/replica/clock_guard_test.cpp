// Whose clock counts.

#include "storage/replica/clock_guard.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace troupe {
namespace {

constexpr milliseconds leap_max{5'000};
const std::vector<NodeId> voters{NodeId{1}, NodeId{2}, NodeId{3}};

class Clocks : public testing::Test {
 protected:
  void pass(milliseconds span) {
    now.steady = now.steady + span;
    now.wall = now.wall + span;
  }
  /// From a clock that is so far off, by a message that was so long under way.
  void hear(std::uint32_t peer, milliseconds off, milliseconds late = milliseconds(0)) {
    const Moment sent = now.steady + (milliseconds(5'000'000) - late);  // Its machine has run for longer.
    guard.heard(NodeId{peer}, now.wall + off - late, sent, now.steady);
  }
  bool leapt() const { return guard.has_leapt(NodeId{1}, now, voters); }
  ClockGuard guard{leap_max};
  Now now{Moment{77'000'000'000}, Instant{1'700'000'000'000}};
};

TEST_F(Clocks, alone_it_counts) {
  EXPECT_FALSE(leapt());
  now.wall = now.wall + std::chrono::hours(87'600);
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, a_stall_does_not_hide_a_leap) {
  hear(2, milliseconds(0));
  guard.remember(NodeId{1}, now, voters);
  now.wall = now.wall + std::chrono::hours(1);
  pass(milliseconds(60'000));
  guard.forget();
  EXPECT_TRUE(leapt()) << "nobody is heard yet, but steady time went on";
  hear(3, milliseconds(0));
  EXPECT_FALSE(leapt()) << "all were set together";
  guard.forget();
  guard.remember(NodeId{1}, now, voters);
  EXPECT_TRUE(leapt());
  pass(ClockGuard::fresh);
  EXPECT_FALSE(leapt()) << "nobody to ask for too long";
}

TEST_F(Clocks, what_was_remembered_counts_only_among_others) {
  const std::vector<NodeId> alone{NodeId{1}};
  hear(2, milliseconds(0));
  guard.remember(NodeId{1}, now, voters);
  now.wall = now.wall + std::chrono::hours(1);
  guard.forget();
  EXPECT_FALSE(guard.has_leapt(NodeId{1}, now, alone));
}

// Found by the simulation: its clock was wild when it died, and so a leader whose clock leapt was believed.
TEST_F(Clocks, the_dead_do_not_count_beside_a_majority_of_the_living) {
  hear(2, milliseconds(0));
  hear(3, milliseconds(3'600'000));
  EXPECT_FALSE(leapt());
  pass(ClockGuard::recent + milliseconds(1));
  hear(2, milliseconds(0));
  now.wall = now.wall + std::chrono::hours(1);
  EXPECT_TRUE(leapt());
}

TEST_F(Clocks, the_dead_count_while_too_few_are_heard) {
  hear(2, milliseconds(0));
  hear(3, milliseconds(0));
  pass(ClockGuard::recent + milliseconds(1));
  now.wall = now.wall - std::chrono::hours(1);
  EXPECT_TRUE(leapt());
}

TEST_F(Clocks, near_the_others_is_near_enough) {
  hear(2, milliseconds(2'000));
  hear(3, milliseconds(-3'000));
  EXPECT_FALSE(leapt());
  pass(milliseconds(9'000));
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, a_leap_against_both_others_shows_at_once) {
  for (const auto leap : {milliseconds(3'600'000), milliseconds(-3'600'000), milliseconds(315'360'000'000)}) {
    hear(2, milliseconds(0));
    hear(3, milliseconds(10));
    EXPECT_FALSE(leapt());
    now.wall = now.wall + leap;
    EXPECT_TRUE(leapt());
    now.wall = now.wall - leap;
    EXPECT_FALSE(leapt());
  }
}

TEST_F(Clocks, one_wild_clock_among_the_others_is_not_the_measure) {
  hear(2, milliseconds(315'360'000'000));
  hear(3, milliseconds(0));
  EXPECT_FALSE(leapt());
  EXPECT_TRUE(guard.differs(NodeId{2}, NodeId{1}, now, voters));
  EXPECT_FALSE(guard.differs(NodeId{3}, NodeId{1}, now, voters));
}

TEST_F(Clocks, of_two_the_earlier_one_counts) {
  hear(2, milliseconds(60'000));
  EXPECT_FALSE(leapt());
  guard.forget();
  hear(2, milliseconds(-60'000));
  EXPECT_TRUE(leapt());
}

TEST_F(Clocks, all_different_one_always_may) {
  hear(2, milliseconds(60'000));
  hear(3, milliseconds(-60'000));
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, a_message_that_was_long_under_way_says_little) {
  hear(2, milliseconds(0));
  hear(3, milliseconds(0));
  pass(milliseconds(1'000));
  for (const std::uint32_t peer : {2U, 3U}) hear(peer, milliseconds(0), milliseconds(8'000));
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, a_clock_that_was_set_back_is_believed_at_once) {
  hear(2, milliseconds(0));
  hear(3, std::chrono::hours(87'600));
  pass(milliseconds(50));
  hear(3, milliseconds(0));
  now.wall = now.wall + std::chrono::hours(87'600);
  EXPECT_TRUE(leapt()) << "what was wild a moment ago must not vouch for another wild clock";
}

TEST_F(Clocks, a_clock_that_drifts_back_is_believed_in_time) {
  hear(2, milliseconds(0));
  hear(3, milliseconds(0));
  for (int n = 0; n < 200; ++n) {
    pass(milliseconds(50));
    for (const std::uint32_t peer : {2U, 3U}) hear(peer, milliseconds(-100 * n));
  }
  EXPECT_TRUE(leapt());
}

TEST_F(Clocks, old_news_do_not_count) {
  hear(2, milliseconds(-60'000));
  hear(3, milliseconds(-60'000));
  EXPECT_TRUE(leapt());
  pass(ClockGuard::fresh + milliseconds(1));
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, a_node_that_does_not_vote_does_not_count) {
  guard.heard(NodeId{8}, now.wall - std::chrono::hours(1), now.steady, now.steady);
  guard.heard(NodeId{9}, now.wall - std::chrono::hours(1), now.steady, now.steady);
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, what_a_peer_claims_may_be_anything) {
  guard.heard(NodeId{2}, Instant{INT64_MAX}, now.steady, now.steady);
  guard.heard(NodeId{3}, Instant{INT64_MIN}, now.steady, now.steady);
  EXPECT_FALSE(leapt());
  guard.heard(NodeId{3}, Instant{INT64_MAX}, now.steady, now.steady);
  EXPECT_TRUE(leapt());
}

}  // namespace
}  // namespace troupe
