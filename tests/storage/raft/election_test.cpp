#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

TEST(RaftElection, ASingleNodeLeadsOnceItsOwnVoteIsSynced) {
  Cluster net(1);
  net.campaign(1);
  net.flush(1);
  EXPECT_EQ(net.core(1).role(), Role::candidate);
  net.sync(1);
  EXPECT_EQ(net.core(1).role(), Role::leader);
}

TEST(RaftElection, ACandidateIsElectedByAMajorityAndOthersFollow) {
  Cluster net(3);
  net.elect(2);
  EXPECT_EQ(net.status(1).leader, NodeId{2});
  EXPECT_EQ(net.status(3).leader, NodeId{2});
  EXPECT_EQ(net.status(3).term, Term{1});
}

TEST(RaftElection, ANewLeaderAppendsANoopAndCommitsItAtOnce) {
  Cluster net(3);
  net.elect(1);
  EXPECT_EQ(net.terms(1), "1");
  EXPECT_EQ(net.log(1).at(Index{1}).kind, EntryKind::noop);
  EXPECT_EQ(net.status(1).commit, Index{1});
}

TEST(RaftElection, TheCandidatesOwnVoteCountsOnlyWhenSynced) {
  Cluster net(3);
  net.hold_disk(1);
  net.campaign(1);
  net.deliver();
  EXPECT_EQ(net.core(1).role(), Role::candidate);
  EXPECT_TRUE(net.sent(MessageType::vote, 1).empty()) << "asked for votes in a term that is not durable";
  net.step(2, {.type = MessageType::vote, .from = NodeId{1}, .term = Term{1}});
  net.deliver();
  EXPECT_EQ(net.core(1).role(), Role::candidate) << "one granted vote and an unsynced one are no majority";
  net.release_disk(1);
  net.deliver();
  EXPECT_EQ(net.core(1).role(), Role::leader);
}

TEST(RaftElection, AVoteLeavesOnlyWhenItIsSynced) {
  Cluster net(3);
  net.hold_disk(2);
  net.isolate(3);
  net.campaign(1);
  net.deliver();
  EXPECT_TRUE(net.sent(MessageType::vote_reply, 2).empty());
  EXPECT_EQ(net.core(1).role(), Role::candidate);
  net.release_disk(2);
  net.deliver();
  EXPECT_EQ(net.core(1).role(), Role::leader);
}

TEST(RaftElection, ANodeVotesOncePerTermAlsoAfterACrash) {
  Cluster net(3);
  net.step(3, {.type = MessageType::vote, .from = NodeId{1}, .term = Term{5}});
  net.flush(3);
  net.sync(3);
  ASSERT_EQ(net.sent(MessageType::vote_reply, 3).size(), 1u);
  EXPECT_FALSE(net.sent(MessageType::vote_reply, 3)[0].reject);
  net.crash(3);
  net.restart(3);
  net.step(3, {.type = MessageType::vote, .from = NodeId{2}, .term = Term{5}});
  net.flush(3);
  net.sync(3);
  ASSERT_EQ(net.sent(MessageType::vote_reply, 3).size(), 2u);
  EXPECT_TRUE(net.sent(MessageType::vote_reply, 3)[1].reject);
}

TEST(RaftElection, ARepeatedRequestOfTheSameCandidateGetsTheSameVote) {
  Cluster net(3);
  for (int times = 0; times < 2; ++times) {
    net.step(3, {.type = MessageType::vote, .from = NodeId{1}, .term = Term{5}});
    net.flush(3);
    net.sync(3);
  }
  ASSERT_EQ(net.sent(MessageType::vote_reply, 3).size(), 2u);
  EXPECT_FALSE(net.sent(MessageType::vote_reply, 3)[1].reject);
}

TEST(RaftElection, AShorterOrOlderLogGetsNoVote) {
  Cluster net(3);
  net.restore(1, {1, 1, 1}, {Term{3}, {}});
  net.restore(2, {1, 2}, {Term{3}, {}});
  net.restore(3, {1, 2, 2}, {Term{3}, {}});
  net.cut(1, 2);
  net.campaign(1);
  net.deliver();
  EXPECT_EQ(net.core(1).role(), Role::pre_candidate) << "a longer log of an older term loses";
  net.cut(1, 3);
  net.campaign(2);
  net.deliver();
  EXPECT_NE(net.core(2).role(), Role::leader) << "a shorter log of the same term loses";
  net.campaign(3);
  net.deliver();
  EXPECT_EQ(net.core(3).role(), Role::leader);
}

TEST(RaftElection, ANodeThatKnowsNoMembershipForTheCandidateStillVotes) {
  Cluster net(3, 1);
  net.step(4, {.type = MessageType::vote, .from = NodeId{9}, .term = Term{2}});
  net.flush(4);
  net.sync(4);
  ASSERT_EQ(net.sent(MessageType::vote_reply, 4).size(), 1u);
  EXPECT_FALSE(net.sent(MessageType::vote_reply, 4)[0].reject)
      << "a learner may be a voter it has not heard of";
}

// Else it refuses the vote that a cell of one, crashed while it promoted this learner, needs to come back.
TEST(RaftElection, ALearnerForgetsASilentLeader) {
  Cluster net(1, 1);
  net.elect(1);
  EXPECT_EQ(net.status(2).leader, NodeId{1});
  net.crash(1);
  net.tick(2, 60);
  EXPECT_EQ(net.status(2).leader, NodeId{0});
  EXPECT_EQ(net.core(2).role(), Role::follower);
}

TEST(RaftElection, LearnersNeverCampaignAndTheirVotesDoNotCount) {
  Cluster net(3, 2);
  net.tick(4, 200);
  EXPECT_EQ(net.core(4).role(), Role::follower);
  net.campaign(1);
  net.flush(1);
  net.step(1, {.type = MessageType::pre_vote_reply, .from = NodeId{4}, .term = Term{1}});
  net.step(1, {.type = MessageType::pre_vote_reply, .from = NodeId{5}, .term = Term{1}});
  EXPECT_EQ(net.core(1).role(), Role::pre_candidate);
}

TEST(RaftPreVote, ChangesNeitherTermNorVote) {
  Cluster net(3);
  net.isolate(3);
  net.campaign(3);
  net.tick(3, 500);
  net.deliver();
  EXPECT_EQ(net.status(3).term, Term{0}) << "alone it never raises its term";
  net.step(2, {.type = MessageType::pre_vote, .from = NodeId{1}, .term = Term{7}});
  net.flush(2);
  EXPECT_EQ(net.status(2).term, Term{0});
  EXPECT_EQ(net.status(2).voted_for, NodeId{0});
  ASSERT_EQ(net.sent(MessageType::pre_vote_reply, 2).size(), 1u);
  EXPECT_FALSE(net.sent(MessageType::pre_vote_reply, 2)[0].reject);
  EXPECT_TRUE(net.node(2).writes.empty());
}

TEST(RaftPreVote, ANodeThatComesBackDoesNotDeposeALivingLeader) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  net.tick(3, 300);
  net.deliver();
  net.heal();
  net.tick(3, 100);
  net.deliver();
  net.pass(10);
  EXPECT_EQ(net.core(1).role(), Role::leader);
  EXPECT_EQ(net.status(1).term, Term{1});
  EXPECT_EQ(net.status(3).leader, NodeId{1});
}

TEST(RaftPreVote, AVoteOfAHigherTermIsIgnoredWhileTheLeaderIsHeard) {
  Cluster net(3);
  net.elect(1);
  net.forget_sent();
  net.step(2, {.type = MessageType::vote,
               .from = NodeId{3},
               .term = Term{9},
               .index = Index{99},
               .log_term = Term{8}});
  net.step(1, {.type = MessageType::vote,
               .from = NodeId{3},
               .term = Term{9},
               .index = Index{99},
               .log_term = Term{8}});
  net.deliver();
  EXPECT_EQ(net.status(2).term, Term{1});
  EXPECT_EQ(net.core(1).role(), Role::leader);
  EXPECT_TRUE(net.sent(MessageType::vote_reply, 2).empty());
}

TEST(RaftCheckQuorum, ALeaderWithoutAMajorityStepsDown) {
  Cluster net(3);
  net.elect(1);
  net.isolate(1);
  net.tick(1, 61);
  EXPECT_EQ(net.core(1).role(), Role::follower);
  EXPECT_EQ(net.status(1).leader, NodeId{0});
  EXPECT_EQ(net.propose(1, "x").error().code, ErrorCode::not_leader);
}

TEST(RaftCheckQuorum, ALeaderHeardByOneOfTwoFollowersStays) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  net.pass(200);
  EXPECT_EQ(net.core(1).role(), Role::leader);
  EXPECT_LE(net.status(1).silent_ticks, 5u);
}

TEST(RaftCheckQuorum, ANodeStuckInAHigherTermIsFreedByTheLeadersSteppingDown) {
  Cluster net(3);
  net.restore(3, {}, {Term{9}, {}});
  net.cut(3, 1);
  net.cut(3, 2);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  net.heal();
  net.pass(400);  // its log is too short to win a pre-vote, and it refuses the leader's lower term
  EXPECT_EQ(net.applied(3), "a");
  EXPECT_GE(net.status(3).term, Term{10});
  EXPECT_NE(net.status(3).leader, NodeId{0});
}

TEST(RaftElection, AMessageForAnotherNodeOrFromNobodyIsIgnored) {
  Cluster net(3);
  Message stray{.type = MessageType::append, .from = NodeId{2}, .to = NodeId{3}, .term = Term{7}};
  net.core(1).step(stray);
  net.step(1, {.type = MessageType::append, .from = NodeId{0}, .term = Term{7}});
  EXPECT_EQ(net.status(1).term, Term{0});
}

}  // namespace
}  // namespace troupe::raft::test
