#include "cmd/troupe/upgrade_core.hpp"

#include <gmock/gmock.h>

namespace troupe::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = UpgradeStep::Kind;

const std::string old_build = "00000000000000aa", new_build = "00000000000000bb";

/// A cell that does what it is told, and the core that tells it.
struct Drill {
  UpgradeView view;
  Moment now;
  UpgradeCore core{UpgradePlan{new_build, "run-1"}};

  Drill() {
    view.leader = 1;
    view.hosts_connected = 100;
    for (const std::uint32_t n : {1, 2, 3})
      view.nodes.push_back({n, n == 1 ? "LEADER" : "VOTER", {}, old_build, 3, 21});
  }
  UpgradeNode& node(std::uint32_t number) { return view.nodes.at(number - 1); }
  UpgradeStep look(milliseconds later = milliseconds(0)) {
    now = now + later;
    return core.next(view, now);
  }
  void spare(std::uint32_t number, const std::string& run = "run-1") {
    view.spared = number;
    view.spared_by = number == 0 ? "" : "ann";
    view.spared_run = number == 0 ? "" : run;
  }
  /// It has handed over, as this run wished.
  void hand_over(std::uint32_t number) {
    expect(Kind::hand_over, number);
    spare(number);
    node(number).shards = 0;
  }
  void lead(std::uint32_t number) {
    for (auto& one : view.nodes) one.role = one.number == number ? "LEADER" : "VOTER";
    view.leader = number;
  }
  /// Through all of one node; what it was told is in `road`.
  void replace(std::uint32_t number) {
    expect(Kind::hand_over, number);
    spare(number);
    expect(Kind::wait, 0);
    node(number).shards = 0;
    expect(Kind::replace, number);
    core.hook_ended({}, now);
    node(number).trouble = "does not answer";
    expect(Kind::wait, 0);
    node(number).trouble.clear();
    node(number).build = new_build;
    expect(Kind::take_back, number);
    spare(0);
    node(number).shards = 21;
  }
  void expect(Kind kind, std::uint32_t number) {
    const UpgradeStep step = look();
    ASSERT_EQ(step.kind, kind) << step.why;
    EXPECT_EQ(step.node, number);
  }
  std::string stops(milliseconds later = milliseconds(0)) {
    const UpgradeStep step = look(later);
    EXPECT_EQ(step.kind, Kind::stop);
    return step.why;
  }
};

TEST(UpgradeCore, ReplacesFollowersFirstAndTheLeaderLastAfterItHandedOver) {
  Drill drill;
  EXPECT_THAT(upgrade_order(drill.view, new_build), ElementsAre(2, 3, 1));
  drill.replace(2);
  drill.replace(3);
  drill.node(3).lag = 1;
  drill.expect(Kind::transfer, 3);
  drill.expect(Kind::wait, 0);
  drill.lead(3);
  drill.replace(1);
  drill.expect(Kind::done, 0);
  EXPECT_EQ(drill.core.replaced(), 3U);
}

TEST(UpgradeCore, LearnersComeBeforeVotersAndStrangersNever) {
  Drill drill;
  drill.view.nodes.push_back({4, "LEARNER", {}, old_build, 0, 0});
  drill.view.nodes.push_back({5, "NONE", "does not answer", {}, 0, {}});
  EXPECT_THAT(upgrade_order(drill.view, new_build), ElementsAre(4, 2, 3, 1));
  EXPECT_THAT(upgrade_complaints(drill.view, {new_build, "run-1"}), ElementsAre());
}

TEST(UpgradeCore, GoesOnWithWhatIsLeftAndHasNothingToDoTwice) {
  Drill drill;
  drill.node(2).build = new_build;
  drill.replace(3);
  drill.expect(Kind::transfer, 2);
  drill.lead(2);
  drill.replace(1);
  drill.expect(Kind::done, 0);
  EXPECT_EQ(UpgradeCore(UpgradePlan{new_build, "run-2"}).next(drill.view, drill.now).kind, Kind::done);
}

TEST(UpgradeCore, DoesNotBeginUnlessEveryNodeIsHealthy) {
  const auto refused = [](auto spoil) {
    Drill drill;
    spoil(drill);
    return drill.stops();
  };
  EXPECT_THAT(refused([](Drill& d) { d.node(3).trouble = "does not serve yet"; }),
              HasSubstr("node 3: does not serve yet"));
  EXPECT_THAT(refused([](Drill& d) { d.node(2).lag = 1'001; }), HasSubstr("node 2 lags by 1001 entries"));
  EXPECT_THAT(refused([](Drill& d) { d.view.leader = 0; }), HasSubstr("no node leads"));
  EXPECT_THAT(refused([](Drill& d) { d.view.nodes.pop_back(); }), HasSubstr("2 voters"));
  EXPECT_THAT(refused([](Drill& d) { d.spare(2, "run-0"); }),
              HasSubstr("node 2 hands over for ann: another upgrade"))
      << "of the same caller, too";
  EXPECT_THAT(refused([](Drill& d) { d.node(2).build = "00000000000000cc"; }),
              HasSubstr("another upgrade is under way"));
}

TEST(UpgradeCore, BetweenTwoNodesItWaitsForHealthButNotForEver) {
  Drill drill;
  drill.replace(2);
  drill.node(3).trouble = "does not answer";
  EXPECT_EQ(drill.look().kind, Kind::wait);
  EXPECT_THAT(drill.stops(milliseconds(61'000)), HasSubstr("node 3: does not answer"));
}

TEST(UpgradeCore, TheAgentsMustComeBackBeforeTheNextNode) {
  Drill drill;
  drill.replace(2);
  drill.view.hosts_connected = 90;
  EXPECT_EQ(drill.look().kind, Kind::wait);
  drill.view.hosts_connected = 98;
  EXPECT_EQ(drill.look().kind, Kind::hand_over) << "some of many come and go";
}

TEST(UpgradeCore, AHookThatFailsEndsItAndTheNodeIsTakenBack) {
  Drill drill;
  drill.hand_over(2);
  drill.expect(Kind::replace, 2);
  drill.core.hook_ended("node 2: the hook failed", drill.now);
  const UpgradeStep step = drill.look();
  EXPECT_EQ(step.kind, Kind::stop);
  EXPECT_EQ(step.node, 2U);
  EXPECT_EQ(step.why, "node 2: the hook failed");
}

TEST(UpgradeCore, AnotherNodesFailureMeanwhileHoldsTheHookBack) {
  Drill drill;
  drill.hand_over(2);
  drill.node(3).trouble = "does not answer";
  EXPECT_EQ(drill.look().kind, Kind::wait);
  EXPECT_THAT(drill.stops(milliseconds(61'000)), HasSubstr("node 3: does not answer"));
}

TEST(UpgradeCore, ANewLeaderIsToldAgainWhoHandsOver) {
  Drill drill;
  drill.expect(Kind::hand_over, 2);
  drill.spare(2);
  drill.expect(Kind::wait, 0);
  drill.spare(0);
  drill.lead(3);
  drill.expect(Kind::hand_over, 2);
  EXPECT_THAT(drill.stops(milliseconds(61'000)), HasSubstr("node 2 still owns 21 shards"));
}

TEST(UpgradeCore, WhatARunThatWasKilledSparedIsTakenBackFirst) {
  Drill drill;
  drill.node(2).build = new_build;
  drill.spare(2, "run-0");
  EXPECT_THAT(drill.stops(), HasSubstr("go on with --take-over"));
  UpgradePlan plan{new_build, "run-1"};
  plan.takes_over = true;
  drill.core = UpgradeCore(plan);
  drill.expect(Kind::take_back, 2);
  drill.expect(Kind::wait, 0);
  drill.spare(0);
  drill.replace(3);
  drill.spare(2, "run-7");
  EXPECT_EQ(drill.look().kind, Kind::wait) << "whoever comes later is not taken over";
  EXPECT_THAT(drill.stops(milliseconds(61'000)), HasSubstr("another upgrade is under way"));
}

TEST(UpgradeCore, WhatItSparedItselfAndCouldNotTakeBackIsTakenBackBeforeTheNext) {
  Drill drill;
  drill.replace(2);
  drill.spare(2);
  drill.expect(Kind::take_back, 2);
  EXPECT_EQ(drill.look().kind, Kind::wait);
  EXPECT_THAT(drill.stops(milliseconds(61'000)), HasSubstr("node 2 still hands over for ann"));
}

TEST(UpgradeCore, ARunThatLostItsSpareToAnotherDoesNotRunTheHook) {
  for (const std::uint32_t spared : {2, 3}) {
    Drill drill;
    drill.hand_over(2);
    drill.spare(spared, "run-7");
    EXPECT_EQ(drill.look().kind, Kind::wait);
    EXPECT_THAT(drill.stops(milliseconds(61'000)), HasSubstr("another upgrade is under way"));
  }
}

TEST(UpgradeCore, WithoutASpareNoHookIsRun) {
  Drill drill;
  drill.expect(Kind::hand_over, 2);
  drill.node(2).shards = 0;
  drill.expect(Kind::hand_over, 2);
  EXPECT_EQ(drill.stops(milliseconds(61'000)), "node 2 does not hand over for this upgrade");
}

TEST(UpgradeCore, AllThatWasCheckedAtTheBeginningIsCheckedBeforeTheHook) {
  const auto refused = [](auto spoil) {
    Drill drill;
    drill.hand_over(2);
    spoil(drill);
    EXPECT_EQ(drill.look().kind, Kind::wait);
    return drill.stops(milliseconds(61'000));
  };
  EXPECT_THAT(refused([](Drill& d) { d.node(3).role = "NONE"; }), HasSubstr("2 voters"));
  EXPECT_THAT(refused([](Drill& d) { d.node(3).build = "00000000000000cc"; }),
              HasSubstr("another upgrade is under way"));
  EXPECT_THAT(refused([](Drill& d) {
                d.view.nodes.push_back({4, "LEARNER", "does not answer", old_build, 0, 0});
              }),
              HasSubstr("node 4: does not answer"));
  Drill drill;
  drill.hand_over(2);
  drill.node(2).trouble = "does not serve yet";
  drill.expect(Kind::replace, 2);
}

TEST(UpgradeCore, WhereTheLeaderCannotHandOverANodeIsReplacedWithItsShards) {
  Drill drill;
  drill.expect(Kind::hand_over, 2);
  drill.core.hand_over_unknown();
  drill.expect(Kind::replace, 2);
}

TEST(UpgradeCore, ABuildIsSixteenHexadecimalDigits) {
  EXPECT_TRUE(is_build(new_build));
  for (const char* text : {"", "unknown", "00000000000000BB", "00000000000000bbb"})
    EXPECT_FALSE(is_build(text)) << text;
}

TEST(UpgradeCore, WhoDoesNotComeBackAsWantedEndsIt) {
  const auto ended = [](auto spoil, milliseconds later) {
    Drill drill;
    drill.hand_over(2);
    drill.expect(Kind::replace, 2);
    drill.core.hook_ended({}, drill.now);
    spoil(drill.node(2));
    return drill.stops(later);
  };
  constexpr milliseconds in_vain{301'000};
  EXPECT_THAT(ended([](UpgradeNode& node) { node.trouble = "does not answer"; }, in_vain),
              HasSubstr("node 2: does not answer"));
  EXPECT_THAT(ended([](UpgradeNode&) {}, in_vain), HasSubstr("the hook did not replace it"));
  EXPECT_THAT(ended([](UpgradeNode& node) { node.build = "00000000000000cc"; }, milliseconds(0)),
              HasSubstr("came back with build 00000000000000cc"));
  EXPECT_THAT(ended(
                  [](UpgradeNode& node) {
                    node.build = new_build;
                    node.lag = 5'000;
                  },
                  in_vain),
              HasSubstr("lags by 5000"));
}

TEST(UpgradeCore, NodesThatDoNotTellTheirBuildOrShardsAreOfAnOlderOne) {
  Drill drill;
  for (auto& node : drill.view.nodes) {
    node.build.clear();
    node.shards.reset();
  }
  drill.expect(Kind::hand_over, 2);
  drill.core.hand_over_unknown();
  drill.expect(Kind::replace, 2);
  drill.core.hook_ended({}, drill.now);
  drill.expect(Kind::wait, 0);
  drill.node(2).build = new_build;
  drill.expect(Kind::take_back, 2);
}

TEST(UpgradeCore, ASilentCellIsWaitedForButNotForEver) {
  Drill drill;
  drill.view.nodes.clear();
  EXPECT_EQ(drill.look().kind, Kind::wait);
  EXPECT_EQ(drill.stops(milliseconds(61'000)), "no node of the cell answers");
}

TEST(UpgradeCore, LeadershipThatDoesNotMoveEndsIt) {
  Drill drill;
  drill.node(2).build = drill.node(3).build = new_build;
  EXPECT_EQ(drill.look().kind, Kind::transfer);
  EXPECT_EQ(drill.look().kind, Kind::wait);
  EXPECT_EQ(drill.stops(milliseconds(61'000)), "leadership did not move away from node 1");
}

}  // namespace
}  // namespace troupe::cli
