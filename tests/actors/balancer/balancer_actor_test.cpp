// When the balancer proposes, and what it waits for.

#include "actors/balancer/balancer_actor.hpp"

#include <gtest/gtest.h>

#include "tests/actors/leader_stage.hpp"

namespace troupe {
namespace {

struct BalancerStage : LeaderStage {
  BalancerStage() : LeaderStage(spawn_balancer) {}
  /// The other node speaks all the while.
  void pass(milliseconds time) {
    constexpr milliseconds step{100};
    for (milliseconds passed{0}; passed < time; passed += step) {
      hear({NodeId{2}, milliseconds(0)});
      advance(step);
    }
  }
};

TEST(Balancer, ProposesOnePlanAtATime) {
  BalancerStage s;
  s.lead();
  s.pass(milliseconds(3'000));
  ASSERT_EQ(s.proposals_made, 1U) << "half of the shards go to the other node";
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  s.pass(milliseconds(3'000));
  EXPECT_EQ(s.proposals_made, 1U) << "nothing is left to do";
}

// Measured after a leader was stopped: its plan, which nobody answered, kept the next one from being made for
// five seconds when it led again.
TEST(Balancer, AwaitsNoAnswerOfAnEarlierLeadership) {
  BalancerStage s;
  s.lead();
  s.pass(milliseconds(3'000));
  ASSERT_EQ(s.proposals_made, 1U);
  s.follow();
  s.cell.term = Term{s.cell.term.value + 1};
  s.lead();
  s.pass(milliseconds(1'500));
  ASSERT_EQ(s.proposals_made, 2U);
  s.answer_proposal({ErrorCode::outcome_unknown, "of the first"});
  s.pass(milliseconds(1'500));
  EXPECT_EQ(s.proposals_made, 2U) << "the second is not answered yet";
  s.answer_proposal({ErrorCode::unavailable, "of the second"});
  s.pass(milliseconds(500));
  EXPECT_EQ(s.proposals_made, 3U);
}

TEST(Balancer, WaitsForTheSilenceOfANodeButNotOfOneThatIsGone) {
  BalancerStage s;
  s.lead();
  s.pass(milliseconds(3'000));
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  const auto owned = [&s](NodeId node) {
    return std::ranges::count(s.cell.reads().shards(), node, &ShardRecord::owner);
  };
  ASSERT_EQ(owned(NodeId{2}), 2);
  s.hear({NodeId{2}, milliseconds(300), false});
  s.advance(milliseconds(300));
  ASSERT_TRUE(s.proposals.empty()) << "its link is down, no more is known";
  s.hear({NodeId{2}, milliseconds(300), false, true});
  ASSERT_EQ(s.proposals.size(), 1U) << "its process has ended";
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  EXPECT_EQ(owned(NodeId{2}), 0);
  s.pass(milliseconds(500));
  EXPECT_TRUE(s.proposals.empty()) << "it is back, but not for long";
  s.pass(milliseconds(1'500));
  EXPECT_EQ(s.proposals.size(), 1U);
}

TEST(Balancer, ANewLeaderTakesNothingBeforeTheOthersHadTimeToSpeak) {
  BalancerStage s;
  AssignShards all;
  for (const ShardRecord& shard : s.cell.reads().shards())
    all.moves.push_back({shard.id, shard.epoch, NodeId{2}});
  Command command;
  command.fence = TermFence{s.cell.term};
  command.body = std::move(all);
  ASSERT_TRUE(s.cell.apply(std::move(command)).taken());
  s.lead();
  s.pass(milliseconds(600));
  EXPECT_TRUE(s.proposals.empty());
  s.pass(milliseconds(500));
  EXPECT_EQ(s.proposals.size(), 1U) << "now its own half";
}

TEST(Balancer, ANewLeaderGivesAwayAtOnceWhatANodeThatIsGoneOwned) {
  BalancerStage s;
  s.lead();
  s.pass(milliseconds(3'000));
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  s.follow();
  s.cell.term = Term{s.cell.term.value + 1};
  s.hear({NodeId{2}, milliseconds(0), false, true});
  s.lead();
  EXPECT_EQ(s.proposals.size(), 1U);
}

struct SpareStage : BalancerStage {
  SpareStage() {
    lead();
    pass(milliseconds(3'000));
    EXPECT_TRUE(apply_proposal().refused.empty());
  }
  void spare(NodeId node, milliseconds at_most) {
    give(SpareNode{node, at_most, "ann", "release 12", ++cookie, milliseconds(5'000), asker()});
  }
  auto owned(NodeId node) const {
    return std::ranges::count(cell.reads().shards(), node, &ShardRecord::owner);
  }
  std::uint64_t cookie = 0;
};

TEST(Balancer, HandsOverTheShardsOfANodeThatIsSparedInTheNameOfWhoAsked) {
  SpareStage s;
  s.spare(NodeId{2}, milliseconds(60'000));
  ASSERT_EQ(s.proposals.size(), 1U);
  EXPECT_EQ(s.proposals.front().command.caller, "ann");
  EXPECT_EQ(s.proposals.front().command.reason, "node 2 hands over: release 12");
  EXPECT_TRUE(s.told.empty()) << "it still owns some";
  EXPECT_TRUE(s.apply_proposal().refused.empty());
  EXPECT_EQ(s.owned(NodeId{2}), 0);
  ASSERT_EQ(s.told.size(), 1U);
  EXPECT_TRUE(s.told.front().done.ok());
  s.pass(milliseconds(5'000));
  EXPECT_TRUE(s.proposals.empty()) << "it speaks, and gets none";
  s.spare(NodeId{2}, milliseconds(0));
  EXPECT_EQ(s.told.size(), 2U);
  ASSERT_EQ(s.proposals.size(), 1U) << "taken back";
  EXPECT_EQ(s.proposals.front().command.caller, "troupe/balancer");
}

TEST(Balancer, SparesNobodyForLongerThanWasAskedFor) {
  SpareStage s;
  s.spare(NodeId{2}, milliseconds(4'000));
  s.apply_proposal();
  s.pass(milliseconds(3'500));
  EXPECT_TRUE(s.proposals.empty());
  s.pass(milliseconds(1'000));
  EXPECT_EQ(s.proposals.size(), 1U);
}

TEST(Balancer, AnswersWhoAskedForAHandOverThatIsNotDoneInTime) {
  SpareStage s;
  s.spare(NodeId{2}, milliseconds(60'000));
  s.pass(milliseconds(4'500));
  EXPECT_TRUE(s.told.empty());
  s.pass(milliseconds(1'000));
  ASSERT_EQ(s.told.size(), 1U);
  EXPECT_EQ(s.told.front().done.error().code, ErrorCode::outcome_unknown);
}

TEST(Balancer, SparesOnlyWhileItLeads) {
  SpareStage s;
  s.follow();
  s.spare(NodeId{2}, milliseconds(60'000));
  ASSERT_EQ(s.told.size(), 1U);
  EXPECT_EQ(s.told.front().done.error().code, ErrorCode::not_leader);
  s.cell.term = Term{s.cell.term.value + 1};
  s.lead();
  s.spare(NodeId{2}, milliseconds(60'000));
  s.apply_proposal();
  s.follow();
  s.cell.term = Term{s.cell.term.value + 1};
  s.lead();
  s.pass(milliseconds(3'000));
  EXPECT_EQ(s.proposals.size(), 1U) << "another leadership knows nothing of it";
}

}  // namespace
}  // namespace troupe
