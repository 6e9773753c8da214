#include "actors/balancer/spare_core.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

const std::vector<NodeId> live{NodeId{1}, NodeId{2}, NodeId{3}};
const Moment now{0};

SparedNode wish(std::uint16_t node, std::int64_t seconds = 60) {
  return {NodeId{node}, "ann", "release 12", now + milliseconds(1'000 * seconds)};
}

TEST(Spare, OneNodeAtATimeUntilItIsTakenBack) {
  SpareCore core;
  EXPECT_FALSE(core.spared(now));
  ASSERT_TRUE(core.spare(wish(2), live, now).ok());
  EXPECT_EQ(core.spared(now)->node, NodeId{2});
  EXPECT_EQ(core.spare(wish(3), live, now).error().message,
            "node 2 is spared by ann (release 12); one at a time");
  EXPECT_TRUE(core.spare(wish(2, 90), live, now).ok()) << "the same one for longer";
  core.take_back(NodeId{3});
  EXPECT_TRUE(core.spared(now + milliseconds(80'000)));
  core.take_back(NodeId{2});
  EXPECT_FALSE(core.spared(now));
}

TEST(Spare, IsNotTakenFromWhoAskedForIt) {
  SpareCore core;
  ASSERT_TRUE(core.spare(wish(2), live, now).ok());
  SparedNode other = wish(2, 90);
  other.by = "bob";
  EXPECT_EQ(core.spare(other, live, now).error().message,
            "node 2 is spared by ann (release 12); take it back first");
  other = wish(2, 90);
  other.reason = "release 13";
  EXPECT_EQ(core.spare(other, live, now).error().code, ErrorCode::precondition_failed);
  EXPECT_EQ(*core.spared(now), wish(2)) << "as it was";
  core.take_back(NodeId{2});
  EXPECT_TRUE(core.spare(other, live, now).ok());
}

TEST(Spare, EndsWithItsTime) {
  SpareCore core;
  ASSERT_TRUE(core.spare(wish(2), live, now).ok());
  EXPECT_FALSE(core.spared(now + milliseconds(60'000)));
  EXPECT_TRUE(core.spare(wish(3, 120), live, now + milliseconds(60'000)).ok());
}

TEST(Spare, NeedsSomebodyElseToOwnTheShards) {
  SpareCore core;
  EXPECT_EQ(core.spare(wish(1), {NodeId{1}}, now).error().code, ErrorCode::precondition_failed);
  EXPECT_FALSE(core.spared(now));
}

}  // namespace
}  // namespace troupe
