#include "storage/base/msgpack.hpp"
#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

const Membership three{{NodeId{1}, NodeId{2}, NodeId{3}}, {}};
const Membership four{{NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}}, {NodeId{5}}};

Message append_of(std::uint64_t term, EntryKind kind, const Membership& membership) {
  Message message{.type = MessageType::append, .from = NodeId{1}, .term = Term{term}};
  message.entries.push_back({Term{term}, Index{1}, kind, {}, Blob(packed(membership))});
  return message;
}

TEST(RaftMembership, AConfigurationIsInEffectFromItsAppend) {
  Cluster net(3);
  net.step(3, append_of(1, EntryKind::config, four));
  EXPECT_EQ(net.status(3).membership, four);
}

TEST(RaftMembership, ATruncatedConfigurationGivesWayToTheOneBefore) {
  Cluster net(3);
  net.step(3, append_of(1, EntryKind::config, four));
  net.flush(3);
  net.step(3, append_of(2, EntryKind::command, four));
  EXPECT_EQ(net.status(3).membership, three);
}

TEST(RaftMembership, ARestartFindsTheConfigurationInTheSyncedLog) {
  Cluster net(3);
  net.step(3, append_of(1, EntryKind::config, four));
  net.flush(3);
  net.crash(3);
  net.restart(3);
  EXPECT_EQ(net.status(3).membership, three) << "it was not synced";
  net.step(3, append_of(1, EntryKind::config, four));
  net.flush(3);
  net.sync(3);
  net.crash(3);
  net.restart(3);
  EXPECT_EQ(net.status(3).membership, four);
}

TEST(RaftMembership, TheQuorumIsThatOfTheConfigurationInTheLog) {
  Cluster net(4);
  Message config = append_of(1, EntryKind::config, three);
  config.from = NodeId{4};
  for (const std::uint32_t id : {1u, 2u}) {
    net.step(id, config);
    net.flush(id);
    net.sync(id);
    net.core(id).link_down(NodeId{4});
  }
  for (const std::uint32_t id : {3u, 4u}) net.isolate(id);
  net.elect(1);
  EXPECT_EQ(net.status(1).membership.voters.size(), 3u);
  EXPECT_EQ(net.status(1).commit, Index{2}) << "two of three; two of four were too few";
}

}  // namespace
}  // namespace troupe::raft::test
