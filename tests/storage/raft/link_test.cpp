#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

void break_links_to(Cluster& net, std::uint32_t leader, std::uint32_t nodes) {
  net.crash(leader);
  for (std::uint32_t id = 1; id <= nodes; ++id) {
    if (id != leader) net.core(id).link_down(NodeId{leader});
  }
}

TEST(RaftLink, AFollowerForgetsALeaderWhoseLinkBroke) {
  Cluster net(3);
  net.elect(1);
  net.core(2).link_down(NodeId{1});
  EXPECT_EQ(net.status(2).leader, NodeId{0});
  net.core(3).link_down(NodeId{2});
  EXPECT_EQ(net.status(3).leader, NodeId{1}) << "a link to another follower means nothing";
}

TEST(RaftLink, AfterTheLeadersDeathTheFirstInRankLeadsWithinTwoTicks) {
  Cluster net(3);
  net.elect(1);
  break_links_to(net, 1, 3);
  net.pass(2);
  EXPECT_EQ(net.core(2).role(), Role::leader);
  EXPECT_EQ(net.status(3).leader, NodeId{2});
  EXPECT_EQ(net.status(3).term, Term{2}) << "nobody split the vote";
}

TEST(RaftLink, AllFollowersTickingTogetherDoNotSplitTheVote) {
  Cluster net(5);
  net.elect(3);
  break_links_to(net, 3, 5);
  for (const std::uint32_t id : {1u, 2u, 4u, 5u}) net.tick(id);
  EXPECT_EQ(net.core(1).role(), Role::pre_candidate);
  for (const std::uint32_t id : {2u, 4u, 5u}) EXPECT_EQ(net.core(id).role(), Role::follower) << id;
}

TEST(RaftLink, TheNextInRankTakesOverWhenTheFirstIsDeadToo) {
  Cluster net(5);
  net.elect(1);
  break_links_to(net, 1, 5);
  net.crash(2);
  net.pass(3);
  EXPECT_EQ(net.core(3).role(), Role::leader);
}

TEST(RaftLink, OneBrokenLinkDoesNotDeposeALeaderTheOthersHear) {
  Cluster net(3);
  net.elect(1);
  net.cut(1, 2);
  net.core(1).link_down(NodeId{2});
  net.core(2).link_down(NodeId{1});
  net.pass(100);
  EXPECT_EQ(net.core(1).role(), Role::leader);
  EXPECT_EQ(net.status(1).term, Term{1});
  net.heal();
  net.core(1).link_up(NodeId{2});
  net.core(2).link_up(NodeId{1});
  net.deliver();
  EXPECT_EQ(net.status(2).leader, NodeId{1}) << "the leader speaks at once when the link is back";
}

TEST(RaftLink, ADeadLeaderThatComesBackGetsOnlyWhatItLacks) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "old", 20).ok());
  net.deliver();
  break_links_to(net, 1, 3);
  net.pass(2);
  ASSERT_EQ(net.core(2).role(), Role::leader);
  ASSERT_TRUE(net.propose(2, "new").ok());
  net.deliver();
  net.compact(2, 15);
  net.restart(1);
  net.forget_sent();
  net.core(2).link_up(NodeId{1});
  net.pass(1);
  EXPECT_FALSE(net.carry_snapshot(2)) << "none was asked for";
  EXPECT_EQ(net.status(1).commit, net.status(2).commit);
  for (const Message& append : net.sent(MessageType::append, 2)) EXPECT_GT(append.index, Index{15});
}

TEST(RaftLink, RetriesAreQuickWhileTheLinkStaysDown) {
  Cluster net(3);
  net.elect(1);
  net.isolate(2);
  net.core(2).link_down(NodeId{1});
  net.forget_sent();
  for (int ticks = 0; ticks < 60; ++ticks) {
    net.tick(2);
    net.flush(2);
  }
  EXPECT_GE(net.sent(MessageType::pre_vote, 2).size(), 2u * 60 / 6);
  net.core(2).link_up(NodeId{1});
  net.forget_sent();
  for (int ticks = 0; ticks < 29; ++ticks) {
    net.tick(2);
    net.flush(2);
  }
  EXPECT_TRUE(net.sent(MessageType::pre_vote, 2).empty())
      << "with the link up it waits the whole timeout again";
}

TEST(RaftLink, ACandidateThatGotItsVoteIsNotHurried) {
  Cluster net(3);
  net.elect(1);
  net.core(3).link_down(NodeId{1});
  net.step(3, {.type = MessageType::vote,
               .from = NodeId{2},
               .term = Term{2},
               .index = Index{1},
               .log_term = Term{1}});
  EXPECT_EQ(net.status(3).voted_for, NodeId{2});
  net.tick(3, 29);
  EXPECT_EQ(net.core(3).role(), Role::follower);
}

}  // namespace
}  // namespace troupe::raft::test
