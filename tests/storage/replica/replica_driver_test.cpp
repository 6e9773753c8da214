// One driver: what is durable before what is said, and what it does when the disk fails.

#include "machine.hpp"

namespace troupe {
namespace {

using raft::Message;
using raft::MessageType;

Message vote_request(std::uint32_t from, std::uint64_t term) {
  Message message{.type = MessageType::vote, .from = NodeId{from}, .to = NodeId{1}};
  message.term = Term{term};
  return message;
}

raft::Entry entry_of(std::uint64_t index, std::uint64_t term) {
  return {Term{term}, Index{index}, raft::EntryKind::command, Instant{1}, Blob("e" + std::to_string(index))};
}

/// From a leader: entries [first, last] of its term, behind an entry of `before`.
Message append_of(std::uint32_t from, std::uint64_t term, std::uint64_t first, std::uint64_t last,
                  std::uint64_t before, std::uint64_t commit = 0) {
  Message message{.type = MessageType::append, .from = NodeId{from}, .to = NodeId{1}};
  message.term = Term{term};
  message.index = Index{first - 1};
  message.log_term = Term{before};
  message.commit = Index{commit};
  for (std::uint64_t index = first; index <= last; ++index) message.entries.push_back(entry_of(index, term));
  return message;
}

std::vector<Message> of_type(const std::vector<ReplicaMessage>& messages, MessageType type) {
  std::vector<Message> found;
  for (const ReplicaMessage& each : messages)
    if (each.message.type == type) found.push_back(each.message);
  return found;
}

class Follower : public testing::Test {
 protected:
  Machine node{1, {1, 2, 3}};
};

TEST_F(Follower, a_vote_is_on_disk_before_it_is_given) {
  node.hear(vote_request(2, 5));
  EXPECT_TRUE(of_type(node.take().send, MessageType::vote_reply).empty());
  EXPECT_TRUE(of_type(node.take().send, MessageType::vote_reply).empty());
  ASSERT_TRUE(node.sync());
  EXPECT_EQ(node.log_->head().hard, (raft::HardState{Term{5}, NodeId{2}}));
  const auto replies = of_type(node.take().send, MessageType::vote_reply);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_FALSE(replies.front().reject);
}

TEST_F(Follower, a_vote_survives_a_crash_and_is_not_given_twice) {
  node.hear(vote_request(2, 5));
  node.settle();
  node.crash_and_restart();
  EXPECT_EQ(node.driver_->term(), Term{5});
  node.hear(vote_request(3, 5));
  const auto replies = of_type(node.settle(), MessageType::vote_reply);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_TRUE(replies.front().reject);
}

TEST_F(Follower, a_vote_that_was_never_synced_is_forgotten_with_the_crash) {
  node.hear(vote_request(2, 5));
  node.take();
  node.crash_and_restart();
  EXPECT_EQ(node.driver_->term(), Term{0});
}

TEST_F(Follower, entries_are_on_disk_before_they_are_acknowledged_or_applied) {
  node.hear(append_of(2, 1, 1, 3, 0, 3));
  ReplicaEffects before = node.take();
  EXPECT_TRUE(of_type(before.send, MessageType::append_reply).empty());
  EXPECT_TRUE(before.apply.empty());
  ASSERT_TRUE(node.sync());
  EXPECT_EQ(node.stored(), "1:1 2:1 3:1 ");
  ReplicaEffects after = node.take();
  const auto replies = of_type(after.send, MessageType::append_reply);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().index, Index{3});
  node.settle();
  EXPECT_EQ(node.applied(), "1:1 2:1 3:1 ");
}

TEST_F(Follower, many_inputs_are_one_sync) {
  const auto before = node.kv_->counters().syncs;
  node.hear(append_of(2, 1, 1, 3, 0));
  node.hear(append_of(2, 1, 4, 9, 1));
  node.take();
  node.hear(append_of(2, 1, 10, 20, 1));
  node.take();
  ASSERT_TRUE(node.sync());
  EXPECT_FALSE(node.sync());
  EXPECT_EQ(node.kv_->counters().syncs - before, 1u);
  EXPECT_EQ(node.log_->head().tail.index, Index{20});
}

TEST_F(Follower, a_truncation_overtakes_no_write_and_only_the_rewritten_entries_are_acknowledged) {
  Machine slow{1, {1, 2, 3}, {.queue_bytes_max = 1}};  // One write in the queue at a time.
  slow.hear(append_of(2, 1, 1, 4, 0));
  slow.take();
  slow.hear(append_of(3, 2, 3, 3, 1));  // Another leader: 3 is rewritten, 4 is gone.
  slow.take();
  EXPECT_EQ(slow.driver_->unsubmitted(), 1u);
  ASSERT_TRUE(slow.sync());
  EXPECT_EQ(slow.stored(), "1:1 2:1 3:1 4:1 ");
  // The first write is durable: its leader may hear so, but the new one hears nothing of entry 3.
  for (const Message& reply : of_type(slow.take().send, MessageType::append_reply))
    EXPECT_EQ(reply.term, Term{1});
  ASSERT_TRUE(slow.sync());
  EXPECT_EQ(slow.stored(), "1:1 2:1 3:2 ");
  const auto replies = of_type(slow.take().send, MessageType::append_reply);
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies.back().index, Index{3});
  EXPECT_EQ(replies.back().term, Term{2});
}

TEST_F(Follower, an_entry_truncated_and_appended_alike_waits_for_its_second_write) {
  Machine slow{1, {1, 2, 3}, {.queue_bytes_max = 1}};
  slow.hear(append_of(2, 1, 1, 2, 0));
  slow.take();
  slow.hear(append_of(3, 2, 2, 2, 1));
  slow.take();
  // The entry 2 of term 3 stands where one of term 2 was, and one of term 1 before.
  slow.hear(append_of(2, 3, 2, 2, 1, 2));
  slow.take();
  ASSERT_TRUE(slow.sync());
  slow.take();
  EXPECT_EQ(slow.applied(), "1:1 ");
  ASSERT_TRUE(slow.sync());
  slow.take();
  EXPECT_EQ(slow.applied(), "1:1 ");
  ASSERT_TRUE(slow.sync());
  slow.settle();
  EXPECT_EQ(slow.applied(), "1:1 2:3 ");
  EXPECT_EQ(slow.stored(), "1:1 2:3 ");
}

TEST_F(Follower, writes_keep_their_order_when_the_writer_is_full) {
  Machine slow{1, {1, 2, 3}, {.queue_bytes_max = 1}};
  for (std::uint64_t index = 1; index <= 10; ++index) {
    slow.hear(append_of(2, 1, index, index, index == 1 ? 0 : 1));
    slow.take();
  }
  EXPECT_EQ(slow.driver_->unsubmitted(), 9u);
  slow.settle();
  EXPECT_EQ(slow.driver_->unsubmitted(), 0u);
  EXPECT_EQ(slow.driver_->waiting_readys(), 0u);
  EXPECT_EQ(slow.log_->head().tail.index, Index{10});
}

TEST_F(Follower, a_failing_write_ends_it_and_nothing_is_said_any_more) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  node.hear_confirming(append_of(2, 1, 2, 1, 1));
  node.tick(5);
  node.take();
  ASSERT_TRUE(node.leased_);
  node.disk_.fail_writes("log");
  node.hear(append_of(2, 1, 2, 3, 1, 3));
  node.take();
  ASSERT_TRUE(node.sync());
  ReplicaEffects effects = node.take();
  ASSERT_EQ(node.stops_.size(), 1u);
  EXPECT_EQ(node.stops_.front().find("the log cannot be written: "), 0u) << node.stops_.front();
  EXPECT_TRUE(effects.send.empty());
  EXPECT_FALSE(node.leased_);
  EXPECT_TRUE(node.driver_->is_stopped());
  // It neither votes, nor campaigns, nor proposes.
  node.hear(vote_request(3, 9));
  node.tick(500);
  effects = node.take();
  EXPECT_TRUE(effects.send.empty() && effects.roles.empty() && effects.apply.empty() && !effects.stop);
  EXPECT_EQ(node.driver_->propose(std::vector<Blob>{Blob("x")}, node.now_).error().code,
            ErrorCode::unavailable);
  EXPECT_EQ(node.driver_->read(1, node.now_.steady).error().code, ErrorCode::unavailable);
  node.crash_and_restart();
  EXPECT_EQ(node.stored(), "1:1 ");
}

TEST_F(Follower, a_failing_sync_ends_it_too) {
  node.disk_.fail_syncs("log");
  node.hear(vote_request(2, 5));
  node.take();
  ASSERT_TRUE(node.sync());
  EXPECT_TRUE(of_type(node.take().send, MessageType::vote_reply).empty());
  EXPECT_EQ(node.stops_.size(), 1u);
}

// Nothing of the log stays in memory once it is synced.
class Forgetful : public testing::Test {
 protected:
  Machine node{1, {1, 2, 3}, {.cache_bytes_max = 0}};
  void damage_entries() {
    Random random(1);
    for (int n = 0; n < 50; ++n) ASSERT_TRUE(node.disk_.flip_bit("log", LogStore::entries_table, random));
  }
  void expect_stopped(const ReplicaEffects& effects) {
    ASSERT_EQ(node.stops_.size(), 1u);
    EXPECT_EQ(node.stops_.front().find("the log cannot be read: "), 0u) << node.stops_.front();
    EXPECT_TRUE(effects.send.empty() && effects.apply.empty());
    EXPECT_TRUE(node.driver_->is_stopped());
    node.hear(vote_request(3, 9));
    EXPECT_TRUE(node.settle().empty());
  }
};

TEST_F(Forgetful, a_follower_that_cannot_read_what_it_should_apply_stops) {
  node.hear(append_of(2, 1, 1, 3, 0));
  node.settle();
  damage_entries();
  node.hear(append_of(2, 1, 4, 3, 1, 3));
  expect_stopped(node.take());
}

TEST_F(Forgetful, a_leader_that_cannot_read_what_it_should_send_stops) {
  Message vote{.type = MessageType::vote_reply, .from = NodeId{2}, .to = NodeId{1}};
  while (node.driver_->role() != raft::Role::leader) {
    node.tick();
    node.settle();
    vote.type = MessageType::pre_vote_reply;
    vote.term = node.driver_->term().next();
    node.hear(vote);
    node.settle();
    vote.type = MessageType::vote_reply;
    vote.term = node.driver_->term();
    node.hear(vote);
    node.settle();
  }
  for (int n = 0; n < 3; ++n) ASSERT_TRUE(node.propose("x").ok());
  node.settle();
  damage_entries();
  Message reply{.type = MessageType::append_reply, .from = NodeId{2}, .to = NodeId{1}};
  reply.term = node.driver_->term();
  node.hear(reply);  // The peer has nothing yet: all that follows is to be sent.
  expect_stopped(node.take());
}

TEST_F(Follower, a_restart_finds_its_log_and_goes_on_behind_it) {
  node.hear(append_of(2, 3, 1, 5, 0, 4));
  node.settle();
  EXPECT_EQ(node.applied(), "1:3 2:3 3:3 4:3 ");
  node.hear(append_of(2, 3, 6, 8, 3));
  node.take();  // Never synced.
  node.crash_and_restart();
  EXPECT_EQ(node.driver_->last(), Index{5});
  EXPECT_EQ(node.driver_->term(), Term{3});
  node.hear(append_of(2, 3, 6, 6, 3, 6));
  node.settle();
  EXPECT_EQ(node.stored(), "1:3 2:3 3:3 4:3 5:3 6:3 ");
  EXPECT_EQ(node.applied(), "1:3 2:3 3:3 4:3 5:3 6:3 ");
}

TEST_F(Follower, is_covered_while_its_leader_confirms_that_it_hears_it) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  node.tick(5);
  node.take();
  EXPECT_FALSE(node.leased_);  // Heard, but not confirmed.
  node.hear_confirming(append_of(2, 1, 2, 1, 1));
  node.tick(5);
  node.settle();
  EXPECT_TRUE(node.leased_);
  for (int n = 0; n < 20; ++n) {
    node.hear_confirming(append_of(2, 1, 2, 1, 1));
    node.tick(10);
    node.settle();
    EXPECT_TRUE(node.leased_);
  }
  node.tick(110);
  node.take();
  EXPECT_FALSE(node.leased_);
}

TEST_F(Follower, a_leader_that_hears_nothing_of_it_does_not_cover_it) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  node.hear_confirming(append_of(2, 1, 2, 1, 1));
  const std::uint64_t confirmed = node.last_sent_;
  for (int n = 0; n < 30; ++n) {
    node.hear({append_of(2, 1, 2, 1, 1), node.now_.wall, 0, confirmed});
    node.tick(5);
    node.settle();
  }
  EXPECT_FALSE(node.leased_);
}

// The leader may have given it up by then: what it cares for may be another's.
TEST_F(Follower, who_asked_for_a_vote_in_vain_is_not_covered_by_that) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  node.tick(200);  // Its leader is silent: it asks around.
  node.settle();
  ASSERT_EQ(node.driver_->leader(), NodeId{});
  node.hear_confirming(append_of(2, 1, 2, 1, 1));  // The leader heard it ask.
  node.tick(5);
  node.settle();
  ASSERT_EQ(node.driver_->leader(), NodeId{2});
  EXPECT_FALSE(node.leased_);
  node.hear_confirming(append_of(2, 1, 2, 1, 1));  // And now its answer.
  node.tick(5);
  node.settle();
  EXPECT_TRUE(node.leased_);
}

TEST_F(Follower, when_thawed_it_does_not_believe_what_waited_in_its_mailbox) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  node.hear_confirming(append_of(2, 1, 2, 1, 1));
  node.tick(5);
  node.take();
  ASSERT_TRUE(node.leased_);
  const std::uint64_t before = node.last_sent_;
  node.now_.steady = node.now_.steady + std::chrono::seconds(5);
  for (int n = 0; n < 50; ++n) node.hear({append_of(2, 1, 2, 1, 1), node.now_.wall, 0, before});
  EXPECT_EQ(node.driver_->tick(node.now_), ReplicaDriver::Tick::again);
  node.take();
  EXPECT_FALSE(node.leased_);
  ASSERT_EQ(node.stalls_.size(), 1u);
  EXPECT_EQ(node.stalls_.front(), milliseconds(5'050 - 50));
}

TEST_F(Follower, a_stall_of_its_own_does_not_make_the_leader_look_dead) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  node.tick(5);
  node.now_.steady = node.now_.steady + std::chrono::seconds(30);
  ASSERT_EQ(node.driver_->tick(node.now_), ReplicaDriver::Tick::again);
  ASSERT_EQ(node.driver_->tick(node.now_), ReplicaDriver::Tick::counted);
  EXPECT_TRUE(of_type(node.settle(), MessageType::pre_vote).empty());
  node.tick(20);
  EXPECT_TRUE(of_type(node.settle(), MessageType::pre_vote).empty());
  EXPECT_EQ(node.driver_->leader(), NodeId{2});
  EXPECT_EQ(node.driver_->counters().stalls, 1u);
}

TEST_F(Follower, stalls_without_end_do_not_hide_a_dead_leader) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  std::vector<Message> asked;
  for (int n = 0; n < 100 && asked.empty(); ++n) {
    node.now_.steady = node.now_.steady + std::chrono::seconds(1);
    if (node.driver_->tick(node.now_) == ReplicaDriver::Tick::again) (void)node.driver_->tick(node.now_);
    asked = of_type(node.settle(), MessageType::pre_vote);
  }
  EXPECT_FALSE(asked.empty());
}

TEST_F(Follower, a_read_without_a_leader_waits_for_the_next_one) {
  ASSERT_TRUE(node.driver_->read(1, node.now_.steady + milliseconds(100)).ok());
  EXPECT_TRUE(of_type(node.settle(), MessageType::read_index).empty()) << "there is nobody to ask";
  node.hear(append_of(2, 1, 1, 1, 0));
  EXPECT_EQ(of_type(node.settle(), MessageType::read_index).size(), 1u);
  node.driver_->link_down(NodeId{2});
  EXPECT_TRUE(of_type(node.settle(), MessageType::read_index).empty());
  EXPECT_TRUE(node.reads_.empty()) << "a leader that dies costs it its time, not its answer";
  node.hear(append_of(3, 2, 2, 2, 1));
  const auto asked = of_type(node.settle(), MessageType::read_index);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked.front().to, NodeId{3});
}

TEST_F(Follower, a_read_that_no_leader_comes_for_ends_in_time) {
  ASSERT_TRUE(node.driver_->read(1, node.now_.steady + milliseconds(50)).ok());
  node.tick(5);
  node.settle();
  ASSERT_EQ(node.reads_.size(), 1u);
  EXPECT_EQ(node.reads_.front().applied.error().code, ErrorCode::unavailable);
}

TEST_F(Follower, a_read_that_its_leader_does_not_answer_ends) {
  node.hear(append_of(2, 1, 1, 1, 0));
  node.settle();
  ASSERT_TRUE(node.driver_->read(2, node.now_.steady + milliseconds(100)).ok());
  node.settle();
  EXPECT_TRUE(node.reads_.empty());
  node.tick(9);
  node.settle();
  EXPECT_TRUE(node.reads_.empty());
  node.tick(1);
  node.settle();
  ASSERT_EQ(node.reads_.size(), 1u);
  EXPECT_EQ(node.reads_.front().token, 2u);
  EXPECT_EQ(node.reads_.front().applied.error().code, ErrorCode::unavailable);
}

TEST(Alone, nothing_is_applied_before_it_is_synced_and_stamps_never_go_back) {
  Machine node{1, {1}};
  node.elect();
  ASSERT_EQ(node.driver_->role(), raft::Role::leader);
  EXPECT_EQ(node.applied(), "1:1 ");
  ASSERT_TRUE(node.driver_->propose(std::vector<Blob>{Blob("a"), Blob("b")}, node.now_).ok());
  node.take();
  EXPECT_EQ(node.applied(), "1:1 ");
  const Instant stamp = node.now_.wall;
  node.now_.wall = node.now_.wall - milliseconds(3'000);
  ASSERT_TRUE(node.driver_->propose(std::vector<Blob>{Blob("c")}, node.now_).ok());
  node.settle();
  EXPECT_EQ(node.applied(), "1:1 2:1 3:1 4:1 ");
  EXPECT_EQ(node.applied_[1].stamp, stamp);
  EXPECT_EQ(node.applied_[3].stamp, stamp);
}

TEST(Alone, a_read_waits_for_apply) {
  Machine node{1, {1}};
  node.elect();
  ASSERT_TRUE(node.driver_->propose(std::vector<Blob>{Blob("a")}, node.now_).ok());
  while (node.driver_->commit() < Index{2}) {
    node.driver_->take(node.now_);
    node.sync();
  }
  ASSERT_TRUE(node.driver_->read(7, node.now_.steady + milliseconds(1'000)).ok());
  EXPECT_TRUE(node.driver_->take(node.now_).reads.empty());
  EXPECT_TRUE(node.driver_->take(node.now_).reads.empty());
  node.driver_->applied(Index{2});
  const auto answers = node.driver_->take(node.now_).reads;
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers.front().applied.value(), Index{2});
}

TEST(Alone, a_stop_answers_the_reads_that_wait) {
  Machine node{1, {1}};
  node.elect();
  ASSERT_TRUE(node.driver_->propose(std::vector<Blob>{Blob("a")}, node.now_).ok());
  ASSERT_TRUE(node.driver_->read(7, node.now_.steady + milliseconds(1'000)).ok());
  node.driver_->stop("the state cannot be written");
  const auto effects = node.take();
  ASSERT_EQ(effects.reads.size(), 1u);
  EXPECT_EQ(effects.reads.front().applied.error().code, ErrorCode::unavailable);
  EXPECT_EQ(node.stops_, std::vector<std::string>{"the state cannot be written"});
  EXPECT_EQ(node.driver_->role(), raft::Role::follower);
  EXPECT_EQ(node.driver_->leader(), NodeId{});
}

}  // namespace
}  // namespace troupe
