// A service's task that becomes another service's, of the same shard or of another one.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "storage/state/apply.hpp"
#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

using Edit = std::function<void(JobDescriptor&)>;
DescriptorPtr edited(DescriptorPtr descriptor, const Edit& edit) {
  JobDescriptor d = *descriptor;
  edit(d);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

enum class Shards : std::uint8_t { same, different };

/// Two services and a host; the first one's task runs.
struct Move {
  explicit Move(Shards shards = Shards::different) {
    source = cell.submit(service_of(1, 3, 5));
    do target = cell.submit(service_of(0, 1, 5));
    while ((shard_of(source, test_shards) == shard_of(target, test_shards)) != (shards == Shards::same));
    task = cell.running(source, 0, host);
    other = cell.running(source, 2, host);
    cell.running(target, 0, host);
  }
  Done move() { return cell.apply(MoveTask{task, source, target}); }
  void expect_whole() {
    expect_derived(*cell.machine, *cell.store);
    EXPECT_EQ(recompute_hash(*cell.store).value().hash.total(), cell.machine->hash().total());
  }

  Cell cell;
  HostId host = cell.host("h");
  JobId source, target;
  TaskId task, other;
};

class Moves : public testing::TestWithParam<Shards> {};

TEST_P(Moves, TheTaskRunsOnAndBothSizesChange) {
  Move m(GetParam());
  const TaskRecord before = m.cell.task(m.task);
  const Done done = m.move();
  ASSERT_TRUE(done.taken()) << done.outcome.error->message;
  EXPECT_EQ(done.outcome.entity, to_text(m.task));
  const TaskRecord after = m.cell.task(m.task);
  EXPECT_EQ(after.job, m.target);
  EXPECT_EQ(after.slot, SlotNumber{1});
  EXPECT_EQ(after.state, TaskState::started);
  EXPECT_EQ(after.host, m.host);
  EXPECT_EQ(after.moved_from, to_text(m.source));
  EXPECT_EQ(after.steps, before.steps);
  EXPECT_EQ(m.cell.job(m.source).capacity, (Capacity{1, 2, 5}));
  EXPECT_EQ(m.cell.job(m.target).capacity, (Capacity{0, 2, 5}));
  EXPECT_EQ(m.cell.slot(m.source, 0).task, m.other) << "the last one takes the place";
  EXPECT_EQ(m.cell.slot(m.target, 1).task, m.task);
  EXPECT_EQ(m.cell.slot(m.target, 1).original, before.original);
  m.expect_whole();
  m.cell.restart();
  EXPECT_EQ(m.cell.task(m.task).job, m.target);
  m.expect_whole();
}

TEST_P(Moves, TheEventNamesBothJobsAndEachIsToldOfItsSize) {
  Move m(GetParam());
  std::vector<JobId> changed;
  std::size_t moved = 0;
  for (const Event& event : m.move().events) {
    if (event.kind == EventKind::job_changed) changed.push_back(event.job);
    if (event.kind != EventKind::task_moved) continue;
    ++moved;
    EXPECT_EQ(event.task, m.task);
    EXPECT_EQ(event.job, m.target);
    EXPECT_EQ(event.moved_from, m.source);
    EXPECT_EQ(event.shard, shard_of(m.target, test_shards));
    EXPECT_EQ(event.host, m.host);
  }
  EXPECT_EQ(moved, 1U);
  EXPECT_EQ(changed, (std::vector{m.source, m.target}));
}

TEST_P(Moves, ItEndsAsTheTargetsAndIsFoundByItsIdEverAfter) {
  Move m(GetParam());
  ASSERT_TRUE(m.move().taken());
  ASSERT_TRUE(m.cell.user_kill(m.task).taken());
  m.expect_whole();
  ASSERT_TRUE(m.cell.ended(m.host, m.task, Reason::normal).taken());
  EXPECT_EQ(m.cell.slot(m.target, 1).state, SlotState::ended);
  for (int life = 0; life < 2; ++life, m.cell.restart()) {
    EXPECT_FALSE(m.cell.reads().task(m.task));
    ASSERT_TRUE(m.cell.archived(m.task));
    EXPECT_EQ(m.cell.archived(m.task)->job, m.target);
    EXPECT_EQ(m.cell.reads().archived_tasks_of(m.target, 10).value().size(), 1U);
    EXPECT_TRUE(m.cell.reads().archived_tasks_of(m.source, 10).value().empty());
    m.expect_whole();
  }
  const TaskId next = m.cell.start(m.target, 1);
  EXPECT_EQ(m.cell.task(next).resubmit_of, m.task);
}

TEST_P(Moves, ItMayGoBack) {
  Move m(GetParam());
  ASSERT_TRUE(m.move().taken());
  ASSERT_TRUE(m.cell.apply(MoveTask{m.task, m.target, m.source}).taken());
  EXPECT_EQ(m.cell.task(m.task).job, m.source);
  EXPECT_EQ(m.cell.job(m.source).capacity.desired, 3U);
  EXPECT_EQ(m.cell.reads().shard_of(EntityRef::of(m.task)), shard_of(m.source, test_shards));
  m.expect_whole();
  m.cell.restart();
  m.expect_whole();
}

TEST_P(Moves, WhatItsJobsOwnerIsAskedForFollowsIt) {
  Move m(GetParam());
  ASSERT_TRUE(m.move().taken());
  EXPECT_EQ(m.cell.reads().shard_of(EntityRef::of(m.task)), shard_of(m.target, test_shards));
  ASSERT_TRUE(m.cell.user_kill(m.task).taken());
  const auto due = m.cell.reads().all_duties(shard_of(m.target, test_shards));
  EXPECT_TRUE(std::any_of(due.begin(), due.end(), [&](const Duty& duty) {
    return duty.entity == EntityRef::of(m.task);
  })) << "its end may get stuck";
}

TEST_P(Moves, AReaderFindsTheTaskAllTheWhile) {
  Move m(GetParam());
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> missed{0}, seen{0};
  std::thread reader([&] {
    while (!is_over) {
      const auto facts = m.cell.reads().task(m.task);
      missed += facts ? 0 : 1;
      std::size_t met = 0;
      m.cell.reads().each_task({}, [&](const TaskRecord& task, const JobRecord& job) {
        EXPECT_EQ(task.job, job.id);
        met += task.id == m.task ? 1 : 0;
        return true;
      });
      EXPECT_LE(met, 1U);
      ++seen;
    }
  });
  for (int n = 0; n < 300 || seen < 50; ++n) {
    ASSERT_TRUE(m.cell.apply(MoveTask{m.task, m.source, m.target}).taken());
    ASSERT_TRUE(m.cell.apply(MoveTask{m.task, m.target, m.source}).taken());
  }
  is_over = true;
  reader.join();
  EXPECT_EQ(missed, 0U);
}

std::string name_of(const testing::TestParamInfo<Shards>& info) {
  return info.param == Shards::same ? "WithinAShard" : "OverShards";
}
INSTANTIATE_TEST_SUITE_P(Shards, Moves, testing::Values(Shards::same, Shards::different), name_of);

// ---- what is refused, and changes nothing ----
TEST(Moving, NeedsTheTaskToBeTheSourcesAndStarted) {
  Move m;
  Cell& cell = m.cell;
  EXPECT_EQ(cell.apply(MoveTask{m.task, m.source, m.source}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.apply(MoveTask{m.task, m.target, m.source}).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.apply(MoveTask{cell.random.uuid<TaskId>(), m.source, m.target}).refusal(),
            ErrorCode::not_found);
  EXPECT_EQ(cell.apply(MoveTask{m.task, cell.random.uuid<JobId>(), m.target}).refusal(),
            ErrorCode::not_found);
  EXPECT_EQ(cell.apply(MoveTask{m.task, m.source, cell.random.uuid<JobId>()}).refusal(),
            ErrorCode::not_found);
  const TaskId waiting = cell.start(m.source, 1);
  EXPECT_EQ(cell.apply(MoveTask{waiting, m.source, m.target}).refusal(), ErrorCode::precondition_failed);
  cell.user_kill(m.task);
  EXPECT_EQ(m.move().refusal(), ErrorCode::task_terminating);
  m.expect_whole();
}

TEST(Moving, IsForServicesThatAreNotBeingEnded) {
  Move m;
  const JobId batch = m.cell.submit(batch_of(1));
  EXPECT_EQ(m.cell.apply(MoveTask{m.task, m.source, batch}).refusal(), ErrorCode::invalid_argument);
  m.cell.apply(KillJob{m.target});
  EXPECT_EQ(m.move().refusal(), ErrorCode::job_terminating);
}

TEST(Moving, KeepsTheSizesWithinTheirBounds) {
  Move m;
  ASSERT_TRUE(m.cell.apply(ResizeJob{m.source, 3, {}, {}}).taken());
  EXPECT_EQ(m.move().refusal(), ErrorCode::precondition_failed) << "below min";
  ASSERT_TRUE(m.cell.apply(ResizeJob{m.source, 0, {}, {}}).taken());
  ASSERT_TRUE(m.cell.apply(ResizeJob{m.target, {}, {}, 1}).taken());
  EXPECT_EQ(m.move().refusal(), ErrorCode::precondition_failed) << "above max";
  ASSERT_TRUE(m.cell.apply(ResizeJob{m.target, {}, {}, 2}).taken());
  ASSERT_TRUE(m.cell.apply(ChangeJob{m.target, {}, {}, ServiceProcesses{true, false}, {}}).taken());
  EXPECT_EQ(m.move().refusal(), ErrorCode::precondition_failed) << "held back";
  ASSERT_TRUE(m.cell.apply(ChangeJob{m.target, {}, {}, ServiceProcesses{false, true}, {}}).taken());
  EXPECT_TRUE(m.move().taken());
}

TEST(Moving, NeedsContainersThatAreMadeAlike) {
  const std::vector<std::pair<std::string, Edit>> differing{
      {"resources", [](JobDescriptor& d) { d.resources.cpu_milli += 1; }},
      {"image", [](JobDescriptor& d) { d.image.tag = "other"; }},
      {"command", [](JobDescriptor& d) { d.command.push_back("more"); }},
      {"entry_point", [](JobDescriptor& d) { d.entry_point.push_back("more"); }},
      {"hard_constraints", [](JobDescriptor& d) { d.hard_constraints["UniqueHost"] = "true"; }},
      {"soft_constraints", [](JobDescriptor& d) { d.soft_constraints["ZoneBalance"] = "true"; }},
      {"capacity_group", [](JobDescriptor& d) { d.capacity_group = "another"; }},
      {"kill_grace", [](JobDescriptor& d) { d.kill_grace += milliseconds(1); }},
      {"attributes", [](JobDescriptor& d) { d.attributes["troupe.placement"] = "pack"; }},
  };
  for (const auto& [field, edit] : differing) {
    Move m;
    m.target = m.cell.submit(edited(service_of(0, 0, 5), edit));
    const Done done = m.move();
    EXPECT_EQ(done.refusal(), ErrorCode::precondition_failed) << field;
    EXPECT_NE(done.outcome.error->message.find(field), std::string::npos) << done.outcome.error->message;
  }
  Move m;
  m.target = m.cell.submit(edited(service_of(0, 0, 5), [](JobDescriptor& d) {
    d.team_email = "another@example.com";
    d.application_name = "another";
    d.group_stack = "other";
    d.env["A"] = "1";
    d.attributes["note"] = "x";
    d.budget.policy_limit = 3;
  }));
  EXPECT_TRUE(m.move().taken()) << "what does not make the container may differ";
}

TEST(Moving, CountsAgainstTheTargetsSubmitter) {
  CellPolicy policy;
  policy.caller_tasks_max = 3;
  Cell cell(policy);
  const HostId host = cell.host("h");
  const auto submit = [&](std::uint32_t desired, const std::string& caller) {
    const auto job = cell.random.uuid<JobId>();
    EXPECT_TRUE(cell.request(to_text(job), CreateJob{job, service_of(0, desired, 5)}, caller).taken());
    return job;
  };
  const JobId source = submit(3, "ann"), full = submit(3, "bob"), own = submit(0, "ann");
  const TaskId task = cell.running(source, 0, host);
  EXPECT_EQ(cell.apply(MoveTask{task, source, full}).refusal(), ErrorCode::limit_exceeded);
  EXPECT_TRUE(cell.apply(MoveTask{task, source, own}).taken()) << "it has no more than before";
  expect_derived(*cell.machine, *cell.store);
}

TEST(Moving, WaitsForATaskThatStillHoldsThePlace) {
  Move m;
  ASSERT_TRUE(m.cell.apply(ResizeJob{m.target, {}, 2, {}}).taken());
  const TaskId leaving = m.cell.running(m.target, 1, m.host);
  ASSERT_TRUE(m.cell.apply(ShrinkJob{leaving, false, ""}).taken());
  EXPECT_EQ(m.move().refusal(), ErrorCode::conflict);
  m.cell.ended(m.host, leaving, Reason::normal);
  ASSERT_TRUE(m.move().taken());
  m.expect_whole();
}

TEST(Moving, NeedsItsFeatureLevel) {
  Move m;
  Command command;
  command.body = MoveTask{m.task, m.source, m.target};
  command.level = level_needed(command.body);
  EXPECT_EQ(command.level, level_of_moves);
  EXPECT_EQ(m.cell.apply(command).refusal(), ErrorCode::precondition_failed);
  for (std::uint32_t level = 1; level <= level_of_moves; ++level)
    ASSERT_TRUE(m.cell.apply(RaiseLevel{level}, m.cell.term_fence()).taken());
  EXPECT_TRUE(m.cell.apply(command).taken());
}

TEST(Moving, IsInTheAuditUnderTheTask) {
  Move m;
  ASSERT_TRUE(m.cell.request("move-1", MoveTask{m.task, m.source, m.target}).taken());
  const auto records = m.cell.reads().audit(1, 100).value();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.back().subject, "task/" + to_text(m.task));
  EXPECT_EQ(records.back().caller, "ann");
}

// ---- anything, in any order ----
class AnyMoves : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AnyMoves, KeepTheStateWhole) {
  Cell cell;
  Random random(GetParam());
  const HostId host = cell.host("h", {400'000, 800'000, 8'000'000, 100'000, 0});
  std::vector<JobId> jobs;
  for (int n = 0; n < 6; ++n) jobs.push_back(cell.submit(service_of(0, 2, 5)));
  std::vector<TaskId> tasks;
  const auto any_job = [&] { return jobs[random.below(jobs.size())]; };
  const auto any_task = [&] { return tasks[random.below(tasks.size())]; };
  std::size_t moved = 0;
  for (int n = 0; n < 400; ++n) {
    const std::uint64_t dice = tasks.empty() ? 0 : random.below(12);
    if (dice < 2) {
      const JobId job = any_job();
      const auto slot = static_cast<std::uint32_t>(random.below(6));
      const TaskId task = random.task_of(job);
      TaskId last;
      cell.reads().with_job(job, [&](const JobView& view) {
        if (slot < view.slots.size()) last = view.slots[slot].record.task;
      });
      cell.apply(AdvanceSlots{{{job, SlotNumber{slot}, last, SlotState::running, task, {}, {}}}},
                 cell.fence_of(job));
      if (!cell.reads().task(task)) continue;
      tasks.push_back(task);
      cell.place(task, host);
      if (random.chance(90)) cell.report(host, task, TaskState::started);
    } else if (dice < 9) {
      const TaskId task = any_task();
      const auto facts = cell.reads().task(task);
      moved += cell.apply(MoveTask{task, facts ? facts->record.job : any_job(), any_job()}).taken() ? 1 : 0;
    } else if (dice == 9) {
      cell.apply(ShrinkJob{any_task(), random.chance(20), ""});
    } else if (dice == 10) {
      cell.ended(host, any_task(), random.chance(50) ? Reason::normal : Reason::failed);
    } else {
      cell.apply(ResizeJob{any_job(), 0, static_cast<std::uint32_t>(random.below(6)), 5});
    }
    if (n % 40 != 0) continue;
    expect_derived(*cell.machine, *cell.store);
    cell.restart();
    expect_derived(*cell.machine, *cell.store);
    if (testing::Test::HasFailure()) FAIL() << "after step " << n;
  }
  EXPECT_GT(moved, 5U);
  EXPECT_EQ(recompute_hash(*cell.store).value().hash.total(), cell.machine->hash().total());
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyMoves, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace troupe
