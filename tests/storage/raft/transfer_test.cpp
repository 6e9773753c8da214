#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

TEST(RaftTransfer, LeadershipMovesAtOnceToAnUpToDateVoter) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.core(1).transfer(NodeId{3}).ok());
  net.deliver();
  EXPECT_EQ(net.core(3).role(), Role::leader);
  EXPECT_EQ(net.status(1).leader, NodeId{3});
  EXPECT_EQ(net.status(1).term, Term{2});
}

TEST(RaftTransfer, ALaggingTargetIsBroughtUpToDateFirst) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  ASSERT_TRUE(net.propose(1, "a", 3).ok());
  net.deliver();
  ASSERT_TRUE(net.core(1).transfer(NodeId{3}).ok());
  net.deliver();
  EXPECT_TRUE(net.sent(MessageType::timeout_now, 1).empty());
  net.heal();
  net.pass(6);
  EXPECT_EQ(net.core(3).role(), Role::leader);
  EXPECT_EQ(net.applied(3), "a a a");
}

TEST(RaftTransfer, ATargetWhoseTailIsNotSyncedIsWaitedFor) {
  Cluster net(3);
  net.elect(1);
  net.hold_disk(3);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  ASSERT_TRUE(net.core(1).transfer(NodeId{3}).ok());
  net.deliver();
  EXPECT_TRUE(net.sent(MessageType::timeout_now, 1).empty());
  net.release_disk(3);
  net.deliver();
  EXPECT_EQ(net.core(3).role(), Role::leader);
}

TEST(RaftTransfer, ProposalsWaitAndATransferThatFailsIsGivenUp) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  ASSERT_TRUE(net.core(1).transfer(NodeId{3}).ok());
  EXPECT_EQ(net.propose(1, "a").error().code, ErrorCode::unavailable);
  EXPECT_EQ(net.core(1).transfer(NodeId{2}).error().code, ErrorCode::conflict);
  net.pass(31);
  EXPECT_EQ(net.core(1).role(), Role::leader);
  EXPECT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  EXPECT_EQ(net.applied(2), "a");
}

TEST(RaftTransfer, OnlyALeaderHandsOverAndOnlyToAnotherVoter) {
  Cluster net(3, 1);
  net.elect(1);
  EXPECT_EQ(net.core(2).transfer(NodeId{3}).error().code, ErrorCode::not_leader);
  EXPECT_EQ(net.core(1).transfer(NodeId{1}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(net.core(1).transfer(NodeId{4}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(net.core(1).transfer(NodeId{9}).error().code, ErrorCode::invalid_argument);
}

TEST(RaftTransfer, ATimeoutNowOfAnEarlierTermOrAStrangerIsIgnored) {
  Cluster net(3);
  net.elect(1);
  net.step(2, {.type = MessageType::timeout_now, .from = NodeId{3}, .term = Term{1}});
  EXPECT_EQ(net.core(2).role(), Role::follower);
  ASSERT_TRUE(net.core(1).transfer(NodeId{3}).ok());
  net.deliver();
  net.step(2, {.type = MessageType::timeout_now, .from = NodeId{1}, .term = Term{1}});
  EXPECT_EQ(net.core(2).role(), Role::follower);
}

}  // namespace
}  // namespace troupe::raft::test
