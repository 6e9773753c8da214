// Compacted logs, and states that travel instead of entries.

#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

/// Node 3 is behind the beginning of node 1's log, which leads.
void leave_three_behind(Cluster& net, std::size_t entries) {
  net.elect(1);
  net.isolate(3);
  ASSERT_TRUE(net.propose(1, "a", entries).ok());
  net.deliver();
  net.compact(1, entries);
  net.heal();
  net.pass(11);
}

/// Without the checker, who has not seen where the state comes from.
void flush_unwatched(Node& node) {
  node.flush([](const Ready&) {});
}

TEST(RaftSnapshot, ANodeBehindTheLogsBeginningGetsTheStateAndThenTheRest) {
  Cluster net(3);
  leave_three_behind(net, 5);
  ASSERT_EQ(net.node(1).snapshots.size(), 1u);
  EXPECT_EQ(net.node(1).snapshots[0], (SnapshotNeed{NodeId{3}, Index{2}}));
  ASSERT_TRUE(net.propose(1, "b").ok());
  net.deliver();
  EXPECT_TRUE(net.carry_snapshot(1));
  ASSERT_TRUE(net.propose(1, "c").ok());
  net.deliver();
  EXPECT_EQ(net.status(3).last, net.status(1).last);
  EXPECT_EQ(net.node(3).state, net.node(1).state);
  EXPECT_EQ(net.status(3).first, Index{8});
}

TEST(RaftSnapshot, TheLogMayRiseAtAnyTimeBelowWhatIsApplied) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "a", 5).ok());
  net.deliver();
  for (const std::uint32_t id : {1u, 2u, 3u}) net.compact(id, 6);
  EXPECT_EQ(net.status(2).first, Index{7});
  ASSERT_TRUE(net.propose(1, "b").ok());
  net.deliver();
  EXPECT_EQ(net.applied(3), "a a a a a b");
  net.crash(2);
  net.restart(2);
  net.pass(11);
  EXPECT_EQ(net.status(2).commit, Index{7});
}

TEST(RaftSnapshot, AStaleOneIsIgnored) {
  Cluster net(3);
  leave_three_behind(net, 5);
  const Snapshot old = net.node(1).take_snapshot();
  EXPECT_TRUE(net.carry_snapshot(1));
  ASSERT_TRUE(net.propose(1, "b").ok());
  net.deliver();
  EXPECT_FALSE(net.core(3).wants_snapshot(old.meta));
  EXPECT_FALSE(net.install(3, old));
  EXPECT_FALSE(net.core(1).wants_snapshot({Index{99}, Term{1}, {}, Term{1}})) << "a leader has everything";
  EXPECT_EQ(net.status(3).commit, Index{7});
}

TEST(RaftSnapshot, ItBringsItsMembership) {
  Cluster net(3, 0, {}, 1);
  leave_three_behind(net, 5);
  ASSERT_TRUE(net.change(1, MemberChangeKind::add_learner, 4).ok());
  net.deliver();
  net.compact(1, 7);
  EXPECT_TRUE(net.carry_snapshot(1));
  EXPECT_EQ(net.status(3).membership, net.status(1).membership);
  net.node(3).flush_state();
  net.crash(3);
  net.restart(3);
  EXPECT_EQ(net.status(3).membership.learners, std::vector{NodeId{4}});
  net.pass(11);
}

TEST(RaftSnapshot, EntriesBehindItStayWhereTheLogAgrees) {
  Cluster net(3);
  net.elect(1);
  net.drop([](Message& message) {
    message.commit = std::min(message.commit, message.to == NodeId{3} ? Index{1} : message.commit);
    return false;
  });
  ASSERT_TRUE(net.propose(1, "a", 5).ok());
  net.deliver();
  EXPECT_EQ(net.status(3).commit, Index{1});
  EXPECT_EQ(net.status(3).last, Index{6});
  Snapshot snapshot = net.node(1).take_snapshot();
  net.node(1).flush_state();
  snapshot = net.node(1).take_snapshot();
  ASSERT_TRUE(net.propose(1, "b", 2).ok());
  net.deliver();
  EXPECT_TRUE(net.install(3, snapshot));
  EXPECT_EQ(net.status(3).commit, Index{6});
  EXPECT_EQ(net.status(3).last, Index{8});
  EXPECT_EQ(net.status(3).durable, Index{8});
}

TEST(RaftSnapshot, WritesFromBeforeItDoNotCountForWhatComesAfter) {
  Cluster net(3);
  net.restore(3, {1, 1}, {Term{1}, {}});
  Message append{.type = MessageType::append,
                 .from = NodeId{2},
                 .term = Term{2},
                 .index = Index{2},
                 .log_term = Term{1}};
  for (std::uint64_t index = 3; index <= 6; ++index) {
    append.entries.push_back({Term{2}, Index{index}, EntryKind::command, {}, Blob("x")});
  }
  net.step(3, append);
  flush_unwatched(net.node(3));
  State state;
  state.applied = Index{4};
  state.term = Term{3};
  state.membership = net.node(3).membership;
  ASSERT_TRUE(net.node(3).install({{Index{4}, Term{3}, state.membership, Term{3}}, state}));
  EXPECT_EQ(net.status(3).last, Index{4});
  append = {.type = MessageType::append,
            .from = NodeId{1},
            .term = Term{3},
            .index = Index{4},
            .log_term = Term{3}};
  append.entries.push_back({Term{3}, Index{5}, EntryKind::command, {}, Blob("y")});
  net.step(3, append);
  flush_unwatched(net.node(3));
  ASSERT_TRUE(net.node(3).sync_one());  // the write from before
  EXPECT_EQ(net.status(3).durable, Index{4});
  while (net.node(3).sync_one()) {
  }
  EXPECT_EQ(net.status(3).durable, Index{5});
}

// An old leader that lives on does not know what the snapshot's maker knew to be committed: were its term
// still obeyed, it would be told that its own, different entries are held here.
TEST(RaftSnapshot, WhoTakesItTakesTheTermItIsKnownIn) {
  Cluster net(3);
  net.restore(1, {1, 2}, {Term{2}, {}});
  net.step(3, {.type = MessageType::heartbeat, .from = NodeId{1}, .term = Term{2}});
  net.flush(3);
  net.sync(3);
  State state;
  state.applied = Index{2};
  state.term = Term{1};
  state.membership = net.node(3).membership;
  ASSERT_TRUE(net.node(3).install({{Index{2}, Term{1}, state.membership, Term{3}}, state}));
  EXPECT_EQ(net.status(3).term, Term{3});
  net.node(3).outbox.clear();
  net.step(3, {.type = MessageType::append,
               .from = NodeId{1},
               .term = Term{2},
               .index = Index{1},
               .log_term = Term{1}});
  flush_unwatched(net.node(3));
  while (net.node(3).sync_one()) {
  }
  ASSERT_EQ(net.node(3).outbox.size(), 1u);
  EXPECT_TRUE(net.node(3).outbox[0].reject);
}

TEST(RaftSnapshot, ATermThatWasNotWrittenIsFoundInTheLogsEdge) {
  Cluster net(3);
  MemoryLog log;
  log.compact(Index{9}, Term{7});
  const Core core(NodeId{3}, {}, {{}, net.node(3).membership, {}, Index{9}}, log, 1);
  EXPECT_EQ(core.term(), Term{7});
  EXPECT_TRUE(core.has_ready()) << "it is to be written";
}

TEST(RaftSnapshot, TheSendersCrashStartsItAnew) {
  Cluster net(3);
  leave_three_behind(net, 5);
  net.crash(1);
  net.core(2).link_down(NodeId{1});
  net.core(3).link_down(NodeId{1});
  net.compact(2, 6);
  net.pass(5);
  ASSERT_EQ(net.core(2).role(), Role::leader);
  EXPECT_TRUE(net.carry_snapshot(2));
  net.pass(11);
  EXPECT_EQ(net.node(3).state, net.node(2).state);
}

}  // namespace
}  // namespace troupe::raft::test
