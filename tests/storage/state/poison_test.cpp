// What follows from state and command alone and must not be: the entity is set aside and the cell goes on.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

/// A running job whose slot was made to name another task, behind the machine's back.
struct Broken {
  Cell cell;
  HostId host = cell.host("h1");
  JobId bad = cell.submit(batch_of(1)), good = cell.submit(batch_of(1));
  TaskId bad_task = cell.running(bad, 0, host), good_task = cell.running(good, 0, host);

  Broken() {
    SlotRecord slot = cell.slot(bad, 0);
    slot.task = TaskId{};
    KvBatch batch;
    batch.put(keys::current, keys::slot(shard_of(bad, test_shards), bad, SlotNumber{0}), packed(slot));
    TROUPE_CHECK(cell.store->write(batch, Durability::buffered).ok());
    reseal(*cell.store);
    cell.restart();
  }
  ReportTasks both_ended() const {
    return {{{host,
              cell.session(host),
              {{bad_task, TaskState::finished, Reason::normal, 0, 0, ""},
               {good_task, TaskState::finished, Reason::normal, 0, 0, ""}}}}};
  }
};

TEST(Poison, SetsTheEntityAsideAndLeavesNoOtherTrace) {
  Broken broken;
  Cell& cell = broken.cell;
  const Bytes good_before = packed(cell.task(broken.good_task));
  const Done done = cell.apply(broken.both_ended());
  EXPECT_EQ(done.refusal(), ErrorCode::internal);
  EXPECT_NE(cell.job(broken.bad).set_aside, "");
  EXPECT_EQ(cell.due(EntityRef::of(broken.bad)), std::nullopt) << "it has no duties until released";
  EXPECT_EQ(packed(cell.task(broken.good_task)), good_before) << "the whole command's effects are dropped";
  ASSERT_EQ(done.events.size(), 1U);
  EXPECT_EQ(done.events[0].kind, EventKind::job_changed);
  EXPECT_EQ(done.events[0].job, broken.bad);
}

TEST(Poison, TakesABatchWithItOnlyOnce) {
  Broken broken;
  Cell& cell = broken.cell;
  cell.apply(broken.both_ended());
  EXPECT_TRUE(cell.apply(broken.both_ended()).taken()) << "the host repeats its report";
  EXPECT_TRUE(cell.archived(broken.good_task).has_value());
  EXPECT_EQ(cell.task(broken.bad_task).state, TaskState::started);
  const EndTasks lost{{{broken.bad_task, broken.host, Reason::lost, ""}}};
  EXPECT_EQ(cell.apply(lost, cell.fence_of(broken.host)).refusal(), ErrorCode::internal);
  cell.submit(batch_of(1));
}

TEST(Poison, IsTheSameOnEveryReplicaWhateverTheBatch) {
  Broken one, two;
  const ReportTasks body = one.both_ended();
  Command command;
  command.body = body;
  const raft::Entry first = two.cell.entry(command), second = two.cell.entry(command);
  one.cell.apply(body);
  one.cell.apply(body);
  const Applied applied = two.cell.apply_entries({first, second});
  EXPECT_EQ(applied.outcomes.size(), 2U);
  EXPECT_EQ(dump(*one.cell.store), dump(*two.cell.store));
  EXPECT_EQ(shard_hashes(one.cell.reads()), shard_hashes(two.cell.reads()));
}

TEST(Poison, ReplayedAtTheRestartOfAllReplicasIsWhatItWas) {
  Broken nodes[3];
  const ReportTasks body = nodes[0].both_ended();
  std::vector<raft::Entry> log;
  for (int n = 0; n < 2; ++n) {
    Command command;
    command.body = body;
    log.push_back(nodes[0].cell.entry(command));
  }
  for (Broken& node : nodes) ASSERT_EQ(node.cell.apply_entries(log).outcomes.size(), 2U);
  const auto before = dump(*nodes[0].cell.store);
  // What a crash left of the state is from before the poison: the log's tail is applied once more, by some at
  // once, by others entry by entry with a restart between.
  Broken again[3];
  again[0].cell.apply_entries(log);
  again[1].cell.apply_entries({log[0]});
  again[1].cell.restart();
  again[1].cell.apply_entries({log[1]});
  again[2].cell.apply_entries({log[0]});
  again[2].cell.apply_entries({log[1]});
  for (Broken& node : again) {
    EXPECT_EQ(dump(*node.cell.store), before);
    EXPECT_EQ(shard_hashes(node.cell.reads()), shard_hashes(nodes[0].cell.reads()));
    EXPECT_NE(node.cell.job(node.bad).set_aside, "");
    node.cell.restart();
    EXPECT_NE(node.cell.job(node.bad).set_aside, "");
    EXPECT_EQ(node.cell.reads().set_aside(), 1U) << "counted anew from the records";
    EXPECT_EQ(dump(*node.cell.store), before);
  }
}

TEST(SetAside, IsCountedUntilItIsReleasedOrEnds) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(2));
  const TaskId task = cell.start(job, 0);
  cell.place(task, host);
  const EntityRef group = EntityRef::of_group("DEFAULT");
  std::uint64_t count = 0;
  for (const EntityRef& entity : {EntityRef::of(job), EntityRef::of(task), EntityRef::of(host), group}) {
    ASSERT_TRUE(cell.apply(SetAside{entity, "crashed 5 times"}, cell.fence_of(ShardId{0})).taken());
    EXPECT_EQ(cell.reads().set_aside(), ++count) << entity.text();
    cell.apply(SetAside{entity, "again"}, cell.fence_of(ShardId{0}));
    EXPECT_EQ(cell.reads().set_aside(), count) << entity.text();
  }
  cell.restart();
  EXPECT_EQ(cell.reads().set_aside(), 4U);
  cell.ended(host, task, Reason::normal);
  EXPECT_EQ(cell.reads().set_aside(), 3U) << "the task is archived";
  for (const EntityRef& entity : {EntityRef::of(job), EntityRef::of(host), group})
    ASSERT_TRUE(cell.apply(Release{entity}).taken());
  EXPECT_EQ(cell.reads().set_aside(), 0U);
}

TEST(SetAside, TakesAnEntitysDutiesUntilItIsReleased) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(2));
  const TaskId task = cell.start(job, 0);
  cell.place(task, host);
  for (const EntityRef& entity : {EntityRef::of(job), EntityRef::of(task), EntityRef::of(host)}) {
    const auto due = cell.due(entity);
    ASSERT_TRUE(due.has_value()) << entity.text();
    ASSERT_TRUE(cell.apply(SetAside{entity, "crashed 5 times"}, cell.fence_of(ShardId{0})).taken());
    EXPECT_EQ(cell.due(entity), std::nullopt) << entity.text();
    EXPECT_TRUE(cell.apply(SetAside{entity, "again"}, cell.fence_of(ShardId{0})).taken());
    ASSERT_TRUE(cell.apply(Release{entity}).taken());
    EXPECT_EQ(cell.due(entity), due) << entity.text();
    EXPECT_EQ(cell.apply(Release{entity}).refusal(), ErrorCode::precondition_failed);
  }
  EXPECT_EQ(cell.job(job).set_aside, "");
}

TEST(SetAside, KeepsTheFirstReasonAndNeedsALivingEntity) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  cell.apply(SetAside{EntityRef::of(job), ""}, cell.fence_of(job));
  EXPECT_EQ(cell.job(job).set_aside, "set aside") << "an empty reason is still set aside";
  cell.apply(SetAside{EntityRef::of(job), "later"}, cell.fence_of(job));
  EXPECT_EQ(cell.job(job).set_aside, "set aside");
  for (const EntityRef& none :
       {EntityRef::of(cell.random.uuid<JobId>()), EntityRef::of(cell.random.uuid<TaskId>()),
        EntityRef::of(HostId{99}), EntityRef{EntityKind::group, {}}}) {
    EXPECT_EQ(cell.apply(SetAside{none, "x"}, cell.fence_of(job)).refusal(), ErrorCode::not_found);
    EXPECT_EQ(cell.apply(Release{none}).refusal(), ErrorCode::not_found);
  }
}

}  // namespace
}  // namespace troupe
