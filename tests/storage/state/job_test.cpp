// What becomes of jobs and their slots.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"

namespace troupe {
namespace {

TEST(Jobs, AreCreatedWithEmptySlotsAndADuty) {
  Cell cell;
  const auto id = cell.random.uuid<JobId>();
  const Done done = cell.apply(CreateJob{id, batch_of(3)});
  ASSERT_TRUE(done.taken());
  EXPECT_EQ(done.outcome.entity, to_text(id));
  EXPECT_EQ(cell.job(id).state, JobState::accepted);
  EXPECT_EQ(cell.job(id).reason, Reason::job_submitted);
  EXPECT_EQ(cell.job(id).created, cell.now);
  EXPECT_EQ(cell.job(id).created_at, cell.last);
  EXPECT_EQ(cell.counts(id).in(SlotState::empty), 3U);
  EXPECT_EQ(cell.due(EntityRef::of(id)), due_now);
  EXPECT_EQ(cell.reads().cell().wanted_tasks, 3U);
}

TEST(Jobs, NeedAnIdAndADescriptor) {
  Cell cell;
  EXPECT_EQ(cell.apply(CreateJob{{}, batch_of(1)}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.apply(CreateJob{cell.random.uuid<JobId>(), nullptr}).refusal(), ErrorCode::invalid_argument);
}

TEST(Jobs, AnIdIsTakenWhileItsJobLives) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  EXPECT_EQ(cell.apply(CreateJob{job, batch_of(1)}).refusal(), ErrorCode::conflict);
}

TEST(Jobs, AUniqueNameIsFreeAgainWhenItsJobIsArchived) {
  Cell cell;
  const JobId first = cell.submit(with_sequence(batch_of(1), "001"));
  const Done second = cell.apply(CreateJob{cell.random.uuid<JobId>(), with_sequence(batch_of(1), "001")});
  EXPECT_EQ(second.refusal(), ErrorCode::sequence_in_use);
  EXPECT_NE(second.outcome.error->message.find(to_text(first)), std::string::npos) << "it names the holder";
  cell.submit(with_sequence(batch_of(1), "002"));
  ASSERT_TRUE(cell.apply(KillJob{first}).taken());
  EXPECT_EQ(cell.apply(CreateJob{cell.random.uuid<JobId>(), with_sequence(batch_of(1), "001")}).refusal(),
            ErrorCode::sequence_in_use)
      << "a dying job still holds it";
  ASSERT_TRUE(cell.finish(first).taken());
  cell.submit(with_sequence(batch_of(1), "001"));
}

TEST(Caps, OnJobsAndTasksAnswerTooMany) {
  CellPolicy policy;
  policy.jobs_max = 2;
  policy.tasks_max = 10;
  Cell cell(policy);
  EXPECT_EQ(cell.apply(CreateJob{cell.random.uuid<JobId>(), batch_of(11)}).refusal(),
            ErrorCode::limit_exceeded);
  const JobId first = cell.submit(batch_of(6));
  EXPECT_EQ(cell.apply(CreateJob{cell.random.uuid<JobId>(), batch_of(5)}).refusal(),
            ErrorCode::limit_exceeded);
  const JobId service = cell.submit(service_of(0, 4, 9));
  EXPECT_EQ(cell.apply(CreateJob{cell.random.uuid<JobId>(), batch_of(0)}).refusal(),
            ErrorCode::limit_exceeded);
  EXPECT_EQ(cell.apply(ResizeJob{service, {}, 5, {}}).refusal(), ErrorCode::limit_exceeded);
  EXPECT_TRUE(cell.apply(ResizeJob{service, {}, 3, {}}).taken());
  EXPECT_TRUE(cell.apply(ResizeJob{service, {}, 4, {}}).taken());
  cell.apply(KillJob{first});
  ASSERT_TRUE(cell.finish(first).taken());
  EXPECT_EQ(cell.reads().cell().wanted_tasks, 4U);
  cell.submit(batch_of(6));
}

TEST(Kills, OfAJobSayWhoAndEndOnlyWithItsTasks) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(2));
  const TaskId task = cell.running(job, 0, host);
  Command kill;
  kill.caller = "ann";
  kill.reason = "maintenance";
  kill.body = KillJob{job};
  ASSERT_TRUE(cell.apply(kill).taken());
  EXPECT_EQ(cell.job(job).state, JobState::kill_initiated);
  EXPECT_EQ(cell.job(job).message, "killed by ann: maintenance");
  EXPECT_EQ(cell.job(job).kill_initiated, cell.now);
  EXPECT_EQ(cell.apply(kill).refusal(), ErrorCode::job_terminating);
  EXPECT_EQ(cell.start(job, 1, cell.random.task_of(job)).refusal(), ErrorCode::job_terminating);
  EXPECT_EQ(cell.finish(job).refusal(), ErrorCode::precondition_failed) << "a task still lives";
  EXPECT_EQ(cell.due(EntityRef::of(job)), due_now) << "the task is to be killed";
  ASSERT_TRUE(cell.user_kill(task).taken());
  EXPECT_EQ(cell.due(EntityRef::of(job)), std::nullopt) << "the task is on its way";
  ASSERT_TRUE(cell.ended(host, task, Reason::normal).taken());
  EXPECT_EQ(cell.due(EntityRef::of(job)), due_now);
  ASSERT_TRUE(cell.finish(job, Reason::killed).taken());
  EXPECT_FALSE(cell.has_job(job));
  EXPECT_EQ(cell.reads().archived_job(job).value()->record.message, "killed by ann: maintenance");
  EXPECT_EQ(cell.apply(kill).refusal(), ErrorCode::not_found);
}

TEST(Ends, OfABatchJobNeedAllSlotsClosed) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(2));
  for (std::uint32_t slot : {0U, 1U}) {
    EXPECT_EQ(cell.finish(job).refusal(), ErrorCode::precondition_failed);
    cell.ended(host, cell.running(job, slot, host), Reason::normal);
    EXPECT_EQ(cell.due(EntityRef::of(job)), due_now);
    ASSERT_TRUE(cell.step_slot(job, slot, SlotState::done).taken());
  }
  EXPECT_EQ(cell.due(EntityRef::of(job)), due_now);
  ASSERT_TRUE(cell.finish(job).taken());
  EXPECT_EQ(cell.finish(job).refusal(), ErrorCode::not_found);
}

TEST(Ends, AServiceHasNoneOfItsOwn) {
  Cell cell;
  EXPECT_EQ(cell.finish(cell.submit(service_of(0, 0, 5))).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.finish(cell.random.uuid<JobId>()).refusal(), ErrorCode::not_found);
}

TEST(Sizes, OfAServiceStayWithinItsBounds) {
  Cell cell;
  const JobId job = cell.submit(service_of(1, 2, 5));
  EXPECT_EQ(cell.apply(ResizeJob{job, {}, 6, {}}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.apply(ResizeJob{job, {}, 0, {}}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.apply(ResizeJob{job, 6, {}, {}}).refusal(), ErrorCode::invalid_argument);
  ASSERT_TRUE(cell.apply(ResizeJob{job, 3, {}, {}}).taken());
  EXPECT_EQ(cell.job(job).capacity, (Capacity{3, 3, 5})) << "desired is lifted into the new bounds";
  ASSERT_TRUE(cell.apply(ResizeJob{job, 0, {}, 1}).taken());
  EXPECT_EQ(cell.job(job).capacity, (Capacity{0, 1, 1}));
  EXPECT_TRUE(cell.apply(ResizeJob{job, 0, 1, 1}).changed_nothing());
  EXPECT_EQ(cell.apply(ResizeJob{cell.random.uuid<JobId>(), 0, 1, 1}).refusal(), ErrorCode::not_found);
  EXPECT_EQ(cell.apply(ResizeJob{cell.submit(batch_of(1)), 0, 1, 1}).refusal(), ErrorCode::invalid_argument);
  cell.apply(KillJob{job});
  EXPECT_EQ(cell.apply(ResizeJob{job, 0, 0, 1}).refusal(), ErrorCode::job_terminating);
}

TEST(Sizes, SurplusSlotsAreEmptiedAndReusedWhenTheJobGrowsAgain) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(service_of(0, 3, 5));
  std::vector<TaskId> tasks;
  for (std::uint32_t n = 0; n < 3; ++n) tasks.push_back(cell.running(job, n, host));
  EXPECT_EQ(cell.due(EntityRef::of(job)), std::nullopt);
  ASSERT_TRUE(cell.apply(ResizeJob{job, {}, 1, {}}).taken());
  EXPECT_EQ(cell.due(EntityRef::of(job)), due_now);
  for (std::uint32_t n : {1U, 2U}) {
    ASSERT_TRUE(cell.apply(KillTasks{{{tasks[n], Reason::scaled_down, ""}}}, cell.fence_of(job)).taken());
    cell.ended(host, tasks[n], Reason::normal);
  }
  EXPECT_EQ(cell.due(EntityRef::of(job)), std::nullopt);
  EXPECT_EQ(cell.start(job, 2, cell.random.task_of(job)).refusal(), ErrorCode::precondition_failed)
      << "surplus";
  ASSERT_TRUE(cell.apply(ResizeJob{job, {}, 3, {}}).taken());
  EXPECT_EQ(cell.due(EntityRef::of(job)), due_now);
  const TaskId again = cell.start(job, 2);
  EXPECT_EQ(cell.task(again).resubmit_of, tasks[2]);
}

TEST(Sizes, SlotsThatNeverWereUsedDoNotOutliveTheirSize) {
  // Else a restarted node, which finds only stored slots, would refuse, archive and count differently.
  Cell cell;
  const JobId job = cell.submit(service_of(0, 5, 5));
  cell.start(job, 1);
  ASSERT_TRUE(cell.apply(ResizeJob{job, {}, 0, {}}).taken());
  const std::size_t before = cell.counts(job).in(SlotState::empty);
  cell.restart();
  EXPECT_EQ(cell.counts(job).in(SlotState::empty), before);
  EXPECT_EQ(before, 1U);
}

TEST(Slots, FollowTheirTasksAndTheActorsDecisions) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  EXPECT_EQ(cell.step_slot(job, 0, SlotState::waiting).refusal(), ErrorCode::precondition_failed)
      << "it is empty";
  const TaskId first = cell.running(job, 0, host);
  EXPECT_EQ(cell.slot(job, 0).original, first);
  EXPECT_EQ(cell.step_slot(job, 0, SlotState::done).refusal(), ErrorCode::precondition_failed) << "it runs";
  ASSERT_TRUE(cell.ended(host, first, Reason::failed, 3).taken());
  EXPECT_EQ(cell.slot(job, 0).state, SlotState::ended);
  EXPECT_EQ(cell.slot(job, 0).last_reason, Reason::failed);
  EXPECT_EQ(cell.slot(job, 0).last_exit_code, 3);
  EXPECT_EQ(cell.slot(job, 0).last_started, cell.now);
  const Instant retry = cell.now + milliseconds(500);
  ASSERT_TRUE(cell.step_slot(job, 0, SlotState::waiting, retry, milliseconds(500)).taken());
  EXPECT_EQ(cell.due(EntityRef::of(job)), retry);
  const TaskId second = cell.start(job, 0);
  EXPECT_EQ(cell.slot(job, 0).resubmits, 1U);
  EXPECT_EQ(cell.slot(job, 0).system_resubmits, 0U);
  EXPECT_EQ(cell.task(second).original, first);
  EXPECT_EQ(cell.task(second).resubmit_of, first);
  EXPECT_EQ(cell.task(second).resubmits, 1U);
}

TEST(Slots, CountWhoseFaultARetryWas) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  cell.ended(host, cell.running(job, 0, host), Reason::crashed);
  const TaskId second = cell.running(job, 0, host);
  EXPECT_EQ(cell.task(second).system_resubmits, 1U);
  cell.apply(KillTasks{{{second, Reason::evicted, ""}}}, cell.fence_of(job));
  cell.ended(host, second, Reason::normal);
  const TaskId third = cell.start(job, 0);
  EXPECT_EQ(cell.task(third).resubmits, 2U);
  EXPECT_EQ(cell.task(third).system_resubmits, 1U);
  EXPECT_EQ(cell.task(third).eviction_resubmits, 1U);
}

TEST(Slots, AServiceNeverClosesOne) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(service_of(0, 1, 1));
  cell.ended(host, cell.running(job, 0, host), Reason::normal);
  EXPECT_EQ(cell.step_slot(job, 0, SlotState::done).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.step_slot(job, 0, SlotState::failed).refusal(), ErrorCode::precondition_failed);
  EXPECT_TRUE(cell.step_slot(job, 0, SlotState::waiting).taken());
}

TEST(Slots, ARefusedItemDoesNotHoldUpTheOthers) {
  Cell cell;
  const JobId job = cell.submit(batch_of(2));
  const JobId gone = cell.random.uuid<JobId>();
  const auto item = [&](JobId of, std::uint32_t slot, TaskId last, TaskId task) {
    return AdvanceSlots::Item{of, SlotNumber{slot}, last, SlotState::running, task, {}, {}};
  };
  TaskId stray = cell.random.task_of(job);
  stray.bytes[15] = static_cast<std::uint8_t>(stray.bytes[15] + 1);
  JobId unknown = gone;
  unknown.bytes[15] = job.route();
  const TaskId good = cell.random.task_of(job), twin = cell.random.task_of(job);
  const Done done = cell.apply(
      AdvanceSlots{{item(unknown, 0, {}, cell.random.task_of(job)),
                    item(job, 2, {}, cell.random.task_of(job)), item(job, 0, good, cell.random.task_of(job)),
                    item(job, 0, {}, stray), item(job, 0, {}, {}), item(job, 0, {}, good),
                    item(job, 0, {}, cell.random.task_of(job)), item(job, 1, {}, good),
                    item(job, 1, {}, twin)}},
      cell.fence_of(job));
  std::vector<std::pair<std::uint32_t, ErrorCode>> refused;
  for (const ItemRefusal& refusal : done.outcome.refused) refused.emplace_back(refusal.item, refusal.code);
  EXPECT_EQ(refused, (std::vector<std::pair<std::uint32_t, ErrorCode>>{{0, ErrorCode::not_found},
                                                                       {1, ErrorCode::not_found},
                                                                       {2, ErrorCode::precondition_failed},
                                                                       {3, ErrorCode::invalid_argument},
                                                                       {4, ErrorCode::invalid_argument},
                                                                       {6, ErrorCode::precondition_failed},
                                                                       {7, ErrorCode::conflict}}));
  EXPECT_EQ(cell.slot(job, 0).task, good);
  EXPECT_EQ(cell.slot(job, 1).task, twin);
}

}  // namespace
}  // namespace troupe
