#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

TEST(RaftRead, TheLeaderAnswersAfterOneRoundWithoutALogEntry) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.read(1, 7).ok());
  net.flush(1);
  EXPECT_TRUE(net.node(1).granted.empty());
  net.deliver();
  EXPECT_EQ(net.node(1).granted.at(7), Index{1});
  EXPECT_EQ(net.status(1).last, Index{1});
}

TEST(RaftRead, ASingleNodeAnswersItself) {
  Cluster net(1);
  net.elect(1);
  ASSERT_TRUE(net.read(1, 7).ok());
  net.flush(1);
  EXPECT_EQ(net.node(1).granted.at(7), Index{1});
}

TEST(RaftRead, AFollowerAndALearnerAskTheLeaderInOneMessage) {
  Cluster net(3, 1);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  for (const std::uint32_t id : {2u, 4u}) {
    ASSERT_TRUE(net.read(id, 100 + id).ok());
    ASSERT_TRUE(net.read(id, 200 + id).ok());
  }
  net.deliver();
  EXPECT_EQ(net.node(2).granted.at(102), Index{2});
  EXPECT_EQ(net.node(4).granted.at(204), Index{2});
  EXPECT_EQ(net.sent(MessageType::read_index, 2).size(), 1u);
}

TEST(RaftRead, AReadSeesWhatIsCommittedThoughNotYetApplied) {
  Cluster net(3);
  net.elect(1);
  net.node(1).hold_apply = true;
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  ASSERT_TRUE(net.read(1, 7).ok());
  net.deliver();
  EXPECT_EQ(net.node(1).granted.at(7), Index{2});
}

TEST(RaftRead, NoLeaderNoRead) {
  Cluster net(3);
  EXPECT_EQ(net.read(1, 7).error().code, ErrorCode::unavailable);
}

TEST(RaftRead, ALeaderThatLostItsMajorityAnswersNothingAndSaysSo) {
  Cluster net(3);
  net.elect(1);
  net.isolate(1);
  ASSERT_TRUE(net.read(1, 7).ok());
  net.deliver();
  EXPECT_TRUE(net.node(1).granted.empty());
  net.tick(1, 61);
  net.deliver();
  EXPECT_EQ(net.node(1).lost, std::vector<ReadToken>{7});
}

TEST(RaftRead, ANewLeaderWaitsForItsFirstOwnCommit) {
  Cluster net(3);
  net.drop([](Message& message) { return message.type == MessageType::append_reply; });
  net.elect(1);
  ASSERT_TRUE(net.read(1, 7).ok());
  net.deliver();
  EXPECT_TRUE(net.node(1).granted.empty());
  net.drop(nullptr);
  net.pass(11);
  EXPECT_EQ(net.node(1).granted.at(7), Index{1});
}

TEST(RaftRead, AnswersToAnEarlierRoundConfirmNothing) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.read(1, 1).ok());
  net.deliver();
  const auto old = net.sent(MessageType::heartbeat_reply, 2);
  ASSERT_FALSE(old.empty());
  net.isolate(1);
  net.tick(3, 31);
  net.elect(2);
  ASSERT_TRUE(net.propose(2, "a").ok());
  net.deliver();
  ASSERT_TRUE(net.read(1, 2).ok());
  net.flush(1);
  net.step(1, old.back());
  net.flush(1);
  EXPECT_FALSE(net.node(1).granted.contains(2)) << "it would miss what the new leader committed";
}

TEST(RaftRead, LearnersDoNotConfirmARound) {
  Cluster net(3, 2);
  net.elect(1);
  net.cut(1, 2);
  net.cut(1, 3);
  ASSERT_TRUE(net.read(1, 7).ok());
  net.deliver();
  net.tick(1, 5);
  net.deliver();
  EXPECT_TRUE(net.node(1).granted.empty());
}

TEST(RaftRead, AnAnswerToAnEarlierLifeOfTheFollowerIsIgnored) {
  Cluster net(3);
  net.elect(1);
  net.drop([](Message& message) { return message.type == MessageType::read_index_reply; });
  ASSERT_TRUE(net.read(2, 1).ok());
  net.deliver();
  const auto old = net.sent(MessageType::read_index_reply, 1);
  ASSERT_EQ(old.size(), 1u);
  net.crash(2);
  net.restart(2);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.pass(11);
  ASSERT_TRUE(net.read(2, 2).ok());
  net.flush(2);
  net.step(2, old[0]);
  net.flush(2);
  EXPECT_FALSE(net.node(2).granted.contains(2));
}

TEST(RaftRead, ADuplicateRequestOrAnswerChangesNothing) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.read(2, 1).ok());
  net.flush(2);
  net.step(1, net.sent(MessageType::read_index, 2).at(0));
  net.deliver();
  EXPECT_EQ(net.sent(MessageType::read_index_reply, 1).size(), 2u);
  EXPECT_EQ(net.checker().reads_answered(), 1u);
}

TEST(RaftRead, AForwardedReadIsLostWithItsLeader) {
  Cluster net(3);
  net.elect(1);
  net.isolate(1);
  ASSERT_TRUE(net.read(2, 1).ok());
  net.deliver();
  net.tick(3, 31);
  net.elect(2);
  EXPECT_EQ(net.node(2).lost, std::vector<ReadToken>{1});
}

TEST(RaftRead, AForwardedReadWithoutAnswerIsGivenUp) {
  Cluster net(3);
  net.elect(1);
  net.drop([](Message& message) { return message.type == MessageType::read_index; });
  ASSERT_TRUE(net.read(2, 1).ok());
  net.pass(62);
  EXPECT_EQ(net.node(2).lost, std::vector<ReadToken>{1});
}

TEST(RaftRead, TooManyReadsAreRefused) {
  Cluster net(3, 0, {.max_pending_reads = 2});
  net.elect(1);
  for (const std::uint32_t id : {1u, 2u}) {
    EXPECT_TRUE(net.read(id, 1).ok());
    EXPECT_TRUE(net.read(id, 2).ok());
    EXPECT_EQ(net.read(id, 3).error().code, ErrorCode::overloaded);
  }
  net.deliver();
  EXPECT_EQ(net.node(1).granted.size(), 2u);
  EXPECT_TRUE(net.read(1, 4).ok());
}

TEST(RaftRead, ReadsGatherWhenTooManyRoundsAreOut) {
  Cluster net(3, 0, {.max_read_rounds = 1});
  net.elect(1);
  net.forget_sent();
  for (ReadToken token = 1; token <= 5; ++token) {
    ASSERT_TRUE(net.read(1, token).ok());
    net.flush(1);
  }
  EXPECT_EQ(net.sent(MessageType::heartbeat, 1).size(), 2u) << "one round to two voters";
  net.deliver();
  EXPECT_EQ(net.node(1).granted.size(), 5u);
}

}  // namespace
}  // namespace troupe::raft::test
