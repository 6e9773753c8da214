#include "net/link/sim_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/base/random.hpp"
#include "tests/net/link/link_conformance.hpp"

namespace troupe::net {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

INSTANTIATE_TEST_SUITE_P(Simulated, LinkConformance, testing::Values([]() -> std::unique_ptr<LinkWorld> {
                           return std::make_unique<SimWorld>();
                         }));

struct Two {
  explicit Two(SimNetworkConfig config = {}) : world(config) {
    one = world.open("node/1", heard_one, "");
    two = world.open("node/2", heard_two, "");
    one->dial(to_two, two->address());
    world.pass(milliseconds(10));
    EXPECT_EQ(heard_one.ups(), 1);
    EXPECT_EQ(heard_two.ups(), 1);
  }
  SimWorld world;
  Recorder heard_one;
  Recorder heard_two;
  std::unique_ptr<LinkHub> one;
  std::unique_ptr<LinkHub> two;
};

TEST(SimNetwork, NoticesACutBySilenceAndHealsByRedial) {
  Two pair;
  pair.world.network.cut_both("node/1", "node/2");
  pair.one->send(to_two, "into the void");
  pair.world.pass(milliseconds(799));
  EXPECT_EQ(pair.heard_one.downs() + pair.heard_two.downs(), 0);
  pair.world.pass(milliseconds(2));
  EXPECT_EQ(pair.heard_one.last_why(), "silent for 800 ms");
  EXPECT_EQ(pair.heard_two.last_why(), "silent for 800 ms");
  pair.world.pass(seconds(30));
  EXPECT_EQ(pair.heard_one.ups(), 1);
  pair.world.network.heal_all();
  pair.world.pass(seconds(5));
  EXPECT_EQ(pair.heard_one.ups(), 2);
  EXPECT_EQ(pair.heard_two.ups(), 2);
  EXPECT_EQ(pair.heard_two.messages(), 0U) << "a message survived its link";
}

TEST(SimNetwork, AShortCutOnlyDelays) {
  Two pair;
  pair.world.network.cut("node/1", "node/2");
  pair.one->send(to_two, "a");
  pair.one->send(to_two, "b");
  pair.world.pass(milliseconds(500));
  EXPECT_EQ(pair.heard_two.messages(), 0U);
  pair.two->send(to_one, "the other way is open");
  pair.world.pass(milliseconds(1));
  EXPECT_EQ(pair.heard_one.messages(), 1U);
  pair.world.network.heal("node/1", "node/2");
  pair.world.pass(seconds(3));
  EXPECT_THAT(pair.heard_two.kept(), ElementsAre("a", "b"));
  EXPECT_EQ(pair.heard_two.downs(), 0);
}

TEST(SimNetwork, ASlowWayTakesLongerAndKeepsTheOrder) {
  Two pair;
  pair.world.network.slow("node/1", "node/2", milliseconds(700));
  pair.one->send(to_two, "a");
  pair.one->send(to_two, "b");
  pair.world.pass(milliseconds(699));
  EXPECT_EQ(pair.heard_two.messages(), 0U);
  pair.world.pass(milliseconds(3));
  EXPECT_THAT(pair.heard_two.kept(), ElementsAre("a", "b"));
  pair.world.network.heal_all();
  pair.two->send(to_one, "c");
  pair.world.pass(milliseconds(1));
  EXPECT_EQ(pair.heard_one.messages(), 1U);
}

TEST(SimNetwork, AMutePeerHearsAndIsNotHeard) {
  Two pair;
  pair.world.network.mute("node/1");
  pair.one->send(to_two, "from");
  pair.two->send(to_one, "to");
  pair.world.pass(milliseconds(500));
  EXPECT_EQ(pair.heard_two.messages(), 0U);
  EXPECT_EQ(pair.heard_one.messages(), 1U);
  pair.world.network.unmute("node/1");
  pair.world.pass(milliseconds(10));
  EXPECT_EQ(pair.heard_two.messages(), 1U);
}

TEST(SimNetwork, AOneWayCutEndsBothEnds) {
  Two pair;
  pair.world.network.cut("node/1", "node/2");
  pair.world.pass(milliseconds(1010));
  EXPECT_EQ(pair.heard_two.last_why(), "silent for 800 ms");
  EXPECT_EQ(pair.heard_one.last_why(), "closed by peer");
}

TEST(SimNetwork, ACrashIsSeenWithinMillisecondsAndARestartLinksAgain) {
  Two pair;
  pair.two->send(to_one, "vanishes with its sender");
  pair.world.network.crash("node/2");
  EXPECT_FALSE(pair.two->send(to_one, "dead"));
  pair.world.pass(milliseconds(2));
  EXPECT_EQ(pair.heard_one.last_why(), "closed by peer");
  EXPECT_EQ(pair.heard_one.messages(), 0U);
  EXPECT_EQ(pair.heard_two.downs(), 0) << "the dead hear nothing";
  pair.world.pass(seconds(10));
  EXPECT_EQ(pair.heard_one.ups(), 1);
  pair.world.network.restart("node/2");
  pair.world.pass(seconds(3));
  EXPECT_EQ(pair.heard_one.ups(), 2);
  EXPECT_EQ(pair.heard_two.ups(), 2);
}

TEST(SimNetwork, ACrashBehindACutIsNoticedBySilence) {
  Two pair;
  pair.world.network.isolate("node/2");
  pair.world.network.crash("node/2");
  pair.world.pass(milliseconds(799));
  EXPECT_EQ(pair.heard_one.downs(), 0);
  pair.world.pass(milliseconds(2));
  EXPECT_EQ(pair.heard_one.last_why(), "silent for 800 ms");
}

TEST(SimNetwork, ANewHubTakesOverACrashedName) {
  Two pair;
  pair.world.network.crash("node/2");
  Recorder heard_new;
  auto reborn = pair.world.open("node/2", heard_new, "");
  pair.world.pass(seconds(3));
  EXPECT_EQ(heard_new.ups(), 1);
  pair.two.reset();
  EXPECT_TRUE(reborn->send(to_one, "hello")) << "the old hub's end reached the new one";
}

TEST(SimNetwork, AResetLosesTheTailOfItsLinkAndNothingBefore) {
  Two pair({.resets = 50'000});
  int number = 0;
  for (int round = 0; round < 200; ++round) {
    pair.one->send(to_two, std::to_string(++number));
    pair.world.pass(milliseconds(20));
  }
  const auto kept = pair.heard_two.kept();
  EXPECT_GT(pair.heard_one.downs(), 0);
  EXPECT_LT(kept.size(), 200U);
  EXPECT_GT(kept.size(), 100U);
  EXPECT_GT(pair.world.network.counters().resets, 0U);
  for (std::size_t i = 1; i < kept.size(); ++i) EXPECT_LT(std::stoi(kept[i - 1]), std::stoi(kept[i]));
}

TEST(SimNetwork, HarshOptionsDropDuplicateAndReorderSingleMessages) {
  Two pair({.drops = 100'000, .duplicates = 100'000, .reorders = 100'000});
  for (int i = 0; i < 1000; ++i) pair.one->send(to_two, std::to_string(1000 + i));
  pair.world.pass(seconds(2));
  const auto counters = pair.world.network.counters();
  EXPECT_EQ(pair.heard_two.messages(), 1000 - counters.drops + counters.duplicates);
  EXPECT_NEAR(static_cast<double>(counters.drops), 100, 50);
  const auto kept = pair.heard_two.kept();
  EXPECT_FALSE(std::is_sorted(kept.begin(), kept.end()));
  EXPECT_EQ(pair.heard_one.downs(), 0);
}

std::uint64_t story(std::uint64_t seed) {
  SimWorld world({.seed = seed, .resets = 5'000, .duplicates = 1'000});
  std::array<Recorder, 3> heard;
  std::vector<std::unique_ptr<LinkHub>> hubs;
  for (std::size_t i = 0; i < 3; ++i) hubs.push_back(world.open("node/" + std::to_string(i), heard[i], ""));
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      if (from != to) hubs[from]->dial({"node/" + std::to_string(to), Channel::mail}, hubs[to]->address());
    }
  }
  Random random(seed);
  for (int step = 0; step < 2000; ++step) {
    const auto from = random.below(3);
    hubs[from]->send({"node/" + std::to_string(random.below(3)), Channel::mail}, std::to_string(step));
    if (step % 400 == 200) world.network.isolate("node/" + std::to_string(random.below(3)));
    if (step % 400 == 399) world.network.heal_all();
    world.pass(milliseconds(random.between(0, 20)));
  }
  world.pass(seconds(10));
  for (const auto& one : heard)
    EXPECT_EQ(one.ups() - one.downs(), 2) << "the mesh did not heal, seed " << seed;
  return world.network.hash();
}

TEST(SimNetwork, TheSameSeedGivesTheSameHistory) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(story(seed), story(seed));
  EXPECT_NE(story(1), story(2));
}

}  // namespace
}  // namespace troupe::net
