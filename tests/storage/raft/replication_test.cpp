#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

Message append_of(std::uint64_t term, Index after, Term after_term, std::vector<std::uint64_t> terms) {
  Message message{.type = MessageType::append,
                  .from = NodeId{1},
                  .term = Term{term},
                  .index = after,
                  .log_term = after_term};
  for (const std::uint64_t each : terms) {
    after = after.next();
    message.entries.push_back({Term{each}, after, EntryKind::command, {}, Blob("x")});
  }
  return message;
}

const PeerStatus& peer(const Status& status, std::uint32_t id) {
  for (const PeerStatus& each : status.peers) {
    if (each.id.value == id) return each;
  }
  static const PeerStatus none;
  ADD_FAILURE() << "no peer " << id;
  return none;
}

TEST(RaftReplication, AProposalReachesEveryStateWithoutATick) {
  Cluster net(3, 1);
  net.elect(1);
  EXPECT_EQ(net.propose(1, "a").value(), Index{2});
  EXPECT_EQ(net.propose(1, "b", 2).value(), Index{3});
  net.deliver();
  for (const std::uint32_t id : {1u, 2u, 3u, 4u}) EXPECT_EQ(net.applied(id), "a b b") << id;
}

TEST(RaftReplication, OnlyTheLeaderTakesProposals) {
  Cluster net(3);
  EXPECT_EQ(net.propose(1, "a").error().code, ErrorCode::not_leader);
  net.elect(1);
  EXPECT_EQ(net.propose(2, "a").error().code, ErrorCode::not_leader);
  EXPECT_EQ(net.propose(1, "a", 0).error().code, ErrorCode::invalid_argument);
}

TEST(RaftReplication, TheStampStaysWithTheEntry) {
  Cluster net(1);
  net.elect(1);
  const Proposal proposal{Instant{1234}, Blob("a")};
  ASSERT_TRUE(net.core(1).propose({&proposal, 1}).ok());
  net.deliver();
  EXPECT_EQ(net.node(1).applied.back().stamp, Instant{1234});
}

TEST(RaftReplication, EntriesOfEarlierTermsAreNotCommittedByCounting) {  // Raft, figure 8
  Cluster net(5);
  const HardState hard{Term{3}, {}};
  net.restore(1, {1, 2}, hard);
  net.restore(2, {1, 2}, hard);
  net.restore(3, {1}, hard);
  net.restore(4, {1}, hard);
  net.restore(5, {1, 3}, hard);
  net.isolate(4);
  net.isolate(5);
  net.drop([](Message& message) {
    std::erase_if(message.entries, [](const Entry& entry) { return entry.term == Term{4}; });
    return false;
  });
  net.elect(1);
  EXPECT_EQ(net.terms(3), "1 2") << "the entry of term 2 is on a majority";
  EXPECT_EQ(net.status(1).commit, Index{0}) << "and yet not committed";
  net.crash(1);
  net.drop(nullptr);
  net.heal();
  for (const std::uint32_t id : {2u, 3u}) net.core(id).link_down(NodeId{1});
  net.campaign(5);
  net.deliver();  // it learns of term 4
  net.elect(5);
  for (const std::uint32_t id : {2u, 3u, 4u}) EXPECT_EQ(net.terms(id), "1 3 5") << id;
  net.restart(1);
  net.pass(100);
  EXPECT_EQ(net.terms(1), net.terms(5));
}

TEST(RaftReplication, TheNoopOfANewTermCommitsWhatEarlierTermsLeft) {
  Cluster net(3);
  for (const std::uint32_t id : {1u, 2u, 3u}) net.restore(id, {1, 2, 2}, {Term{2}, {}});
  net.elect(1);
  EXPECT_EQ(net.status(1).commit, Index{4});
  EXPECT_EQ(net.applied(3), "t1 t2 t2");
}

TEST(RaftReplication, ALongDivergentTailIsFoundInFewRounds) {
  Cluster net(3);
  std::vector<std::uint64_t> mine{1, 1, 1}, theirs{1, 1, 1};
  for (int i = 0; i < 50; ++i) mine.push_back(i < 25 ? 4 : 6);
  for (int i = 0; i < 80; ++i) theirs.push_back(i < 40 ? 2 : 3);
  net.restore(1, mine, {Term{6}, {}});
  net.restore(2, mine, {Term{6}, {}});
  net.restore(3, theirs, {Term{6}, {}});
  net.elect(1);
  EXPECT_EQ(net.terms(3), net.terms(1));
  const auto replies = net.sent(MessageType::append_reply, 3);
  const auto refused =
      std::count_if(replies.begin(), replies.end(), [](const Message& m) { return m.reject; });
  EXPECT_LE(refused, 3);
}

TEST(RaftReplication, AFollowerCommitsNoFurtherThanTheMessageChecked) {
  Cluster net(3);
  net.restore(3, {1, 2, 2}, {Term{2}, {}});
  Message message = append_of(5, Index{1}, Term{1}, {});
  message.commit = Index{3};
  net.step(3, message);
  EXPECT_EQ(net.status(3).commit, Index{1});
}

TEST(RaftReplication, AFollowerAcceptsNoMoreThanTheMessageChecked) {
  Cluster net(3);
  net.restore(3, {1, 2, 2}, {Term{2}, {}});
  net.step(3, append_of(5, Index{1}, Term{1}, {}));
  net.flush(3);
  net.sync(3);
  ASSERT_EQ(net.sent(MessageType::append_reply, 3).size(), 1u);
  EXPECT_EQ(net.sent(MessageType::append_reply, 3)[0].index, Index{1});
}

TEST(RaftReplication, AHeartbeatsCommitIsNoFurtherThanThePeersMatch) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "a", 3).ok());
  net.drop([](Message& message) { return message.to == NodeId{3} && message.type == MessageType::append; });
  net.deliver();
  EXPECT_EQ(net.status(1).commit, Index{4});
  net.forget_sent();
  net.tick(1, 5);
  net.flush(1);
  for (const Message& message : net.sent(MessageType::heartbeat, 1)) {
    EXPECT_EQ(message.commit, message.to == NodeId{3} ? Index{1} : Index{4});
  }
  EXPECT_EQ(net.sent(MessageType::heartbeat, 1).size(), 2u);
}

TEST(RaftReplication, AnOldAppendDoesNotRemoveNewerEntriesThatAgree) {
  Cluster net(3);
  net.step(3, append_of(1, {}, {}, {1, 1, 1}));
  net.flush(3);
  net.step(3, append_of(1, {}, {}, {1}));
  net.flush(3);
  EXPECT_EQ(net.terms(3), "1 1 1");
}

TEST(RaftReplication, AConflictingTailIsReplaced) {
  Cluster net(3);
  net.restore(3, {1, 2, 2, 2}, {Term{2}, {}});
  net.step(3, append_of(4, Index{1}, Term{1}, {3, 4}));
  net.flush(3);
  net.sync(3);
  EXPECT_EQ(net.terms(3), "1 3 4");
  EXPECT_EQ(net.node(3).disk.log.last(), Index{3});
  EXPECT_EQ(net.sent(MessageType::append_reply, 3).at(0).index, Index{3});
}

TEST(RaftReplication, MalformedAppendsChangeNothing) {
  Cluster net(3);
  Message gap = append_of(2, {}, {}, {1, 1});
  gap.entries[1].index = Index{7};
  net.step(3, gap);
  net.step(3, append_of(2, {}, {}, {2, 1}));  // terms fall
  net.step(3, append_of(2, {}, {}, {9}));     // an entry from the future
  net.deliver();
  EXPECT_EQ(net.terms(3), "");
}

TEST(RaftReplication, LateAnswersNeverLowerAMatch) {
  Cluster net(3);
  net.elect(1);
  ASSERT_TRUE(net.propose(1, "a", 5).ok());
  net.deliver();
  net.step(1, {.type = MessageType::append_reply, .from = NodeId{2}, .term = Term{1}, .index = Index{2}});
  net.step(1, {.type = MessageType::append_reply,
               .from = NodeId{2},
               .term = Term{1},
               .index = Index{3},
               .reject = true});
  EXPECT_EQ(peer(net.status(1), 2).match, Index{6});
  EXPECT_EQ(peer(net.status(1), 2).next, Index{7});
}

TEST(RaftReplication, LostAppendsAreFoundByTheNextHeartbeat) {
  Cluster net(3);
  net.elect(1);
  net.drop([](Message& message) { return message.type == MessageType::append; });
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  net.drop(nullptr);
  net.pass(11);
  EXPECT_EQ(net.applied(2), "a");
  EXPECT_EQ(net.applied(3), "a");
}

TEST(RaftReplication, UnansweredAppendsAreLimitedByCount) {
  Cluster net(3, 0, {.max_append_bytes = 1, .max_inflight_appends = 3});
  net.elect(1);
  net.forget_sent();
  ASSERT_TRUE(net.propose(1, "a", 10).ok());
  net.flush(1);
  EXPECT_EQ(net.sent(MessageType::append, 1).size(), 2u * 3);
  EXPECT_EQ(peer(net.status(1), 2).inflight, 3u);
  net.deliver();
  EXPECT_EQ(net.status(2).commit, Index{11});
}

TEST(RaftReplication, UnansweredAppendsAreLimitedByBytes) {
  Cluster net(3, 0, {.max_append_bytes = 1000, .max_inflight_bytes = 2000});
  net.elect(1);
  net.forget_sent();
  ASSERT_TRUE(net.propose(1, std::string(900, 'x'), 20).ok());
  net.flush(1);
  EXPECT_EQ(net.sent(MessageType::append, 1).size(), 2u * 3) << "the one that crosses the limit is the last";
  net.deliver();
  EXPECT_EQ(net.status(3).commit, Index{21});
}

TEST(RaftReplication, AProbeIsOneAppendAtATime) {
  Cluster net(3);
  net.elect(1);
  net.isolate(1);
  net.core(1).link_down(NodeId{2});
  net.forget_sent();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(net.propose(1, "a").ok());
    net.flush(1);
  }
  const auto sent = net.sent(MessageType::append, 1);
  EXPECT_EQ(std::count_if(sent.begin(), sent.end(), [](const Message& m) { return m.to == NodeId{2}; }), 1);
}

TEST(RaftReplication, TooMuchUncommittedIsRefusedUntilItCommits) {
  Cluster net(3, 0, {.max_uncommitted_bytes = 1000});
  net.elect(1);
  EXPECT_TRUE(net.propose(1, std::string(5000, 'x')).ok()) << "one alone passes, however big";
  EXPECT_EQ(net.propose(1, "a").error().code, ErrorCode::overloaded);
  const Index last = net.status(1).last;
  EXPECT_EQ(net.propose(1, "a", 3).error().code, ErrorCode::overloaded);
  EXPECT_EQ(net.status(1).last, last) << "all or none";
  net.deliver();
  EXPECT_TRUE(net.propose(1, "a").ok());
  EXPECT_EQ(net.status(1).uncommitted_bytes, 33u);
}

TEST(RaftReplication, CommittedEntriesAreHandedOutNoFasterThanTheyAreApplied) {
  Cluster net(1, 0, {.max_unapplied_bytes = 100});
  net.elect(1);
  net.node(1).hold_apply = true;
  ASSERT_TRUE(net.propose(1, std::string(60, 'x'), 10).ok());
  net.deliver();
  const std::size_t handed_out = net.node(1).applied.size();
  EXPECT_LE(handed_out, 3u);
  net.node(1).hold_apply = false;
  net.core(1).applied(net.node(1).applied.back().index);
  net.deliver();
  EXPECT_EQ(net.node(1).applied.size(), 11u);
}

TEST(RaftReplication, LearnersFollowButDoNotCount) {
  Cluster net(3, 2);
  net.elect(1);
  net.cut(1, 2);
  net.cut(1, 3);
  ASSERT_TRUE(net.propose(1, "a").ok());
  net.deliver();
  EXPECT_EQ(net.status(4).last, Index{2});
  EXPECT_EQ(net.status(1).commit, Index{1});
}

TEST(RaftReplication, APeerBehindTheLogsBeginningIsReportedOnceAndProbedNoFurther) {
  Cluster net(3);
  net.elect(1);
  net.isolate(3);
  ASSERT_TRUE(net.propose(1, "a", 5).ok());
  net.deliver();
  for (MemoryLog* log : {&net.log(1), &net.node(1).disk.log}) log->compact(Index{4});
  net.heal();
  net.core(1).link_down(NodeId{3});
  net.pass(30);
  ASSERT_EQ(net.node(1).snapshots.size(), 1u);
  EXPECT_EQ(net.node(1).snapshots[0], (SnapshotNeed{NodeId{3}, Index{2}}));
  EXPECT_EQ(peer(net.status(1), 3).state, PeerState::snapshot);
  EXPECT_EQ(net.status(3).leader, NodeId{1}) << "heartbeats go on";
  net.core(1).snapshot_sent(NodeId{3}, {});  // it failed
  net.deliver();
  EXPECT_EQ(net.node(1).snapshots.size(), 1u) << "not again and again at once";
  net.pass(6);
  EXPECT_EQ(net.node(1).snapshots.size(), 2u) << "needed again";
}

}  // namespace
}  // namespace troupe::raft::test
