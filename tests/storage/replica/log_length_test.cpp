// How long the log gets: cut behind what is flushed, never before; kept for those who lag; whole after a
// restart.

#include <map>

#include "machine.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

LogRetention short_log() {
  LogRetention retention;
  retention.entries_max = 20;
  retention.flush_every = milliseconds(2'000);
  return retention;
}

/// From node 1 to node 2.
raft::Message heartbeat_of(Term term) {
  raft::Message message{.type = raft::MessageType::heartbeat, .from = NodeId{1}, .to = NodeId{2}};
  message.term = term;
  return message;
}

class ShortLog : public testing::Test {
 protected:
  explicit ShortLog(bool flushes = true) : node(1, {1}, {.retention = short_log(), .flushes = flushes}) {
    node.elect();
  }
  void write(int count) {
    for (int n = 0; n < count; ++n) {
      ASSERT_TRUE(node.propose("entry " + std::to_string(n)).ok());
      node.settle();
    }
  }
  void pass_seconds(std::uint32_t count) {
    for (std::uint32_t n = 0; n < count * 100; ++n) {
      node.tick();
      node.settle();
    }
  }
  Machine node;
};

TEST_F(ShortLog, is_cut_to_its_retention_once_the_state_is_flushed) {
  write(200);
  pass_seconds(1);
  EXPECT_EQ(node.driver_->first(), Index{1});
  pass_seconds(4);
  EXPECT_EQ(node.driver_->flushed(), node.driver_->applied());
  EXPECT_EQ(node.driver_->first().value, node.driver_->last().value - 20 + 1);
  EXPECT_EQ(node.log_->head().edge.index.next(), node.driver_->first());
  EXPECT_EQ(node.freed_, node.driver_->counters().cuts);
  EXPECT_GE(node.freed_, 1u);
}

TEST_F(ShortLog, reads_only_what_is_left_when_it_starts_again) {
  write(200);
  pass_seconds(5);
  const Index first = node.driver_->first(), last = node.driver_->last();
  const MachineState state = node.state_;
  ASSERT_TRUE(node.crash_and_restart()) << node.unusable_;
  EXPECT_EQ(node.driver_->first(), first);
  EXPECT_EQ(node.driver_->last(), last);
  EXPECT_LE(node.driver_->log_bytes(), 21u * 64);
  node.elect();
  write(5);
  EXPECT_EQ(node.applied_.size() + state.index.value, node.state_.index.value);
}

TEST_F(ShortLog, grows_slowly_by_bytes_too) {
  LogRetention retention;
  retention.bytes_max = 4'000'000;
  retention.flush_bytes = 1'000'000;
  Machine bulky(1, {1}, {.retention = retention});
  bulky.elect();
  for (int n = 0; n < 400; ++n) {
    ASSERT_TRUE(bulky.propose(std::string(50'000, 'x')).ok());
    bulky.settle();
    bulky.tick(10);
    bulky.settle();
    EXPECT_LE(bulky.driver_->log_bytes(), 9'000'000u);
  }
  EXPECT_GE(bulky.driver_->log_bytes(), 3'000'000u);
}

class NeverFlushed : public ShortLog {
 protected:
  NeverFlushed() : ShortLog(false) {}
};

TEST_F(NeverFlushed, keeps_all_of_its_log) {
  write(200);
  pass_seconds(10);
  EXPECT_EQ(node.driver_->first(), Index{1});
  const MachineState state = node.state_;
  ASSERT_TRUE(node.crash_and_restart()) << node.unusable_;
  EXPECT_EQ(node.state_.index, Index{0});
  node.elect();
  EXPECT_GT(node.state_.index, state.index);
  EXPECT_EQ(node.applied_.size(), node.state_.index.value);
}

TEST_F(ShortLog, keeps_what_follows_a_snapshot_under_way) {
  write(50);
  const Index pinned = node.driver_->snapshot_meta().index;
  node.driver_->snapshot_started(NodeId{2}, pinned);
  write(200);
  pass_seconds(5);
  EXPECT_LE(node.driver_->first(), pinned.next());
  node.driver_->snapshot_sent(NodeId{2}, pinned);
  write(1);
  pass_seconds(5);
  EXPECT_GT(node.driver_->first(), pinned.next());
}

TEST_F(ShortLog, does_not_keep_it_beyond_the_bound) {
  LogRetention retention = short_log();
  retention.pinned_bytes_max = 200'000;
  Machine small(1, {1}, {.retention = retention});
  small.elect();
  small.driver_->snapshot_started(NodeId{2}, small.driver_->applied());
  for (int n = 0; n < 100; ++n) {
    ASSERT_TRUE(small.propose(std::string(5'000, 'x')).ok());
    small.settle();
    small.tick(20);
    small.settle();
  }
  EXPECT_LE(small.driver_->log_bytes(), 400'000u);
  EXPECT_GT(small.driver_->first(), Index{2});
}

TEST_F(ShortLog, keeps_the_membership_that_it_cuts_off) {
  const raft::MemberChange change{raft::MemberChangeKind::add_learner, NodeId{9}, "host:9", {}};
  ASSERT_TRUE(node.driver_->change(change, node.now_).ok());
  node.settle();
  ASSERT_EQ(node.driver_->status().membership.learners, std::vector<NodeId>{NodeId{9}});
  write(200);
  pass_seconds(5);
  ASSERT_GT(node.driver_->first(), Index{100});
  ASSERT_TRUE(node.crash_and_restart()) << node.unusable_;
  EXPECT_EQ(node.driver_->status().membership.learners, std::vector<NodeId>{NodeId{9}});
  ASSERT_EQ(node.driver_->status().membership.addresses.size(), 1u);
  EXPECT_EQ(node.driver_->status().membership.addresses.front().address, "host:9");
}

TEST_F(ShortLog, a_state_that_lost_entries_does_not_start) {
  write(200);
  pass_seconds(5);
  node.crash();
  node.disk_.remove("state");
  EXPECT_FALSE(node.start());
  EXPECT_NE(node.unusable_.find("the state has lost entries"), std::string::npos) << node.unusable_;
}

TEST_F(ShortLog, a_log_that_lost_entries_does_not_start) {
  write(200);
  pass_seconds(5);
  node.crash();
  node.disk_.remove("log");
  EXPECT_FALSE(node.start());
  EXPECT_NE(node.unusable_.find("the log has lost entries"), std::string::npos) << node.unusable_;
}

TEST_F(ShortLog, a_flush_that_fails_stops_the_node) {
  node.driver_->flushed(Error{ErrorCode::io, "no"}, node.now_);
  node.take();
  EXPECT_EQ(node.stops_, std::vector<std::string>{"the state cannot be flushed: no"});
}

TEST(Snapshots, are_installed_with_their_membership_and_the_log_goes_on_behind) {
  Machine sender(1, {1}, {.retention = short_log()});
  sender.elect();
  for (int n = 0; n < 30; ++n) {
    ASSERT_TRUE(sender.propose("x").ok());
    sender.settle();
  }
  const raft::SnapshotMeta meta = sender.driver_->snapshot_meta();
  Machine empty(2, {});
  empty.hear(heartbeat_of(meta.known_in));
  ASSERT_TRUE(empty.install(meta, sender.state_));
  EXPECT_EQ(empty.driver_->applied(), meta.index);
  EXPECT_EQ(empty.driver_->first(), meta.index.next());
  EXPECT_EQ(empty.driver_->term(), sender.driver_->term());
  EXPECT_EQ(empty.driver_->status().membership.voters, std::vector<NodeId>{NodeId{1}});
  EXPECT_EQ(empty.log_->head().edge.index, meta.index);
  // A stale one is not taken.
  EXPECT_FALSE(empty.install(meta, sender.state_));
  ASSERT_TRUE(empty.crash_and_restart()) << empty.unusable_;
  EXPECT_EQ(empty.driver_->applied(), meta.index);
  EXPECT_EQ(empty.driver_->status().membership.voters, std::vector<NodeId>{NodeId{1}});
  EXPECT_EQ(empty.state_, sender.state_);
}

TEST(Snapshots, nothing_is_heard_once_one_is_installed) {
  Machine sender(1, {1});
  sender.elect();
  Machine empty(2, {});
  empty.hear(heartbeat_of(Term{1}));
  empty.settle();
  const raft::SnapshotMeta meta = sender.driver_->snapshot_meta();
  ASSERT_EQ(empty.driver_->snapshot_arrived(meta), ReplicaDriver::Arrival::installs);
  raft::Message message{.type = raft::MessageType::vote, .from = NodeId{3}, .to = NodeId{2}};
  message.term = Term{50};
  empty.hear(message);
  empty.tick(200);
  const ReplicaEffects effects = empty.take();
  EXPECT_TRUE(effects.install);
  EXPECT_TRUE(effects.send.empty() && !effects.stop);
  EXPECT_EQ(empty.driver_->term(), Term{1});
  EXPECT_FALSE(empty.propose("x").ok());
  // It must not be forgotten now, though it is offered again.
  EXPECT_EQ(empty.driver_->snapshot_arrived(meta), ReplicaDriver::Arrival::waits);
  EXPECT_FALSE(empty.take().install);
}

TEST(Snapshots, one_waits_until_the_term_it_is_known_in_is_on_disk) {
  Machine empty(2, {});
  const raft::SnapshotMeta meta{Index{5}, Term{2}, {{NodeId{1}}, {}, {}}, Term{3}};
  EXPECT_EQ(empty.driver_->snapshot_arrived(meta), ReplicaDriver::Arrival::waits);
  empty.hear(heartbeat_of(Term{3}));
  empty.take();
  EXPECT_EQ(empty.driver_->snapshot_arrived(meta),
            ReplicaDriver::Arrival::waits);  // A crash would forget it.
  ASSERT_TRUE(empty.sync());
  EXPECT_EQ(empty.driver_->snapshot_arrived(meta), ReplicaDriver::Arrival::installs);
}

TEST(Snapshots, one_that_is_no_news_is_unwanted) {
  Machine node(1, {1});
  node.elect();
  EXPECT_EQ(node.driver_->snapshot_arrived(node.driver_->snapshot_meta()), ReplicaDriver::Arrival::unwanted);
}

}  // namespace
}  // namespace troupe
