// Hosts and the sessions of their agents.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"

namespace troupe {
namespace {

TEST(Hosts, GetNumbersInTheOrderOfTheirFirstAppearance) {
  Cell cell;
  const HostId a = cell.host("a"), b = cell.host("b");
  EXPECT_EQ(a, HostId{1});
  EXPECT_EQ(b, HostId{2});
  EXPECT_EQ(cell.reads().host_id("b"), b);
  EXPECT_EQ(cell.reads().host_id("c"), std::nullopt);
}

TEST(Hosts, KeepTheirNumberWhenTheyComeBackAndMoveTheirEligibilityWithTheirShape) {
  Cell cell;
  const RegisterHost shape{"a", "big", {1'000, 1, 1, 1, 0}, {{"zone", "a"}}, {"sim"}};
  ASSERT_TRUE(cell.apply(shape).taken());
  const Index eligibility = cell.reads().host(HostId{1})->record.eligibility;
  const Done again = cell.apply(shape);
  EXPECT_EQ(again.outcome.entity, "1");
  EXPECT_TRUE(again.changed_nothing());
  const RegisterHost other{"a", "big", {1'000, 1, 1, 1, 0}, {{"zone", "b"}}, {"sim"}};
  EXPECT_EQ(cell.apply(other).outcome.entity, "1");
  EXPECT_GT(cell.reads().host(HostId{1})->record.eligibility, eligibility);
  EXPECT_EQ(cell.reads().hosts().size(), 1U);
}

TEST(Hosts, HaveSafeNames) {
  Cell cell;
  std::vector<std::string> bad{"", "a b", "a/b", "h\n"};
  bad.emplace_back("a\0b", 3U);
  bad.emplace_back(254U, 'x');
  for (const std::string& name : bad) {
    const Done done = cell.apply(RegisterHost{name, "", {}, {}, {}});
    EXPECT_EQ(done.refusal(), ErrorCode::invalid_argument) << name;
  }
  EXPECT_TRUE(cell.apply(RegisterHost{std::string(253, 'x'), "", {}, {}, {}}).taken());
}

TEST(Hosts, ThatShrinkBelowWhatRunsOnThemTakeNothingMore) {
  Cell cell;
  const HostId host = cell.host("a");
  const JobId job = cell.submit(batch_of(2));
  const TaskId task = cell.running(job, 0, host);
  ASSERT_TRUE(cell.apply(RegisterHost{"a", "big", {500, 8'000, 80'000, 1'000, 0}, {}, {"sim"}}).taken());
  EXPECT_EQ(cell.place(cell.start(job, 1), host).refusal(), ErrorCode::limit_exceeded);
  EXPECT_EQ(cell.task(task).state, TaskState::started);
}

TEST(Sessions, OpenCloseAndReplaceEachOther) {
  Cell cell;
  const HostId host = cell.host("a");
  const SessionId first = cell.session(host);
  EXPECT_TRUE(cell.open(host, first).changed_nothing());
  const auto second = cell.random.uuid<SessionId>();
  ASSERT_TRUE(cell.open(host, second).taken());
  EXPECT_EQ(cell.session(host), second);
  EXPECT_EQ(cell.close(host, first).refusal(), ErrorCode::precondition_failed) << "an old link's end";
  cell.now = cell.now + milliseconds(5);
  ASSERT_TRUE(cell.close(host, second).taken());
  EXPECT_EQ(cell.reads().host(host)->record.disconnected, cell.now);
  EXPECT_EQ(cell.close(host, second).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.close(host, SessionId{}).refusal(), ErrorCode::precondition_failed)
      << "none is not a session";
  EXPECT_EQ(cell.close(HostId{99}, second).refusal(), ErrorCode::not_found);
}

TEST(Sessions, BelongToTheOwnerOfTheHostsShard) {
  Cell cell;
  const HostId host = cell.host("a");
  const ShardId other{static_cast<std::uint16_t>((host.value + 1) % test_shards)};
  const OpenSession open{host, cell.random.uuid<SessionId>(), first_node};
  EXPECT_EQ(cell.apply(open, cell.fence_of(other)).refusal(), ErrorCode::fenced);
  EXPECT_EQ(cell.open(host, SessionId{}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.open(HostId{99}, cell.random.uuid<SessionId>()).refusal(), ErrorCode::not_found);
}

TEST(HostDuties, AreOrdersWhileConnectedAndLossWhileNot) {
  Cell cell;
  const HostId host = cell.host("a");
  const EntityRef ref = EntityRef::of(host);
  EXPECT_EQ(cell.due(ref), std::nullopt);
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.start(job, 0);
  cell.place(task, host);
  EXPECT_EQ(cell.due(ref), due_now) << "a launch to order";
  cell.report(host, task, TaskState::start_initiated);
  EXPECT_EQ(cell.due(ref), std::nullopt);
  cell.user_kill(task);
  EXPECT_EQ(cell.due(ref), due_now) << "a kill to order";
  cell.close(host, cell.session(host));
  EXPECT_EQ(cell.due(ref), cell.now + CellPolicy{}.host_lost_after);
  cell.apply(EndTasks{{{task, host, Reason::lost, ""}}}, cell.fence_of(host));
  EXPECT_EQ(cell.due(ref), std::nullopt) << "nothing there to lose";
}

TEST(HostDuties, ASessionAtAnotherNodeIsTheNewOwnersToReplace) {
  Cell cell;
  const HostId host = cell.host("a");
  const ShardId shard = shard_of(host, test_shards);
  ASSERT_TRUE(cell.apply(AssignShards{{{shard, Epoch{1}, NodeId{2}}}}, cell.term_fence()).taken());
  EXPECT_EQ(cell.due(EntityRef::of(host)), due_now);
  ASSERT_TRUE(cell.open(host, cell.random.uuid<SessionId>(), NodeId{2}).taken());
  EXPECT_EQ(cell.due(EntityRef::of(host)), std::nullopt);
}

TEST(Hosts, ACopySaysWhichEventsItContains) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(3));
  std::vector<TaskId> tasks;
  for (std::uint32_t slot = 0; slot < 3; ++slot) tasks.push_back(cell.running(job, slot, host));
  const EventId before = cell.reads().host_facts(host)->as_of;
  EndTasks ends;
  for (const TaskId& task : {tasks[0], tasks[2]}) ends.items.push_back({task, host, Reason::lost, ""});
  const Done done = cell.apply(ends, cell.fence_of(job));
  EventId last;
  for (const Event& event : done.events)
    if (event.kind == EventKind::task_archived) last = std::max(last, event.id);
  EXPECT_EQ(cell.reads().host_facts(host)->as_of, last);
  EXPECT_LT(before, last);
  EXPECT_EQ(cell.reads().host_facts(host)->used, batch_of(1)->resources);
}

}  // namespace
}  // namespace troupe
