// Every command of the table, applied twice: the second changes nothing that is kept.

#include <gtest/gtest.h>

#include "storage/model/command_table.hpp"
#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

Command with(CommandBody body, Fence fence = NoFence{}) {
  Command command;
  command.fence = std::move(fence);
  command.body = std::move(body);
  return command;
}

/// A cell in which everything is there to be acted upon, and an effective command of each number.
struct Stagecoach {
  Cell cell;
  HostId host = cell.host("h1"), other = cell.host("h2");
  JobId batch = cell.submit(batch_of(2)), service = cell.submit(service_of(0, 2, 5)),
        done = cell.submit(batch_of(0));
  JobId roomy = cell.submit(service_of(0, 0, 5));
  JobId failing = cell.submit(batch_of(1));
  JobId urgent = cell.submit(with_priority(batch_of(1), 5));
  TaskId first = cell.start(urgent, 0), waiting = cell.start(batch, 0),
         started = cell.running(service, 0, host), lost = cell.running(service, 1, other);

  void make_wait(const JobId& job) {
    const TaskId task = cell.running(job, 0, host);
    cell.ended(host, task, Reason::failed, 1);
    cell.step_slot(job, 0, SlotState::waiting, cell.now + milliseconds(60'000));
  }

  std::map<std::uint16_t, Command> commands() {
    make_wait(failing);
    const Fence term = cell.term_fence();
    CellPolicy policy;
    policy.jobs_max = 77;
    cell.apply(SetAside{EntityRef::of(other), "crashed"}, cell.fence_of(other));
    cell.apply(PutGroup{{"gone", Tier::flex, {}, 1, 1, {}}});
    std::map<std::uint16_t, Command> all;
    for (Command command : {
             with(RaiseLevel{1}, term),
             with(AssignShards{{{ShardId{0}, Epoch{1}, NodeId{2}}}}, term),
             with(CreateJob{cell.random.uuid<JobId>(), batch_of(1)}),
             with(KillJob{batch}),
             with(ResizeJob{service, 0, 4, 9}),
             with(
                 AdvanceSlots{
                     {{batch, SlotNumber{1}, {}, SlotState::running, cell.random.task_of(batch), {}, {}}}},
                 cell.fence_of(batch)),
             with(FinishJobs{{{done, Reason::normal, ""}}}, cell.fence_of(done)),
             with(PlaceTasks{{cell.placement(waiting, host)}}, term),
             with(ReportTasks{
                 {{host, cell.session(host), {{started, TaskState::finished, Reason::failed, 1, 0, "x"}}}}}),
             with(KillTasks{{{started, Reason::killed, ""}}}),
             with(EndTasks{{{lost, other, Reason::lost, ""}}}, cell.fence_of(other)),
             with(RegisterHost{"h3", "big", {1, 1, 1, 1, 0}, {}, {}}),
             with(OpenSession{host, cell.random.uuid<SessionId>(), first_node}, cell.fence_of(host)),
             with(CloseSessions{{{host, cell.session(host)}}}, cell.fence_of(host)),
             with(SetHostPhase{host, HostPhase::draining}),
             with(PutGroup{{"g", Tier::critical, {}, 1, 1, {}}}),
             with(SetAside{EntityRef::of(batch), "crashed"}, cell.fence_of(batch)),
             with(Release{EntityRef::of(other)}),
             with(SetPolicy{policy}),
             with(NoteGroups{{{"DEFAULT", Index{}, cell.now, 1}}},
                  cell.fence_of(shard_of(EntityRef::of_group("DEFAULT"), test_shards))),
             with(CheckState{first_node, Index{1'024}, 2, {1}, 2}),
             with(ChangeJob{service, {{{"stage", "canary"}}, {}}, false, ServiceProcesses{true, false}, {}}),
             with(ChangeTask{started, {{{"seen", "yes"}}, {}}}),
             with(ShrinkJob{started, false, "too many"}),
             with(PreemptTasks{{{first, cell.task(first).version, host, {cell.victim(started)}}}}, term),
             with(DeleteGroup{"gone"}),
             with(NoteOperation{"leader/2"}),
             with(NoteJobs{{{service, true, "it fails"}}}, cell.fence_of(service)),
             with(MoveTask{started, service, roomy}),
             with(PauseScheduling{{SchedulingScope::Kind::host, {}, host}, true}),
             with(RetryJob{failing, {}}),
         })
      all.emplace(command.number(), std::move(command));
    return all;
  }
};

class Twice : public testing::TestWithParam<std::uint16_t> {};

TEST_P(Twice, IsHarmless) {
  Stagecoach stage;
  const Command command = stage.commands().at(GetParam());
  Cell& cell = stage.cell;
  const Done first = cell.apply(command);
  ASSERT_TRUE(first.taken()) << command_name(command);
  const bool never_does =
      std::holds_alternative<CheckState>(command.body) || std::holds_alternative<NoteOperation>(command.body);
  ASSERT_EQ(first.changed_nothing(), never_does) << command_name(command) << ": the test must do something";
  const Dump before = dump(*cell.store);
  const auto hashes = shard_hashes(cell.reads());
  cell.now = cell.now + milliseconds(1'000);
  const Done again = cell.apply(command);
  EXPECT_TRUE(again.changed_nothing());
  EXPECT_EQ(dump(*cell.store), before);
  EXPECT_EQ(shard_hashes(cell.reads()), hashes);
  expect_derived(*cell.machine, *cell.store);
}

TEST_P(Twice, InOneBatchIsHarmlessToo) {
  Stagecoach once, twice;
  const Command command = once.commands().at(GetParam());
  ASSERT_EQ(encode(twice.commands().at(GetParam())), encode(command));
  once.cell.apply(command);
  const raft::Entry a = twice.cell.entry(command), b = twice.cell.entry(command);
  const Applied applied = twice.cell.apply_entries({a, b});
  ASSERT_EQ(applied.outcomes.size(), 2U);
  EXPECT_EQ(dump(*twice.cell.store), dump(*once.cell.store));
}

std::string name_of(const testing::TestParamInfo<std::uint16_t>& info) {
  return std::string(command_row(info.param).name);
}

// The first, bootstrap_cell, has a test of its own: nothing can be there before it.
INSTANTIATE_TEST_SUITE_P(Table, Twice, testing::Range<std::uint16_t>(2, std::variant_size_v<CommandBody> + 1),
                         name_of);

}  // namespace
}  // namespace troupe
