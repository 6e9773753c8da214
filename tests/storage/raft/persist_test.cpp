#include "storage/base/msgpack.hpp"
#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

Message append_of(std::uint32_t from, std::uint64_t term, Index after, Term after_term,
                  std::uint64_t entry_term) {
  Message message{.type = MessageType::append,
                  .from = NodeId{from},
                  .term = Term{term},
                  .index = after,
                  .log_term = after_term};
  message.entries.push_back({Term{entry_term}, after.next(), EntryKind::command, {}, Blob("x")});
  return message;
}

TEST(RaftPersist, TheLeadersOwnUnsyncedCopyDoesNotCount) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  net.hold_disk(1);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  EXPECT_EQ(net.status(2).last, Index{2}) << "but it may be sent before";
  EXPECT_EQ(net.status(1).commit, Index{1});
  net.release_disk(1);
  net.deliver();
  EXPECT_EQ(net.status(1).commit, Index{2});
}

TEST(RaftPersist, AFollowerAcceptsOnlyWhatItHasSynced) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  net.hold_disk(2);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  EXPECT_EQ(net.status(1).commit, Index{1});
  net.release_disk(2);
  net.deliver();
  EXPECT_EQ(net.status(1).commit, Index{2});
}

TEST(RaftPersist, WhatIsCommittedElsewhereIsAppliedHereOnlyAfterTheOwnSync) {
  Cluster net(3);
  net.elect(1);
  net.hold_disk(1);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  EXPECT_EQ(net.applied(2), "a") << "two followers are a majority";
  EXPECT_EQ(net.applied(1), "");
  net.release_disk(1);
  net.deliver();
  EXPECT_EQ(net.applied(1), "a");
}

TEST(RaftPersist, ACompletedWriteOfTruncatedEntriesDoesNotCountForTheirSuccessors) {
  Cluster net(3);
  net.step(3, append_of(1, 1, {}, {}, 1));
  net.flush(3);
  net.step(3, append_of(2, 2, {}, {}, 2));
  net.flush(3);
  ASSERT_TRUE(net.sync_one(3));
  EXPECT_EQ(net.status(3).durable, Index{0});
  ASSERT_TRUE(net.sync_one(3));
  EXPECT_EQ(net.status(3).durable, Index{1});
}

TEST(RaftPersist, AnEntryThatWasTruncatedAndCameBackIsDurableOnlyWithItsLastWrite) {
  Cluster net(3);
  net.step(3, append_of(1, 1, {}, {}, 1));
  net.flush(3);
  net.step(3, append_of(2, 2, {}, {}, 2));
  net.flush(3);
  net.step(3, append_of(1, 3, {}, {}, 1));  // the same index and term as the first write
  net.flush(3);
  ASSERT_TRUE(net.sync_one(3));
  EXPECT_EQ(net.status(3).durable, Index{0}) << "the second write is still to remove it from the disk";
  net.sync(3);
  EXPECT_EQ(net.status(3).durable, Index{1});
}

TEST(RaftPersist, OneSyncMayCoverSeveralReadys) {
  Cluster net(1);
  net.elect(1);
  std::uint64_t newest = 0;
  for (const char* data : {"a", "b", "c"}) {
    ASSERT_TRUE(net.propose(1, data).ok());
    const Ready ready = net.core(1).ready();
    for (const Entry& entry : ready.append) net.log(1).append(entry);
    newest = ready.number;
  }
  EXPECT_EQ(net.status(1).commit, Index{1});
  net.core(1).persisted(newest);
  EXPECT_EQ(net.status(1).commit, Index{4});
  EXPECT_EQ(net.status(1).durable, Index{4});
  net.node(1).disk.log = net.log(1);
  net.deliver();
}

TEST(RaftPersist, ARestartGoesOnFromTheSyncedDisk) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  for (const std::uint32_t id : {1u, 2u, 3u}) {
    net.crash(id);
    net.restart(id);
  }
  EXPECT_EQ(net.status(2).term, Term{1});
  net.elect(2);
  for (const std::uint32_t id : {1u, 2u, 3u}) EXPECT_EQ(net.applied(id), "a") << id;
}

TEST(RaftPersist, ACopyOfACoreGoesItsOwnWay) {
  Cluster net(3);
  net.elect(1);
  Core copy = net.core(1);
  for (int ticks = 0; ticks < 60; ++ticks) copy.tick();
  EXPECT_EQ(copy.role(), Role::follower);
  EXPECT_EQ(net.core(1).role(), Role::leader);
}

TEST(RaftMessage, SurvivesTheWire) {
  Message message = append_of(1, 7, Index{3}, Term{6}, 7);
  message.to = NodeId{2};
  message.commit = Index{3};
  message.hint = Index{9};
  message.hint_term = Term{5};
  message.sequence = UINT64_MAX;
  message.reject = message.transfer = true;
  const auto back = unpacked<Message>(packed(message));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back.value(), message);
}

}  // namespace
}  // namespace troupe::raft::test
