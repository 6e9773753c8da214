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
  void hear(std::uint32_t peer, milliseconds off) { guard.heard(NodeId{peer}, now.wall + off, now.steady); }
  bool leapt() const { return guard.has_leapt(NodeId{1}, now, voters); }
  ClockGuard guard{leap_max};
  Now now{Moment{77'000'000'000}, Instant{1'700'000'000'000}};
};

TEST_F(Clocks, alone_it_counts) {
  EXPECT_FALSE(leapt());
  now.wall = now.wall + std::chrono::hours(87'600);
  EXPECT_FALSE(leapt());
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
  for (const std::uint32_t peer : {2U, 3U}) hear(peer, milliseconds(-8'000));
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, a_clock_that_was_set_is_believed_in_time) {
  hear(2, milliseconds(0));
  hear(3, milliseconds(0));
  for (int n = 0; n < 100; ++n) {
    pass(milliseconds(50));
    for (const std::uint32_t peer : {2U, 3U}) hear(peer, milliseconds(-60'000));
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
  guard.heard(NodeId{8}, now.wall - std::chrono::hours(1), now.steady);
  guard.heard(NodeId{9}, now.wall - std::chrono::hours(1), now.steady);
  EXPECT_FALSE(leapt());
}

TEST_F(Clocks, what_a_peer_claims_may_be_anything) {
  guard.heard(NodeId{2}, Instant{INT64_MAX}, now.steady);
  guard.heard(NodeId{3}, Instant{INT64_MIN}, now.steady);
  EXPECT_FALSE(leapt());
  guard.heard(NodeId{3}, Instant{INT64_MAX}, now.steady);
  EXPECT_TRUE(leapt());
}

}  // namespace
}  // namespace troupe
