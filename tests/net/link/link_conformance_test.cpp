#include "tests/net/link/link_conformance.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::net {

TEST_P(LinkConformance, DeliversInOrderBothWays) {
  link();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(one->send(to_two, "a" + std::to_string(i)));
    ASSERT_TRUE(two->send(to_one, "b" + std::to_string(i)));
  }
  ASSERT_TRUE(await_messages(heard_one, 1000));
  ASSERT_TRUE(await_messages(heard_two, 1000));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(heard_two.kept()[static_cast<std::size_t>(i)], "a" + std::to_string(i));
    EXPECT_EQ(heard_one.kept()[static_cast<std::size_t>(i)], "b" + std::to_string(i));
  }
}

TEST_P(LinkConformance, AnswersFalseWithoutALinkAndForTooLargeMessages) {
  EXPECT_FALSE(one->send(to_two, "too early"));
  link();
  EXPECT_FALSE(one->send({"node/2", Channel::bulk}, "another channel"));
  EXPECT_FALSE(one->send(to_two, Bytes(world_message_bytes_max + 1, 'x')));
  EXPECT_TRUE(one->send(to_two, Bytes(world_message_bytes_max, 'x')));
  ASSERT_TRUE(await_messages(heard_two, 1));
}

TEST_P(LinkConformance, HangingUpEndsTheLinkOnceAtBothEndsAndForGood) {
  link();
  one->hang_up(to_two);
  ASSERT_TRUE(await_downs(heard_one, 1));
  ASSERT_TRUE(await_downs(heard_two, 1));
  EXPECT_EQ(heard_one.last_why(), "hung up");
  EXPECT_EQ(heard_two.last_why(), "closed by peer");
  // A link of another channel goes up after it: the hung up one had its chance to come back before.
  one->dial({"node/2", Channel::bulk}, two->address());
  ASSERT_TRUE(await_ups(heard_one, 2));
  EXPECT_FALSE(one->send(to_two, "x"));
}

TEST_P(LinkConformance, RedialsWhenTheAcceptorRestarts) {
  link();
  const auto address = two->address();
  two.reset();
  EXPECT_EQ(heard_two.log().back(), "down node/1: hub closed");
  ASSERT_TRUE(await_downs(heard_one, 1));
  two = world->open("node/2", heard_two, address);
  ASSERT_TRUE(two);
  ASSERT_TRUE(await_ups(heard_one, 2));
  ASSERT_TRUE(await_ups(heard_two, 2));
  ASSERT_TRUE(one->send(to_two, "hello again"));
  ASSERT_TRUE(await_messages(heard_two, 1));
}

TEST_P(LinkConformance, GoesUpWhenTheListenerAppearsAfterTheDial) {
  const auto address = two->address();
  two.reset();
  one->dial(to_two, address);
  // The dial to the dead port has failed at least once when this link, dialled after it, is up.
  Recorder heard_three;
  const auto three = world->open("node/3", heard_three, "");
  one->dial({"node/3", Channel::mail}, three->address());
  ASSERT_TRUE(await_ups(heard_one, 1));
  two = world->open("node/2", heard_two, address);
  ASSERT_TRUE(two);
  ASSERT_TRUE(await_ups(heard_one, 2));
  EXPECT_THAT(heard_one.log(), testing::ElementsAre("up node/3", "up node/2"));
  one.reset();
}

TEST_P(LinkConformance, TellsOfEachFailedDialAndGoesOnTrying) {
  const auto address = two->address();
  two.reset();
  one->dial(to_two, address);
  ASSERT_TRUE(world->await(heard_one, [](const Recorder& now) {
    return now.read_failed_dials() >= 2 && now.read_last_failure() == DialFailure::nobody_listens;
  }));
  two = world->open("node/2", heard_two, address);
  ASSERT_TRUE(two);
  ASSERT_TRUE(await_ups(heard_one, 1));
  one.reset();
}

TEST_P(LinkConformance, BoundsItsQueueThenClosesAndRedials) {
  link();
  int sent = 0;
  while (sent < 10'000 && one->send(to_two, Bytes(64 * 1024, 'x'))) ++sent;
  ASSERT_LT(sent, 10'000) << "nothing bounds the queue";
  EXPECT_GE(sent, 15);
  ASSERT_TRUE(await_downs(heard_one, 1));
  EXPECT_EQ(heard_one.last_why(), "send queue full");
  ASSERT_TRUE(await_ups(heard_one, 2));
  ASSERT_TRUE(await_downs(heard_two, 1));
  ASSERT_TRUE(await_ups(heard_two, 2));
}

TEST_P(LinkConformance, SettlesOnOneLinkWhenBothEndsDial) {
  one->dial(to_two, two->address());
  two->dial(to_one, one->address());
  ASSERT_TRUE(await_ups(heard_one, 1));
  ASSERT_TRUE(await_ups(heard_two, 1));
  for (int i = 0; i < 100; ++i) {
    // A round trip each, so that a flapping pair would have time to flap; what a change of links loses is
    // sent again.
    while (!one->send(to_two, "ping")) ASSERT_TRUE(await_ups(heard_one, heard_one.downs() + 1));
    ASSERT_TRUE(await_messages(heard_two, static_cast<std::size_t>(i) + 1));
  }
  EXPECT_LE(heard_one.ups(), 2);
  EXPECT_EQ(heard_one.ups() - heard_one.downs(), 1);
  EXPECT_EQ(heard_two.ups() - heard_two.downs(), 1);
}

TEST_P(LinkConformance, KeepsChannelsApart) {
  one->dial(to_two, two->address());
  one->dial({"node/2", Channel::consensus}, two->address());
  ASSERT_TRUE(await_ups(heard_one, 2));
  ASSERT_TRUE(await_ups(heard_two, 2));
  one->hang_up(to_two);
  ASSERT_TRUE(await_downs(heard_two, 1));
  EXPECT_TRUE(one->send({"node/2", Channel::consensus}, "still here"));
  ASSERT_TRUE(await_messages(heard_two, 1));
}

TEST_P(LinkConformance, PairsEveryUpWithOneDownWhenClosed) {
  link();
  one->close();
  ASSERT_TRUE(await_downs(heard_two, 1));
  two->close();
  EXPECT_THAT(heard_one.log(), testing::ElementsAre("up node/2", "down node/2: hub closed"));
  EXPECT_THAT(heard_two.log(), testing::ElementsAre("up node/1", "down node/1: closed by peer"));
  EXPECT_FALSE(one->send(to_two, "after close"));
  one->dial(to_two, "127.0.0.1:1");
  one->close();
}

}  // namespace troupe::net
