// Replicas that differ find out, the one that a majority outvotes stops, and nothing of it is in the state.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/history.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

constexpr std::uint64_t every = 16;

struct Node {
  SimDisk disk;
  std::unique_ptr<KvStore> store = disk.open("state", keys::table_names()).value();
  std::unique_ptr<StateMachine> machine = open({});
  std::unique_ptr<StateMachine> open(StateOptions options) {
    options.sample_every = every;
    return std::move(StateMachine::open(*store, options)).value();
  }
  Result<Applied> apply(const raft::Entry& entry) { return machine->apply({&entry, 1}); }
};

/// Three replicas of one log.
struct Replicas {
  std::array<Node, 3> nodes;
  std::vector<raft::Entry> log;
  History history{11, 4};
  Index last() const { return Index{log.size()}; }

  raft::Entry minted(CommandBody body) const {
    Command command;
    command.body = std::move(body);
    return {Term{1}, last().next(), raft::EntryKind::command, Instant{1'800'000'000'000},
            Blob(encode(command))};
  }
  void everywhere(const raft::Entry& entry) {
    log.push_back(entry);
    for (Node& node : nodes) ASSERT_TRUE(node.apply(entry).ok()) << entry.index.value;
  }
  void run_to(std::uint64_t index) {
    while (last().value < index) everywhere(history.next(*nodes[0].machine));
  }
  void run_to_next_sample() { run_to(last().value / every * every + every); }
  CommandBody report_of(std::uint32_t n) const {
    const HashSample sample = nodes.at(n).machine->newest_sample().value();
    return CheckState{NodeId{n + 1}, sample.index, 2, sample.hash.shards, sample.hash.cell};
  }
  void expect_stopped_by_reports(std::uint32_t bad);
  /// One flipped bit in a node's stored state, which it then loads.
  void damage(std::uint32_t n) {
    Node& node = nodes.at(n);
    Random random(n + 77);
    for (int attempt = 0; attempt < 100; ++attempt) {
      KvBatch restore;
      auto before = dump(*node.store);
      before[{keys::current, keys::applied()}] = *node.store->get(keys::current, keys::applied()).value();
      TROUPE_CHECK(node.disk.flip_bit("state", keys::current, random));
      node.machine.reset();
      auto opened = StateMachine::open(*node.store,
                                       {.hash_check = StateOptions::HashCheck::trust, .sample_every = every});
      if (opened.ok() && !(opened.value()->hash() == nodes.at((n + 1) % 3).machine->hash())) {
        node.machine = std::move(opened).value();
        return;
      }
      for (const auto& [key, value] : before) restore.put(key.first, key.second, value);
      TROUPE_CHECK(node.store->write(restore, Durability::buffered).ok());
    }
    TROUPE_CHECK(false);
  }
};

/// Every node reports its sample: the one that differs stops, and no other.
void Replicas::expect_stopped_by_reports(std::uint32_t bad) {
  int stopped = 0;
  std::vector<CommandBody> reports;
  for (std::uint32_t n = 0; n < 3; ++n) reports.push_back(report_of(n));
  for (const CommandBody& body : reports) {
    const raft::Entry report = minted(body);
    log.push_back(report);
    for (std::uint32_t at = 0; at < 3; ++at) {
      if (!nodes[at].machine) continue;
      const auto applied = nodes[at].apply(report);
      if (applied.ok()) continue;
      EXPECT_EQ(at, bad);
      EXPECT_EQ(applied.error().code, ErrorCode::corrupt);
      EXPECT_NE(applied.error().message.find("diverged"), std::string::npos) << applied.error().message;
      EXPECT_NE(applied.error().message.find("shard"), std::string::npos) << applied.error().message;
      ++stopped;
      nodes[at].machine.reset();
    }
  }
  EXPECT_EQ(stopped, 1) << "node " << bad;
}

TEST(Divergence, NobodyMindsReportsThatAgree) {
  Replicas replicas;
  replicas.run_to(every * 20);
  for (std::uint32_t n = 0; n < 3; ++n) replicas.everywhere(replicas.minted(replicas.report_of(n)));
  for (const Node& node : replicas.nodes) {
    EXPECT_EQ(node.machine->differing_reports(), 0u);
    expect_derived(*node.machine, *node.store);
  }
}

TEST(StateHashes, SumUpEverythingThatIsStoredTheArchiveIncluded) {
  Cell cell;
  const HostId host = cell.host("h1");
  for (int n = 0; n < 5; ++n) cell.run_to_end(host);
  cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(2)});
  cell.running(cell.submit(service_of(0, 2, 5)), 0, host);
  const Recomputed anew = recompute_hash(*cell.store).value();
  EXPECT_EQ(anew.hash, cell.machine->hash());
  EXPECT_EQ(anew.archive, cell.machine->archive_sums());
  std::uint64_t jobs = 0, tasks = 0;
  for (const auto& [place, sum] : anew.archive) jobs += sum.jobs, tasks += sum.tasks;
  EXPECT_EQ(jobs, 5u);
  EXPECT_EQ(tasks, 5u);
  cell.restart();
  EXPECT_EQ(cell.machine->hash(), anew.hash);
  EXPECT_EQ(cell.machine->archive_sums(), anew.archive);
  EXPECT_EQ(anew.requests, 1u);
}

TEST(Divergence, AFlippedBitStopsTheNodeThatHasItWhoeverLeads) {
  for (std::uint32_t bad = 0; bad < 3; ++bad) {
    Replicas replicas;
    replicas.run_to(every * 20 + 3);
    replicas.damage(bad);
    // What the history asks of one machine may be refused by the damaged one: only time passes from here.
    while (replicas.last().value % every != 0)
      replicas.everywhere({Term{1}, replicas.last().next(), raft::EntryKind::noop, {}, {}});
    replicas.expect_stopped_by_reports(bad);
    for (std::uint32_t at = 0; at < 3; ++at) {
      if (at == bad) continue;
      EXPECT_EQ(replicas.nodes[at].machine->differing_reports(), 1u) << "a human is told";
    }
  }
}

// Only there does apply meet what must not be: it sets the entity aside as every replica would, and that it
// is alone with it is found by the next check.
TEST(Divergence, PoisonOnOneReplicaAloneStopsThatReplica) {
  Replicas replicas;
  replicas.run_to(every * 20 + 3);
  constexpr std::uint32_t bad = 1;
  const Reads& reads = replicas.nodes[0].machine->reads();
  std::vector<TaskRecord> running;
  for (std::uint64_t more = 0; running.empty() && more < every * 100; ++more) {
    replicas.run_to(replicas.last().value + 1);
    reads.each_task({}, [&](const TaskRecord& task, const JobRecord& job) {
      if (task.state == TaskState::started && task.set_aside.empty() && job.set_aside.empty())
        running.push_back(task);
      return true;
    });
    std::erase_if(running,
                  [&](const TaskRecord& task) { return reads.host(task.host)->record.session.is_nil(); });
  }
  ASSERT_FALSE(running.empty());
  const TaskRecord& task = running.front();
  Node& node = replicas.nodes[bad];
  SlotRecord slot;
  reads.with_job(task.job, [&](const JobView& view) { slot = view.slots[task.slot.value].record; });
  slot.task = TaskId{};
  KvBatch batch;
  batch.put(keys::current, keys::slot(reads.shard_of(EntityRef::of(task.job)), task.job, task.slot),
            packed(slot));
  ASSERT_TRUE(node.store->write(batch, Durability::buffered).ok());
  reseal(*node.store);
  node.machine.reset();
  node.machine = node.open({});
  replicas.everywhere(
      replicas.minted(ReportTasks{{{task.host,
                                    reads.host(task.host)->record.session,
                                    {{task.id, TaskState::finished, Reason::normal, 0, 0, ""}}}}}));
  for (std::uint32_t at = 0; at < 3; ++at)
    EXPECT_EQ(replicas.nodes[at].machine->reads().set_aside() - reads.set_aside(), at == bad ? 1U : 0U);
  while (replicas.last().value % every != 0)
    replicas.everywhere({Term{1}, replicas.last().next(), raft::EntryKind::noop, {}, {}});
  replicas.expect_stopped_by_reports(bad);
}

TEST(Divergence, TwoNodesAloneCannotTellWhoIsRight) {
  Replicas replicas;
  replicas.run_to(every * 20 + 3);
  replicas.damage(1);
  while (replicas.last().value % every != 0)
    replicas.everywhere({Term{1}, replicas.last().next(), raft::EntryKind::noop, {}, {}});
  for (const std::uint32_t n : {0u, 1u, 0u, 1u}) {
    const raft::Entry report = replicas.minted(replicas.report_of(n));
    replicas.log.push_back(report);
    EXPECT_TRUE(replicas.nodes[0].apply(report).ok());
    EXPECT_TRUE(replicas.nodes[1].apply(report).ok());
  }
  EXPECT_EQ(replicas.nodes[0].machine->differing_reports(), 2u);
}

TEST(Divergence, AReportOfASampleThatIsGoneOrNeverWasChangesNothing) {
  Replicas replicas;
  replicas.run_to(every * 2);
  CheckState old = std::get<CheckState>(replicas.report_of(0));
  old.cell ^= 1;
  CheckState never = old;
  never.sampled = Index{5};
  replicas.run_to(every * (hash_samples_max + 4));
  const StateHash before = replicas.nodes[0].machine->hash();
  for (const std::uint32_t node : {1u, 2u, 3u}) {
    old.node = never.node = NodeId{node};
    replicas.everywhere(replicas.minted(old));
    replicas.everywhere(replicas.minted(never));
  }
  EXPECT_EQ(replicas.nodes[0].machine->hash().shards, before.shards);
}

TEST(Divergence, ARestartedNodeSamplesAgainAsItReplays) {
  Replicas replicas;
  replicas.run_to(every * 20 + 3);
  Node& node = replicas.nodes[0];
  ASSERT_TRUE(node.store->flush().ok());
  replicas.run_to(every * 22 + 3);
  node.machine.reset();
  node.disk.crash_hard("state");
  node.store.reset();
  node.store = node.disk.open("state", keys::table_names()).value();
  node.machine = node.open({});
  EXPECT_FALSE(node.machine->newest_sample().has_value());
  for (std::uint64_t at = node.machine->applied().value; at < replicas.last().value; ++at)
    ASSERT_TRUE(node.apply(replicas.log[at]).ok());
  EXPECT_EQ(node.machine->newest_sample()->index, Index{every * 22});
  EXPECT_EQ(node.machine->newest_sample()->hash, replicas.nodes[1].machine->newest_sample()->hash);
}

TEST(Divergence, TheMembershipIsPartOfTheStateAndOfTheHash) {
  Cell cell;
  EXPECT_FALSE(cell.machine->membership().has_value());
  const StateHash before = cell.machine->hash();
  const raft::Membership grown{{NodeId{1}, NodeId{2}}, {NodeId{3}}};
  for (const auto& members : {raft::Membership{{NodeId{1}}, {}}, grown}) {
    const raft::Entry entry{cell.term, cell.machine->applied().next(), raft::EntryKind::config, cell.now,
                            Blob(packed(members))};
    ASSERT_TRUE(cell.machine->apply({&entry, 1}).ok());
  }
  EXPECT_EQ(cell.machine->membership(), grown);
  EXPECT_NE(cell.machine->hash().cell, before.cell);
  expect_derived(*cell.machine, *cell.store);
  cell.restart();
  EXPECT_EQ(cell.machine->membership(), grown);
  EXPECT_EQ(read_membership(*cell.store).value(), grown);
}

/// What an operator's word does to one entry.
struct Skipping {
  Cell cell;
  JobId job = cell.submit(service_of(0, 1, 2));
  raft::Entry entry = [this] {
    Command command;
    command.body = KillJob{job};
    return cell.entry(command);
  }();
  SkippedEntry word{entry.index, entry.term, entry_hash(entry), "ann", "it kills every node", {}};
  Result<Applied> apply_with(const SkippedEntry& skipped) {
    cell.machine.reset();
    cell.machine = StateMachine::open(*cell.store, {.skipped = {skipped}}).value();
    return cell.machine->apply({&entry, 1});
  }
};

TEST(Skip, LeavesOutTheEntryThatItNamesAndSaysWho) {
  Skipping skipping;
  const auto applied = skipping.apply_with(skipping.word);
  ASSERT_TRUE(applied.ok());
  ASSERT_EQ(applied.value().outcomes.size(), 1u);
  EXPECT_NE(applied.value().outcomes[0].error->message.find("skipped by ann"), std::string::npos);
  EXPECT_EQ(skipping.cell.job(skipping.job).state, JobState::accepted);
  expect_derived(*skipping.cell.machine, *skipping.cell.store);
  skipping.cell.restart();
}

TEST(Skip, OfAnEntryThatDoesNotDecodeLetsTheNodeGoOn) {
  Skipping skipping;
  skipping.entry.data = Blob("junk");
  EXPECT_FALSE(skipping.apply_with({}).ok());
  skipping.word.hash = entry_hash(skipping.entry);
  EXPECT_TRUE(skipping.apply_with(skipping.word).ok());
}

TEST(Skip, DoesNotHitAnotherEntryAtThatIndex) {
  for (int which = 0; which < 3; ++which) {
    Skipping skipping;
    if (which == 0) skipping.word.term = Term{9};
    if (which == 1) skipping.word.hash ^= 1;
    if (which == 2) skipping.word.index = Index{1};
    ASSERT_TRUE(skipping.apply_with(skipping.word).ok());
    EXPECT_EQ(skipping.cell.job(skipping.job).state, JobState::kill_initiated);
  }
}

TEST(Skip, IsSeenInTheHashByNodesThatDidNotSkip) {
  Skipping one, two;
  ASSERT_TRUE(one.apply_with(one.word).ok());
  ASSERT_TRUE(two.apply_with({}).ok());
  EXPECT_NE(one.cell.machine->hash().cell, two.cell.machine->hash().cell);
}

TEST(UnknownCommands, StopTheNodeAndAreNeverSkippedByItself) {
  Skipping skipping;
  Bytes bytes(skipping.entry.data.view());
  bytes[2] = 0x7f;
  skipping.entry.data = Blob(bytes);
  const auto applied = skipping.apply_with({});
  ASSERT_FALSE(applied.ok());
  EXPECT_EQ(applied.error().code, ErrorCode::unavailable);
  EXPECT_NE(applied.error().message.find("unknown command number 127"), std::string::npos);
  EXPECT_NE(applied.error().message.find("upgrade"), std::string::npos);
}

TEST(Guard, KnowsTheEntryInHandAndThatItEnded) {
  struct Book final : ApplyGuard {
    std::string text;
    void begin(Index entry) override { text += to_text(entry) + " "; }
    void end() override { text += "end "; }
  } book;
  Cell cell;
  const Index next = cell.machine->applied().next();
  cell.machine.reset();
  cell.machine = StateMachine::open(*cell.store, {.guard = &book}).value();
  const std::vector<raft::Entry> entries{{cell.term, next, raft::EntryKind::noop, cell.now, {}},
                                         {cell.term, next.next(), raft::EntryKind::noop, cell.now, {}}};
  ASSERT_TRUE(cell.machine->apply(entries).ok());
  const std::string both = to_text(next) + " end " + to_text(next.next()) + " end ";
  EXPECT_EQ(book.text, both);
  const raft::Entry bad{cell.term, next.next().next(), raft::EntryKind::command, cell.now, Blob("junk")};
  EXPECT_FALSE(cell.machine->apply({&bad, 1}).ok());
  EXPECT_EQ(book.text, both + to_text(bad.index) + " end ") << "an error that is told is no death";
}

}  // namespace
}  // namespace troupe
