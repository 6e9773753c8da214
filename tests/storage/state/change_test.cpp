// What users change on what lives: attributes, switches, budgets, and a service that shrinks by one task.

#include <gtest/gtest.h>

#include "storage/state/apply.hpp"
#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

ChangeJob put(const JobId& job, StringMap attributes) {
  return {job, {std::move(attributes), {}}, {}, {}, {}};
}
ChangeJob with_processes(const JobId& job, ServiceProcesses processes) {
  return {job, {}, {}, processes, {}};
}
const ServiceSpec& service_spec(const Cell& cell, const JobId& job) {
  static DescriptorPtr held;
  held = cell.job(job).descriptor;
  return *held->service();
}

TEST(Changes, OfAJobsAttributesAddReplaceAndTakeAway) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  ASSERT_TRUE(cell.apply(put(job, {{"a", "1"}, {"b", "2"}})).taken());
  EXPECT_TRUE(cell.apply(put(job, {{"a", "1"}})).changed_nothing());
  ASSERT_TRUE(cell.apply(ChangeJob{job, {{{"b", "3"}}, {"a", "never there"}}, {}, {}, {}}).taken());
  EXPECT_EQ(cell.job(job).descriptor->attributes, (StringMap{{"b", "3"}}));
  EXPECT_EQ(cell.job(job).version, cell.last);
  cell.restart();
  EXPECT_EQ(cell.job(job).descriptor->attributes, (StringMap{{"b", "3"}}));
  expect_derived(*cell.machine, *cell.store);
}

TEST(Changes, StayWithinTheBoundsOfAttributes) {
  Cell cell;
  const JobId job = cell.submit(service_of(0, 1, 2));
  StringMap many;
  for (std::size_t n = 0; n < job_attribute_bounds.count_max; ++n) many[std::to_string(n)] = "x";
  ASSERT_TRUE(cell.apply(put(job, many)).taken());
  EXPECT_EQ(cell.apply(put(job, {{"one more", ""}})).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.job(job).descriptor->attributes, many);
  const TaskId task = cell.start(job, 0);
  const std::string large(task_attribute_bounds.bytes_max, 'x');
  EXPECT_EQ(cell.apply(ChangeTask{task, {{{"a", large}}, {}}}).refusal(), ErrorCode::invalid_argument);
  EXPECT_TRUE(cell.apply(ChangeTask{task, {{{"a", large.substr(1)}}, {}}}).taken());
}

TEST(Changes, NeedALivingAcceptedJob) {
  Cell cell;
  EXPECT_EQ(cell.apply(put(cell.random.uuid<JobId>(), {{"a", "1"}})).refusal(), ErrorCode::not_found);
  const JobId job = cell.submit(batch_of(1));
  cell.apply(KillJob{job});
  EXPECT_EQ(cell.apply(put(job, {{"a", "1"}})).refusal(), ErrorCode::job_terminating);
}

TEST(Changes, OfSwitchesAreForServicesOnly) {
  Cell cell;
  const JobId batch = cell.submit(batch_of(1)), service = cell.submit(service_of(0, 1, 2));
  EXPECT_EQ(cell.apply(ChangeJob{batch, {}, false, {}, {}}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.apply(with_processes(batch, {true, true})).refusal(), ErrorCode::invalid_argument);
  EXPECT_TRUE(cell.apply(ChangeJob{service, {}, true, {}, {}}).changed_nothing());
  ASSERT_TRUE(cell.apply(ChangeJob{service, {}, false, {}, {}}).taken());
  EXPECT_FALSE(service_spec(cell, service).enabled);
  EXPECT_EQ(cell.job(service).descriptor->attributes, service_of(0, 1, 2)->attributes);
}

TEST(Changes, ProcessesHoldBackTheDesiredSizeOnly) {
  Cell cell;
  const JobId job = cell.submit(service_of(0, 3, 5));
  ASSERT_TRUE(cell.apply(with_processes(job, {true, true})).taken());
  EXPECT_EQ(cell.apply(ResizeJob{job, {}, 4, {}}).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.apply(ResizeJob{job, {}, 2, {}}).refusal(), ErrorCode::precondition_failed);
  EXPECT_TRUE(cell.apply(ResizeJob{job, 1, {}, 9}).taken());
  EXPECT_EQ(cell.apply(ShrinkJob{cell.start(job, 0), false, ""}).refusal(), ErrorCode::precondition_failed);
  ASSERT_TRUE(cell.apply(with_processes(job, {false, true})).taken());
  EXPECT_TRUE(cell.apply(ResizeJob{job, {}, 4, {}}).taken());
}

TEST(Changes, ABudgetIsKept) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  DisruptionBudget budget;
  budget.policy = DisruptionBudget::Policy::unhealthy_tasks;
  budget.policy_limit = 3;
  ASSERT_TRUE(cell.apply(ChangeJob{job, {}, {}, {}, budget}).taken());
  cell.restart();
  EXPECT_EQ(cell.job(job).descriptor->budget, budget);
}

TEST(Changes, OfATaskStayWithItThroughItsStatesAndInTheArchive) {
  Cell cell;
  const HostId host = cell.host("h");
  const TaskId task = cell.start(cell.submit(service_of(0, 1, 2)), 0);
  ASSERT_TRUE(cell.apply(ChangeTask{task, {{{"a", "1"}, {"b", "2"}}, {}}}).taken());
  EXPECT_TRUE(cell.apply(ChangeTask{task, {{}, {"c"}}}).changed_nothing());
  ASSERT_TRUE(cell.apply(ChangeTask{task, {{}, {"b"}}}).taken());
  cell.place(task, host);
  cell.report(host, task, TaskState::started);
  cell.ended(host, task, Reason::normal);
  EXPECT_EQ(cell.archived(task)->attributes.map(), (StringMap{{"a", "1"}}));
  EXPECT_EQ(cell.apply(ChangeTask{task, {{{"a", "2"}}, {}}}).refusal(), ErrorCode::not_found);
}

// ---- a service that shrinks by one task ----
TEST(Shrinking, EndsTheTaskAndTheLastOneTakesItsSlot) {
  Cell cell;
  const HostId host = cell.host("h");
  const JobId job = cell.submit(service_of(1, 3, 5));
  const TaskId first = cell.running(job, 0, host), last = cell.running(job, 2, host);
  cell.running(job, 1, host);
  ASSERT_TRUE(cell.apply(ShrinkJob{first, false, "too many"}).taken());
  EXPECT_EQ(cell.job(job).capacity, (Capacity{1, 2, 5}));
  EXPECT_EQ(cell.task(first).state, TaskState::kill_initiated);
  EXPECT_EQ(cell.task(first).step(TaskState::kill_initiated).reason, Reason::scaled_down);
  EXPECT_EQ(cell.slot(job, 0).task, last);
  EXPECT_EQ(cell.slot(job, 0).number, SlotNumber{0});
  EXPECT_EQ(cell.task(last).slot, SlotNumber{0});
  EXPECT_EQ(cell.task(last).state, TaskState::started);
  expect_derived(*cell.machine, *cell.store);
  cell.ended(host, first, Reason::failed);
  EXPECT_EQ(cell.slot(job, 2).state, SlotState::ended) << "beyond the size: nobody replaces it";
  EXPECT_EQ(cell.archived(first)->step(TaskState::finished).reason, Reason::scaled_down);
  cell.restart();
  expect_derived(*cell.machine, *cell.store);
}

TEST(Shrinking, OfAWaitingTaskLeavesTheOtherWaitingInItsPlace) {
  Cell cell;
  const JobId job = cell.submit(service_of(0, 2, 5));
  const TaskId first = cell.start(job, 0), last = cell.start(job, 1);
  ASSERT_TRUE(cell.apply(ShrinkJob{first, false, ""}).taken());
  EXPECT_EQ(cell.archived(first)->state, TaskState::finished);
  ASSERT_EQ(cell.reads().waiting(10).size(), 1U);
  EXPECT_EQ(cell.reads().waiting(10)[0].place.task, last);
  expect_derived(*cell.machine, *cell.store);
}

TEST(Shrinking, ASlotThatHasNoTaskMovesToo) {
  Cell cell;
  const HostId host = cell.host("h");
  const JobId job = cell.submit(service_of(0, 2, 5));
  const TaskId only = cell.running(job, 0, host);
  ASSERT_TRUE(cell.apply(ShrinkJob{only, false, ""}).taken());
  EXPECT_EQ(cell.slot(job, 0).state, SlotState::empty);
  EXPECT_EQ(cell.slot(job, 1).task, only);
  expect_derived(*cell.machine, *cell.store);
  cell.start(job, 0);
  cell.ended(host, only, Reason::normal);
  cell.restart();
  expect_derived(*cell.machine, *cell.store);
}

TEST(Shrinking, LowersTheMinimumUnlessItIsToBeKept) {
  Cell cell;
  const HostId host = cell.host("h");
  const JobId job = cell.submit(service_of(2, 2, 5));
  const TaskId task = cell.running(job, 0, host);
  EXPECT_EQ(cell.apply(ShrinkJob{task, true, ""}).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.task(task).state, TaskState::started);
  ASSERT_TRUE(cell.apply(ShrinkJob{task, false, ""}).taken());
  EXPECT_EQ(cell.job(job).capacity, (Capacity{1, 1, 5}));
  EXPECT_EQ(cell.apply(ShrinkJob{task, false, ""}).refusal(), ErrorCode::task_terminating);
}

TEST(Shrinking, IsNotForBatchesNorForWhatEnds) {
  Cell cell;
  const JobId batch = cell.submit(batch_of(1)), service = cell.submit(service_of(0, 1, 1));
  const TaskId of_batch = cell.start(batch, 0), of_service = cell.start(service, 0);
  EXPECT_EQ(cell.apply(ShrinkJob{of_batch, false, ""}).refusal(), ErrorCode::invalid_argument);
  cell.apply(KillJob{service});
  EXPECT_EQ(cell.apply(ShrinkJob{of_service, false, ""}).refusal(), ErrorCode::job_terminating);
  EXPECT_EQ(cell.apply(ShrinkJob{cell.random.uuid<TaskId>(), false, ""}).refusal(), ErrorCode::not_found);
}

}  // namespace
}  // namespace troupe
