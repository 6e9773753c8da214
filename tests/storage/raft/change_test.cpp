// Membership changed through the leader: what is refused, what it takes, what a removed node still does.

#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

using enum MemberChangeKind;

Membership members(std::vector<std::uint32_t> voters, std::vector<std::uint32_t> learners = {}) {
  Membership out;
  for (const std::uint32_t id : voters) out.voters.push_back(NodeId{id});
  for (const std::uint32_t id : learners) out.learners.push_back(NodeId{id});
  return out;
}

std::optional<ErrorCode> code(const Result<Index>& result) {
  return result.ok() ? std::nullopt : std::optional(result.error().code);
}

Membership without_addresses(Membership of) {
  of.addresses.clear();
  return of;
}

void change_and_apply(Cluster& net, std::uint32_t leader, MemberChangeKind kind, std::uint32_t member) {
  const auto index = net.change(leader, kind, member);
  ASSERT_TRUE(index.ok()) << index.error().message;
  net.deliver();
  ASSERT_GE(net.status(leader).commit, index.value());
}

TEST(RaftChange, ACellOfOneGrowsToThreeAndShrinksToOne) {
  Cluster net(1, 0, {}, 2);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "a").ok());
  for (const std::uint32_t id : {2u, 3u}) {
    change_and_apply(net, 1, add_learner, id);
    EXPECT_EQ(net.applied(id), "a");
    change_and_apply(net, 1, promote, id);
  }
  EXPECT_EQ(without_addresses(net.status(3).membership), members({1, 2, 3}));
  EXPECT_EQ(net.status(3).membership.addresses.at(1), (MemberAddress{NodeId{3}, "at 3"}));
  net.crash(1);
  for (const std::uint32_t id : {2u, 3u}) net.core(id).link_down(NodeId{1});
  net.pass(3);
  ASSERT_EQ(net.core(2).role(), Role::leader) << "three nodes survive one";
  net.restart(1);
  net.pass(6);
  change_and_apply(net, 2, remove, 1);
  change_and_apply(net, 2, remove, 3);
  EXPECT_EQ(without_addresses(net.status(2).membership), members({2}));
  net.crash(1);
  net.crash(3);
  ASSERT_TRUE(net.propose(2, "b").ok());
  net.pass(200);
  EXPECT_EQ(net.applied(2), "a b");
  EXPECT_EQ(code(net.change(2, remove, 2)), ErrorCode::invalid_argument) << "the last voter stays";
}

TEST(RaftChange, ANodeOfNoMembershipWaitsToBeAdded) {
  Cluster net(1, 0, {}, 1);
  net.tick(2, 500);
  EXPECT_EQ(net.core(2).role(), Role::follower);
  EXPECT_EQ(net.status(2).term, Term{0});
  net.step(2, {.type = MessageType::timeout_now, .from = NodeId{1}, .term = Term{0}});
  EXPECT_EQ(net.core(2).role(), Role::follower);
  net.deliver();
}

TEST(RaftChange, OneChangeAtATimeUntilItIsApplied) {
  Cluster net(3, 0, {}, 2);
  net.elect(1);
  net.isolate(1);
  ASSERT_TRUE(net.change(1, add_learner, 4).ok());
  EXPECT_EQ(code(net.change(1, add_learner, 5)), ErrorCode::conflict);
  net.heal();
  net.node(1).hold_apply = true;
  net.pass(6);
  EXPECT_GE(net.status(1).commit, Index{2});
  EXPECT_EQ(code(net.change(1, add_learner, 5)), ErrorCode::conflict) << "committed, not applied";
  net.node(1).hold_apply = false;
  net.core(1).applied(Index{2});
  EXPECT_TRUE(net.change(1, add_learner, 5).ok());
  net.deliver();
}

TEST(RaftChange, ANewLeaderCommitsInItsTermBeforeItChangesAnything) {
  Cluster net(3, 0, {}, 1);
  net.drop([](Message& message) { return message.type == MessageType::append_reply; });
  net.elect(1);
  EXPECT_EQ(code(net.change(1, add_learner, 4)), ErrorCode::unavailable);
  net.drop(nullptr);
  net.pass(11);
  EXPECT_TRUE(net.change(1, add_learner, 4).ok());
  net.deliver();
}

// Ongaro's correction of 2015: two leaders with one pending change each have majorities without a common
// node.
TEST(RaftChange, ChangesOfTwoLeadersNeverHaveDisjointMajorities) {
  Cluster net(4, 1);
  net.elect(1);
  for (const std::uint32_t id : {2u, 3u, 4u}) net.cut(1, id);
  ASSERT_TRUE(net.change(1, promote, 5).ok());  // reaches 5 alone
  net.deliver();
  for (const std::uint32_t id : {2u, 3u, 4u}) net.core(id).link_down(NodeId{1});
  net.cut(2, 5);
  net.drop([](Message& message) { return message.type == MessageType::append; });
  net.campaign(2);
  net.deliver();
  ASSERT_EQ(net.core(2).role(), Role::leader);
  EXPECT_EQ(code(net.change(2, remove, 1)), ErrorCode::unavailable) << "nothing of its term is committed";
  net.drop(nullptr);
  net.cut(2, 4);  // it goes on with 3 alone: a majority of three, had it removed 1
  net.pass(11);
  net.tick(1, 61);
  net.heal();
  net.isolate(2);
  net.isolate(3);
  net.core(4).link_down(NodeId{2});
  net.core(5).link_down(NodeId{1});
  net.campaign(1);
  net.deliver();  // 1, 4 and 5 are a majority of the five under its pending change
}

TEST(RaftChange, WhatCannotBeIsRefused) {
  Cluster net(3, 1, {.max_members = 4}, 1);
  EXPECT_EQ(code(net.change(1, remove, 2)), ErrorCode::not_leader);
  net.elect(1);
  EXPECT_EQ(code(net.change(1, add_learner, 2)), ErrorCode::invalid_argument);
  EXPECT_EQ(code(net.change(1, add_learner, 4)), ErrorCode::invalid_argument);
  EXPECT_EQ(code(net.change(1, add_learner, 5)), ErrorCode::limit_exceeded);
  EXPECT_EQ(code(net.change(1, promote, 2)), ErrorCode::invalid_argument);
  EXPECT_EQ(code(net.change(1, promote, 5)), ErrorCode::invalid_argument);
  EXPECT_EQ(code(net.change(1, remove, 5)), ErrorCode::invalid_argument);
  EXPECT_EQ(code(net.change(1, remove, 0)), ErrorCode::invalid_argument);
  net.isolate(3);
  ASSERT_TRUE(net.core(1).transfer(NodeId{3}).ok());
  EXPECT_EQ(code(net.change(1, remove, 4)), ErrorCode::unavailable);
  EXPECT_EQ(net.status(1).last, Index{1});
}

TEST(RaftChange, ALearnerIsPromotedOnlyWhenItHasCaughtUp) {
  Cluster net(3, 1, {.max_promote_lag = 5});
  net.elect(1);
  net.isolate(4);
  ASSERT_TRUE(net.propose(1, "a", 6).ok());
  net.deliver();
  const auto refused = net.change(1, promote, 4);
  ASSERT_EQ(code(refused), ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find("lags by 6"), std::string::npos) << refused.error().message;
  net.heal();
  net.pass(11);
  EXPECT_TRUE(net.change(1, promote, 4).ok());
  net.deliver();
  EXPECT_EQ(net.status(4).membership.voters.size(), 4u);
}

TEST(RaftChange, AVoterIsNotRemovedWhenTooFewOfTheOthersLive) {
  Cluster net(3);
  net.elect(1);
  net.crash(3);
  net.pass(31);
  EXPECT_EQ(code(net.change(1, remove, 2)), ErrorCode::unavailable);
  change_and_apply(net, 1, remove, 3);
  EXPECT_EQ(net.core(1).role(), Role::leader);
}

TEST(RaftChange, ARemovedLeaderLeadsUntilThatIsCommittedAndThenHandsOver) {
  Cluster net(3);
  net.elect(1);
  net.isolate(1);
  ASSERT_TRUE(net.change(1, remove, 1).ok());
  ASSERT_TRUE(net.propose(1, "a").ok()) << "it still leads";
  net.deliver();
  EXPECT_EQ(net.core(1).role(), Role::leader);
  net.heal();
  net.pass(11);
  EXPECT_EQ(net.core(1).role(), Role::follower);
  ASSERT_EQ(net.core(2).role(), Role::leader) << "named by the old leader, not by a timer";
  EXPECT_EQ(net.applied(3), "a");
  net.tick(1, 500);
  net.deliver();
  EXPECT_EQ(net.core(2).role(), Role::leader);
  EXPECT_EQ(net.status(2).term, Term{2});
}

TEST(RaftChange, ARemovedLeadersOwnCopyDoesNotCount) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  ASSERT_TRUE(net.change(1, remove, 1).ok());
  net.deliver();
  EXPECT_EQ(net.status(1).commit, Index{1}) << "one of the two that are left has it";
  EXPECT_EQ(net.core(1).role(), Role::leader);
}

TEST(RaftChange, ARemovedLeaderWithoutASuccessorStepsDownAllTheSame) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.change(1, remove, 1).ok());
  net.drop([](Message& message) { return message.type == MessageType::timeout_now; });
  net.deliver();
  EXPECT_EQ(net.core(1).role(), Role::follower);
  net.drop(nullptr);
  net.pass(200);
  EXPECT_TRUE(net.core(2).role() == Role::leader || net.core(3).role() == Role::leader);
}

// Its log is the longest: nobody else can win, and without a successor the cell would stand still for ever.
TEST(RaftChange, ALeaderThatAloneHoldsItsRemovalCanStillBeElected) {
  Cluster net(2);
  net.elect(1);
  net.isolate(1);
  ASSERT_TRUE(net.change(1, remove, 1).ok());
  net.deliver();
  net.crash(1);
  net.restart(1);
  net.heal();
  net.pass(400);
  EXPECT_EQ(net.core(2).role(), Role::leader);
  EXPECT_EQ(without_addresses(net.status(2).membership), members({2}));
}

TEST(RaftChange, ARemovedNodeThatHeardNothingOfItDisturbsNobody) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  change_and_apply(net, 1, remove, 3);
  net.tick(3, 300);
  net.heal();
  net.pass(300);
  EXPECT_EQ(net.core(1).role(), Role::leader);
  EXPECT_EQ(net.status(1).term, Term{1});
  EXPECT_EQ(net.status(2).leader, NodeId{1});
}

TEST(RaftChange, ALearnerThatMayBeAVoterAnswersAVote) {  // etcd#10998
  Cluster net(2, 1);
  net.elect(1);
  net.drop([](Message& message) { return message.to == NodeId{3} && message.type == MessageType::append; });
  ASSERT_TRUE(net.change(1, promote, 3).ok());
  net.deliver();
  net.crash(1);
  net.core(2).link_down(NodeId{1});
  net.core(3).link_down(NodeId{1});
  net.drop(nullptr);
  net.pass(5);
  EXPECT_EQ(net.core(2).role(), Role::leader) << "two of three, the third not knowing that it counts";
}

TEST(RaftChange, AReadInFlightIsAnsweredWhenTheCellShrinksToOne) {
  Cluster net(2);
  net.elect(1);
  net.cut_one_way(2, 1);
  net.drop([](Message& message) { return message.type == MessageType::heartbeat_reply; });
  ASSERT_TRUE(net.read(1, 7).ok());
  net.deliver();
  EXPECT_TRUE(net.node(1).granted.empty());
  ASSERT_TRUE(net.change(1, remove, 2).ok());
  net.deliver();
  EXPECT_TRUE(net.node(1).granted.contains(7));
}

}  // namespace
}  // namespace troupe::raft::test
