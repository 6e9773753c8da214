#include "actors/replica/hearing.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

constexpr NodeId one{1}, two{2}, three{3};

TEST(Hearing, WhoHasNoLinkDoesNotSpeak) {
  Hearing hearing;
  EXPECT_FALSE(hearing.speaks(two, true));
  hearing.link_moved(two, true);
  EXPECT_TRUE(hearing.speaks(two, false));
  hearing.link_moved(two, false);
  EXPECT_FALSE(hearing.speaks(two, true));
}

TEST(Hearing, TheLeaderBeforeSpeaksWhenItHasAnswered) {
  Hearing hearing;
  for (const NodeId node : {one, three}) hearing.link_moved(node, true);
  for (const NodeId leader : {one, NodeId{0}, two}) hearing.led_by(leader);
  EXPECT_FALSE(hearing.speaks(one, false)) << "it may be stopped, with its links open";
  EXPECT_TRUE(hearing.speaks(one, true));
  EXPECT_TRUE(hearing.speaks(three, false)) << "it has not led";
}

TEST(Hearing, TheSameLeaderAgainIsNoChange) {
  Hearing hearing;
  hearing.link_moved(one, true);
  for (const NodeId leader : {one, two, NodeId{0}, two}) hearing.led_by(leader);
  EXPECT_FALSE(hearing.speaks(one, false));
  EXPECT_TRUE(hearing.speaks(one, true));
}

TEST(Hearing, WhoRefusesIsGoneUntilALinkComesUp) {
  Hearing hearing;
  hearing.link_moved(two, true);
  EXPECT_FALSE(hearing.link_refused(two)) << "an attempt from before; the link stands";
  hearing.link_moved(two, false);
  EXPECT_FALSE(hearing.is_gone(two)) << "it may be cut off only";
  EXPECT_TRUE(hearing.link_refused(two));
  EXPECT_FALSE(hearing.link_refused(two)) << "no news";
  EXPECT_TRUE(hearing.is_gone(two));
  hearing.link_moved(two, true);
  EXPECT_FALSE(hearing.is_gone(two));
}

}  // namespace
}  // namespace troupe
