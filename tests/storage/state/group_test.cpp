// Capacity groups: their limits, their alerts, and when their actors have something to do.

#include <gtest/gtest.h>

#include "storage/state/apply.hpp"
#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

const EntityRef fallback = EntityRef::of_group("DEFAULT");

Done note(Cell& cell, NoteGroups::Item item) {
  const ShardId shard = shard_of(EntityRef::of_group(item.name), test_shards);
  return cell.apply(NoteGroups{{std::move(item)}}, cell.fence_of(shard));
}

TEST(Groups, AreFoundByNameAndByReference) {
  Cell cell;
  EXPECT_EQ(cell.reads().group_name(fallback), "DEFAULT");
  EXPECT_EQ(cell.reads().group_name(EntityRef::of_group("none")), std::nullopt);
  EXPECT_FALSE(cell.reads().group("none").has_value());
  EXPECT_NE(EntityRef::of_group("a"), EntityRef::of_group("b"));
  cell.restart();
  EXPECT_EQ(cell.reads().group_name(fallback), "DEFAULT");
}

TEST(Groups, HaveADutyWhenATaskWillHaveWaitedTooLong) {
  Cell cell;
  const HostId host = cell.host("h1");
  EXPECT_EQ(cell.due(fallback), std::nullopt);
  const JobId job = cell.submit(batch_of(2));
  const TaskId first = cell.start(job, 0);
  const Instant since = cell.now;
  EXPECT_EQ(cell.due(fallback), since + group_patience);
  cell.now = cell.now + milliseconds(5'000);
  const TaskId second = cell.start(job, 1);
  EXPECT_EQ(cell.due(fallback), since + group_patience) << "the longest waiting one counts";
  ASSERT_TRUE(cell.place(first, host).taken());
  EXPECT_EQ(cell.due(fallback), cell.now + group_patience);
  cell.restart();
  EXPECT_EQ(cell.due(fallback), cell.now + group_patience);
  ASSERT_TRUE(cell.place(second, host).taken());
  EXPECT_EQ(cell.due(fallback), std::nullopt);
  expect_derived(*cell.machine, *cell.store);
}

TEST(Groups, KeepAnAlertUntilItIsOver) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.start(job, 0);
  const Instant since = cell.now;
  cell.now = cell.now + group_patience;
  const Instant raised = cell.now;
  ASSERT_TRUE(note(cell, {"DEFAULT", Index{}, since, 1}).taken());
  cell.now = cell.now + group_patience;
  GroupCondition condition = cell.reads().group("DEFAULT")->condition;
  EXPECT_EQ(condition.raised, raised);
  EXPECT_EQ(condition.waiting, 1U);
  EXPECT_EQ(cell.due(fallback), raised + group_patience);
  ASSERT_TRUE(note(cell, {"DEFAULT", condition.version, since, 1}).taken());
  cell.restart();
  condition = cell.reads().group("DEFAULT")->condition;
  EXPECT_EQ(condition.raised, raised) << "the same alert still";
  EXPECT_EQ(condition.noted, cell.now);
  ASSERT_TRUE(cell.user_kill(task).taken());
  EXPECT_EQ(cell.due(fallback), due_now) << "nothing waits any more: that must be said";
  ASSERT_TRUE(note(cell, {"DEFAULT", condition.version, {}, 0}).taken());
  EXPECT_FALSE(cell.reads().group("DEFAULT")->condition.is_raised());
  EXPECT_EQ(cell.due(fallback), std::nullopt);
}

TEST(Groups, RefuseANoteThatIsStaleOrAnothersOrOfNobody) {
  Cell cell;
  ASSERT_TRUE(note(cell, {"DEFAULT", Index{}, cell.now, 1}).taken());
  EXPECT_EQ(note(cell, {"DEFAULT", Index{}, cell.now, 1}).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(note(cell, {"none", Index{}, cell.now, 1}).refusal(), ErrorCode::not_found);
  const ShardId own = shard_of(fallback, test_shards);
  const ShardId other{static_cast<std::uint16_t>((own.value + 1) % test_shards)};
  const NoteGroups body{{{"DEFAULT", cell.reads().group("DEFAULT")->condition.version, cell.now, 1}}};
  EXPECT_EQ(cell.apply(body, cell.fence_of(other)).refusal(), ErrorCode::fenced);
  EXPECT_EQ(cell.apply(body).refusal(), ErrorCode::fenced);
}

TEST(Groups, AreSetAsideAndReleased) {
  Cell cell;
  cell.start(cell.submit(batch_of(1)), 0);
  const auto due = cell.due(fallback);
  ASSERT_TRUE(due.has_value());
  ASSERT_TRUE(cell.apply(SetAside{fallback, "its actor crashed"}, cell.fence_of(ShardId{0})).taken());
  EXPECT_EQ(cell.due(fallback), std::nullopt);
  EXPECT_EQ(cell.reads().group("DEFAULT")->condition.set_aside, "its actor crashed");
  GroupRecord declared = cell.reads().group("DEFAULT")->record;
  declared.instance_count = 5;
  ASSERT_TRUE(cell.apply(PutGroup{declared}).taken());
  EXPECT_EQ(cell.due(fallback), std::nullopt) << "a new declaration releases nothing";
  ASSERT_TRUE(cell.apply(Release{fallback}).taken());
  EXPECT_EQ(cell.due(fallback), due);
}

TEST(Groups, TakeNoMoreTasksThanTheirLimit) {
  Cell cell;
  const auto gold = [](const DescriptorPtr& d) { return in_group(d, "gold"); };
  ASSERT_TRUE(cell.apply(PutGroup{{"gold", Tier::flex, {}, 0, 5, {}}}).taken());
  const JobId service = cell.submit(gold(service_of(0, 2, 9)));
  const auto create = [&](std::uint32_t size, const char* group) {
    return cell.apply(CreateJob{cell.random.uuid<JobId>(), in_group(batch_of(size), group)}).refusal();
  };
  EXPECT_EQ(create(4, "gold"), ErrorCode::limit_exceeded);
  EXPECT_EQ(create(4, "DEFAULT"), std::nullopt);
  EXPECT_EQ(create(3, "gold"), std::nullopt);
  EXPECT_EQ(cell.apply(ResizeJob{service, {}, 3, {}}).refusal(), ErrorCode::limit_exceeded);
  EXPECT_EQ(cell.apply(ResizeJob{service, {}, 1, {}}).refusal(), std::nullopt);
  EXPECT_EQ(cell.apply(ResizeJob{service, {}, 2, {}}).refusal(), std::nullopt);
  EXPECT_EQ(cell.reads().group("gold")->use.wanted, 5U);
  ASSERT_TRUE(cell.apply(KillJob{service}).taken());
  ASSERT_TRUE(cell.finish(service, Reason::killed).taken());
  EXPECT_EQ(create(2, "gold"), std::nullopt) << "what has ended counts no more";
  expect_derived(*cell.machine, *cell.store);
}

TEST(Groups, AreDeletedOnceNoJobUsesThem) {
  Cell cell;
  ASSERT_TRUE(cell.apply(PutGroup{{"gold", Tier::flex, {}, 0, 5, {}}}).taken());
  const auto before = dump(*cell.store);
  ASSERT_TRUE(cell.apply(PutGroup{{"silver", Tier::flex, {1'000, 1, 1, 1, 0}, 3, 5, {}}}).taken());
  const JobId job = cell.submit(in_group(batch_of(1), "silver"));
  const TaskId task = cell.start(job, 0);
  EXPECT_EQ(cell.apply(DeleteGroup{"silver"}).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.apply(DeleteGroup{"none"}).refusal(), ErrorCode::not_found);
  EXPECT_EQ(cell.apply(DeleteGroup{"DEFAULT"}).refusal(), ErrorCode::invalid_argument);
  ASSERT_TRUE(note(cell, {"silver", Index{}, cell.now, 1}).taken());
  ASSERT_TRUE(cell.user_kill(task).taken());
  ASSERT_TRUE(cell.apply(KillJob{job}).taken());
  ASSERT_TRUE(cell.finish(job, Reason::killed).taken());
  ASSERT_NE(cell.due(EntityRef::of_group("silver")), std::nullopt) << "its alert is not over";
  const Done done = cell.apply(DeleteGroup{"silver"});
  ASSERT_TRUE(done.taken());
  EXPECT_EQ(done.events.at(0).kind, EventKind::group_changed);
  EXPECT_FALSE(cell.reads().group("silver").has_value());
  EXPECT_EQ(cell.reads().group_name(EntityRef::of_group("silver")), std::nullopt);
  EXPECT_EQ(cell.due(EntityRef::of_group("silver")), std::nullopt);
  expect_derived(*cell.machine, *cell.store);
  cell.restart();
  EXPECT_FALSE(cell.reads().group("silver").has_value());
  ASSERT_TRUE(cell.apply(PutGroup{{"silver", Tier::critical, {}, 0, 7, {}}}).taken());
  EXPECT_EQ(cell.reads().group("silver")->record.tasks_max, 7U) << "a new one of that name";
  EXPECT_FALSE(cell.reads().group("silver")->condition.is_raised());
  expect_derived(*cell.machine, *cell.store);
}

TEST(Groups, OfTheCriticalTierGetNoMoreThanTheyReserved) {
  Cell cell;
  const HostId host = cell.host("h1");
  ASSERT_TRUE(cell.apply(PutGroup{{"c", Tier::critical, {1'000, 100'000, 0, 0, 0}, 2, 0, {}}}).taken());
  ASSERT_TRUE(cell.apply(RaiseLevel{1}, cell.term_fence()).taken());
  const JobId job = cell.submit(in_group(batch_of(4), "c"));
  PlaceTasks plan;
  for (std::uint32_t n = 0; n < 3; ++n) plan.items.push_back(cell.placement(cell.start(job, n), host));
  ASSERT_TRUE(cell.apply(RaiseLevel{2}, cell.term_fence()).taken());
  const Done done = cell.apply(plan, cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 1U);
  EXPECT_EQ(done.outcome.refused[0].item, 2U);
  EXPECT_EQ(done.outcome.refused[0].code, ErrorCode::limit_exceeded);
  EXPECT_EQ(cell.place(cell.start(job, 3), host).refusal(), ErrorCode::limit_exceeded);
  ASSERT_TRUE(cell.ended(host, plan.items[0].task, Reason::normal).taken());
  EXPECT_TRUE(cell.place(plan.items[2].task, host).taken());
}

TEST(Bounds, OfResourcesHoldInApply) {
  Cell cell;
  for (const std::int64_t amount : {std::int64_t{-1}, resource_max + 1, INT64_MAX}) {
    JobDescriptor d = *batch_of(1);
    d.resources.memory_mb = amount;
    const auto shared = std::make_shared<const JobDescriptor>(d);
    EXPECT_EQ(cell.apply(CreateJob{cell.random.uuid<JobId>(), shared}).refusal(),
              ErrorCode::invalid_argument);
    EXPECT_EQ(cell.apply(RegisterHost{"h", "", d.resources, {}, {}}).refusal(), ErrorCode::invalid_argument);
    EXPECT_EQ(cell.apply(PutGroup{{"g", Tier::flex, d.resources, 1, 0, {}}}).refusal(),
              ErrorCode::invalid_argument);
  }
  EXPECT_EQ(cell.apply(PutGroup{{"g", Tier::flex, {}, group_instances_max + 1, 0, {}}}).refusal(),
            ErrorCode::invalid_argument);
}

TEST(Bounds, OfMessagesCutThemBetweenCharacters) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  const std::string long_text = "x" + std::string(message_bytes_max - 2, 'y') + "\u00e4 and more";
  cell.report(host, {task, TaskState::finished, Reason::failed, 1, 0, long_text});
  const std::string kept(cell.archived(task)->message.view());
  EXPECT_EQ(kept.size(), message_bytes_max - 1) << "half a letter is no letter";
  EXPECT_EQ(kept, long_text.substr(0, kept.size()));
  EXPECT_EQ(clipped("short"), "short");
  EXPECT_EQ(clipped(std::string(message_bytes_max, 'z')).size(), message_bytes_max);
  EXPECT_EQ(clipped(std::string(5'000, '\x80')).size(), 0U);
}

TEST(Archive, KeepsTheIdOfWhatEnded) {
  Cell cell;
  const JobId ended = cell.run_to_end(cell.host("h1"));
  EXPECT_EQ(cell.apply(CreateJob{ended, batch_of(1)}).refusal(), ErrorCode::conflict);
  cell.restart();
  EXPECT_EQ(cell.apply(CreateJob{ended, batch_of(1)}).refusal(), ErrorCode::conflict);
  EXPECT_FALSE(cell.has_job(ended));
}

TEST(TaskDuties, ALimitOfZeroIsNone) {
  Cell cell;
  JobDescriptor d = *batch_of(1);
  std::get<BatchSpec>(d.kind).runtime_limit = milliseconds(0);
  const JobId job = cell.submit(std::make_shared<const JobDescriptor>(d));
  const TaskId task = cell.running(job, 0, cell.host("h1"));
  EXPECT_EQ(cell.due(EntityRef::of(task)), std::nullopt);
}

}  // namespace
}  // namespace troupe
