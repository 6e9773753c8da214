// The cell's own commands, and the fences of all.

#include "tests/storage/state/cell.hpp"

#include <gtest/gtest.h>

#include "storage/model/command_table.hpp"
#include "tests/storage/model/samples.hpp"

namespace troupe {
namespace {

TEST(Bootstrap, MakesAnEmptyLogACell) {
  Cell cell(open_memory(keys::table_names()));
  EXPECT_EQ(cell.reads().shard_count(), 0);
  EXPECT_EQ(cell.apply(KillJob{}).refusal(), ErrorCode::unavailable) << "nothing goes before bootstrap";
  CellPolicy policy;
  policy.jobs_max = 7;
  ASSERT_TRUE(cell.apply(BootstrapCell{"north", 16, policy}, cell.term_fence()).taken());
  EXPECT_EQ(cell.reads().shard_count(), 16);
  EXPECT_EQ(cell.reads().cell().record.name, "north");
  EXPECT_EQ(cell.reads().cell().record.policy, policy);
  ASSERT_EQ(cell.reads().groups().size(), 1U);
  EXPECT_EQ(cell.reads().groups().front().first.name, "DEFAULT");
}

TEST(Bootstrap, HappensOnceAndWithinBounds) {
  Cell empty(open_memory(keys::table_names()));
  for (const BootstrapCell& bad :
       {BootstrapCell{"", 16, {}}, BootstrapCell{"n", 0, {}}, BootstrapCell{"n", 257, {}}})
    EXPECT_EQ(empty.apply(bad, empty.term_fence()).refusal(), ErrorCode::invalid_argument);
  Cell cell;
  EXPECT_EQ(cell.apply(BootstrapCell{"other", 16, {}}, cell.term_fence()).refusal(),
            ErrorCode::precondition_failed);
  EXPECT_EQ(cell.reads().cell().record.name, "test");
}

TEST(Levels, AreRaisedOneAtATimeAndGateCommands) {
  Cell cell;
  Command future;
  future.level = 1;
  future.body = PutGroup{{"g", Tier::flex, {}, 0, 0, {}}};
  EXPECT_EQ(cell.apply(future).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.apply(RaiseLevel{2}, cell.term_fence()).refusal(), ErrorCode::precondition_failed);
  EXPECT_TRUE(cell.apply(RaiseLevel{1}, cell.term_fence()).taken());
  EXPECT_EQ(cell.reads().cell().record.level, 1U);
  EXPECT_TRUE(cell.apply(RaiseLevel{1}, cell.term_fence()).changed_nothing());
  EXPECT_TRUE(cell.apply(future).taken());
}

TEST(Levels, ABuildThatKnowsLessStopsRatherThanApply) {
  Cell cell;
  cell.machine.reset();
  cell.machine = StateMachine::open(*cell.store, {.level_known = 1}).value();
  const auto next = [&](std::uint32_t level) {
    Command raise;
    raise.fence = cell.term_fence();
    raise.body = RaiseLevel{level};
    return cell.entry(raise);
  };
  ASSERT_TRUE(cell.machine->apply(std::vector{next(1)}).ok());
  const Index before = cell.machine->applied();
  const auto entry = next(2);
  const auto refused = cell.machine->apply(std::vector{entry});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_EQ(refused.error().message,
            "the cell is at feature level 2 and this build knows 1: upgrade this node");
  // Nothing of it is on its disk, and the build that knows more goes on there.
  cell.machine = StateMachine::open(*cell.store, {.level_known = 2}).value();
  EXPECT_EQ(cell.machine->applied(), before);
  ASSERT_TRUE(cell.machine->apply(std::vector{entry}).ok());
  cell.machine.reset();
  EXPECT_EQ(StateMachine::open(*cell.store, {.level_known = 1}).error().code, ErrorCode::unavailable);
  EXPECT_TRUE(StateMachine::open(*cell.store, {.level_known = 2}).ok());
}

TEST(Shards, EachMoveStartsAnEpochThatFencesTheOldOwnerOff) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  const ShardId shard = shard_of(job, test_shards);
  const Fence old = cell.fence_of(shard);
  const Done moved = cell.apply(AssignShards{{{shard, Epoch{1}, NodeId{2}}}}, cell.term_fence());
  ASSERT_TRUE(moved.taken());
  ASSERT_EQ(moved.events.size(), 1U);
  EXPECT_EQ(moved.events[0].node, NodeId{2});
  EXPECT_EQ(moved.events[0].epoch, Epoch{2});
  AdvanceSlots::Item item{job, SlotNumber{0}, {}, SlotState::running, cell.random.task_of(job), {}, {}};
  EXPECT_EQ(cell.apply(AdvanceSlots{{item}}, old).refusal(), ErrorCode::fenced);
  EXPECT_TRUE(cell.apply(AdvanceSlots{{item}}, cell.fence_of(shard)).taken());
}

TEST(Shards, AMoveThatSawAnOlderEpochIsRefusedAndTheOthersGo) {
  Cell cell;
  const Done done = cell.apply(AssignShards{{{ShardId{0}, Epoch{0}, NodeId{2}},
                                             {ShardId{9}, Epoch{0}, NodeId{2}},
                                             {ShardId{1}, Epoch{1}, NodeId{2}}}},
                               cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 2U);
  EXPECT_EQ(done.outcome.refused[0].code, ErrorCode::precondition_failed);
  EXPECT_EQ(done.outcome.refused[1].item, 1U);
  EXPECT_EQ(done.outcome.refused[1].code, ErrorCode::not_found);
  EXPECT_EQ(cell.reads().shard(ShardId{0}).owner, first_node);
  EXPECT_EQ(cell.reads().shard(ShardId{1}).owner, NodeId{2});
}

TEST(Shards, OneCommandNeverGivesOneEpochToTwoOwners) {
  Cell cell;
  const Done done =
      cell.apply(AssignShards{{{ShardId{0}, Epoch{1}, NodeId{2}}, {ShardId{0}, Epoch{1}, NodeId{3}}}},
                 cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 1U);
  EXPECT_EQ(done.outcome.refused[0].item, 1U);
  EXPECT_EQ(done.events.size(), 1U);
  EXPECT_EQ(cell.reads().shard(ShardId{0}), (ShardRecord{ShardId{0}, NodeId{2}, Epoch{2}}));
}

TEST(Fences, AWrongTermIsRefused) {
  Cell cell;
  EXPECT_EQ(cell.apply(RaiseLevel{1}, TermFence{cell.term.next()}).refusal(), ErrorCode::fenced);
  cell.term = Term{5};
  EXPECT_EQ(cell.apply(RaiseLevel{1}, TermFence{Term{1}}).refusal(), ErrorCode::fenced);
  EXPECT_TRUE(cell.apply(RaiseLevel{1}, TermFence{Term{5}}).taken());
}

TEST(Fences, EveryCommandTakesOnlyItsOwnKind) {
  Cell cell;
  const Dump before = dump(*cell.store);
  for (Command command : samples::commands()) {
    command.level = 0;
    command.request.clear();
    command.caller.clear();  // Else the audit would have it: its trace is meant to be.
    const FenceKind wanted = command_row(command.number()).fence;
    const bool takes_term = wanted == FenceKind::term;
    const bool takes_epoch = wanted == FenceKind::epoch || wanted == FenceKind::optional_epoch;
    const bool takes_none = wanted != FenceKind::term && wanted != FenceKind::epoch;
    const auto refused_with = [&](const Fence& fence) {
      command.fence = fence;
      return cell.apply(command).refusal() == ErrorCode::fenced;
    };
    EXPECT_TRUE(takes_none || refused_with(NoFence{})) << command_name(command);
    EXPECT_TRUE(takes_term || refused_with(cell.term_fence())) << command_name(command);
    EXPECT_TRUE(takes_epoch || refused_with(cell.fence_of(ShardId{0}))) << command_name(command);
    EXPECT_TRUE(refused_with(TermFence{Term{99}})) << command_name(command);
    EXPECT_TRUE(refused_with(EpochFence{ShardId{0}, Epoch{99}})) << command_name(command);
    EXPECT_TRUE(refused_with(EpochFence{ShardId{99}, Epoch{1}})) << command_name(command);
  }
  EXPECT_EQ(dump(*cell.store), before) << "a refused command left a trace";
}

TEST(Fences, ADecisionForAnotherShardsJobIsRefused) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  const ShardId other{static_cast<std::uint16_t>((shard_of(job, test_shards).value + 1) % test_shards)};
  AdvanceSlots::Item item{job, SlotNumber{0}, {}, SlotState::running, cell.random.task_of(job), {}, {}};
  EXPECT_EQ(cell.apply(AdvanceSlots{{item}}, cell.fence_of(other)).refusal(), ErrorCode::fenced);
  EXPECT_EQ(cell.apply(FinishJobs{{{job, Reason::normal, ""}}}, cell.fence_of(other)).refusal(),
            ErrorCode::fenced);
}

TEST(Groups, AreCreatedAndChangedByName) {
  Cell cell;
  GroupRecord group{"payments", Tier::critical, {1'000, 1, 1, 1, 0}, 10, 50, {}};
  ASSERT_TRUE(cell.apply(PutGroup{group}).taken());
  group.instance_count = 20;
  const Done changed = cell.apply(PutGroup{group});
  ASSERT_EQ(changed.events.size(), 1U);
  EXPECT_EQ(changed.events[0].kind, EventKind::group_changed);
  EXPECT_EQ(cell.reads().groups().back().first.instance_count, 20U);
  EXPECT_TRUE(cell.apply(PutGroup{group}).changed_nothing()) << "the same group again";
  EXPECT_EQ(cell.apply(PutGroup{}).refusal(), ErrorCode::invalid_argument);
  GroupRecord long_name;
  long_name.name = std::string(257, 'x');
  EXPECT_EQ(cell.apply(PutGroup{long_name}).refusal(), ErrorCode::invalid_argument);
}

TEST(Policy, MovesTheDeadlinesOfWhatLives) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.start(job, 0);
  ASSERT_TRUE(cell.place(task, host).taken());
  EXPECT_EQ(cell.due(EntityRef::of(task)), cell.now + CellPolicy{}.launched_max);
  CellPolicy policy;
  policy.launched_max = milliseconds(5);
  EXPECT_TRUE(cell.apply(SetPolicy{policy}).taken());
  EXPECT_EQ(cell.due(EntityRef::of(task)), cell.now + milliseconds(5));
  EXPECT_TRUE(cell.apply(SetPolicy{policy}).changed_nothing());
}

TEST(StateTime, NeverGoesBack) {
  Cell cell;
  cell.apply(RaiseLevel{1}, cell.term_fence());
  const Instant before = cell.reads().cell().record.now;
  cell.now = cell.now - milliseconds(60'000);
  const JobId job = cell.submit(batch_of(1));
  EXPECT_EQ(cell.reads().cell().record.now, before);
  EXPECT_EQ(cell.job(job).created, before);
  cell.now = before + milliseconds(1);
  cell.submit(batch_of(1));
  EXPECT_EQ(cell.reads().cell().record.now, cell.now);
}

TEST(Commands, OfAnUnknownNumberStopTheNode) {
  Cell cell;
  Bytes bytes = encode(Command{});
  ASSERT_EQ(bytes[2], '\x01');
  bytes[2] = '\x7f';
  const raft::Entry entry{cell.term, cell.last.next(), raft::EntryKind::command, cell.now, Blob(bytes)};
  const auto stopped = cell.machine->apply(std::vector{entry});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::unavailable);
  cell.restart();
  EXPECT_EQ(cell.machine->applied(), entry.index.value == 0 ? Index{} : Index{entry.index.value - 1})
      << "nothing of it is stored";
}

TEST(Entries, OfOtherKindsOnlyMoveTheAppliedIndexAndTime) {
  Cell cell;
  cell.now = cell.now + milliseconds(10);
  const Dump before = dump(*cell.store);
  cell.last = cell.last.next();
  const auto applied = cell.apply_entries({{cell.term, cell.last, raft::EntryKind::noop, cell.now, {}}});
  EXPECT_EQ(applied.index, cell.last);
  EXPECT_EQ(applied.now, cell.now);
  EXPECT_TRUE(applied.events.empty());
  EXPECT_TRUE(applied.outcomes.empty());
  EXPECT_EQ(dump(*cell.store), before);
}

TEST(EntriesDeathTest, AGapIsABug) {
  Cell cell;
  cell.last = cell.last.next();
  EXPECT_DEATH(cell.apply(RaiseLevel{1}), "check_failed");
}

}  // namespace
}  // namespace troupe
