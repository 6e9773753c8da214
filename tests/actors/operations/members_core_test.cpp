#include "actors/operations/members_core.hpp"

#include <gtest/gtest.h>

namespace troupe::operations {
namespace {

using raft::MemberChangeKind;

raft::Status leading() {
  raft::Status status;
  status.id = status.leader = NodeId{1};
  status.role = raft::Role::leader;
  status.term = Term{3};
  status.commit = Index{90};
  status.durable = Index{89};
  status.last = Index{90};
  status.applied = Index{88};
  status.first = Index{41};
  status.membership.voters = {NodeId{1}, NodeId{2}};
  status.membership.learners = {NodeId{3}};
  status.membership.addresses = {{NodeId{3}, "c:1"}};
  raft::PeerStatus follower, learner;
  follower.id = NodeId{2};
  follower.state = raft::PeerState::replicate;
  follower.match = Index{90};
  follower.silent_ticks = 2;
  learner.id = NodeId{3};
  learner.learner = true;
  learner.state = raft::PeerState::snapshot;
  learner.silent_ticks = 700;
  status.peers = {follower, learner};
  return status;
}

TEST(Members, AreToldAsTheLeaderSeesThem) {
  EXPECT_EQ(
      members_json(leading(), {{NodeId{1}, "a:1"}, {NodeId{3}, "c:1"}}, milliseconds{10},
                   {{NodeId{1}, 2}, {NodeId{2}, 1}}),
      R"({"term":"3","leader":1,"commit":"90","last":"90","applied":"88","snapshot":"40","items":[)"
      R"({"node":1,"role":"LEADER","address":"a:1","match":"89","lag":"1","lastContactMs":0,"levelKnown":2},)"
      R"({"node":2,"role":"VOTER","address":"","state":"replicate","match":"90","lag":"0","lastContactMs":20,"levelKnown":1},)"
      R"({"node":3,"role":"LEARNER","address":"c:1","state":"snapshot","match":"0","lag":"90","lastContactMs":7000}]})");
}

TEST(Members, ANodeTellsItsBuildWhatItOwnsAndWhoHandsOver) {
  raft::Status status = leading();
  status.membership = {};
  const OwnStanding own{"0123456789abcdef", 21, SparedNode{NodeId{2}, "ann", "release 12", {}},
                        milliseconds(900)};
  EXPECT_EQ(
      members_json(status, {}, milliseconds{10}, {}, {}, own),
      R"({"term":"3","leader":1,"commit":"90","last":"90","applied":"88","snapshot":"40",)"
      R"("build":"0123456789abcdef","shardsOwned":21,"spared":{"node":2,"by":"ann","reason":"release 12","forMs":900},)"
      R"("items":[]})");
}

TEST(Members, AnOrderThatIsFulfilledIsNotRepeated) {
  const auto membership = leading().membership;
  const auto order = [](MemberChangeKind change, std::uint16_t node, std::string address = {}) {
    return CellOrder{CellOrder::Kind::change, change, NodeId{node}, std::move(address)};
  };
  EXPECT_TRUE(is_fulfilled(order(MemberChangeKind::add_learner, 3, "c:1"), membership));
  EXPECT_FALSE(is_fulfilled(order(MemberChangeKind::add_learner, 3, "other:1"), membership));
  EXPECT_FALSE(is_fulfilled(order(MemberChangeKind::add_learner, 4, "c:1"), membership));
  EXPECT_TRUE(is_fulfilled(order(MemberChangeKind::promote, 2), membership));
  EXPECT_FALSE(is_fulfilled(order(MemberChangeKind::promote, 3), membership));
  EXPECT_TRUE(is_fulfilled(order(MemberChangeKind::remove, 4), membership));
  EXPECT_FALSE(is_fulfilled(order(MemberChangeKind::remove, 1), membership));
}

TEST(Members, AnOrderTravels) {
  const CellOrder order{CellOrder::Kind::change, MemberChangeKind::remove, NodeId{3}, "c:1"};
  const auto back = unpacked<CellOrder>(packed(order));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value().change, MemberChangeKind::remove);
  EXPECT_EQ(back.value().node, NodeId{3});
  EXPECT_EQ(back.value().address, "c:1");
}

}  // namespace
}  // namespace troupe::operations
