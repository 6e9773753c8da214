// The life of a task: placement, reports, kills, ends.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"

namespace troupe {
namespace {

TEST(Tasks, WaitInTheQueueUntilTheyArePlaced) {
  Cell cell;
  const JobId job = cell.submit(batch_of(2));
  const TaskId first = cell.start(job, 0), second = cell.start(job, 1);
  const auto waiting = cell.reads().waiting(10);
  ASSERT_EQ(waiting.size(), 2U);
  EXPECT_EQ(waiting[0].place.task, first);
  EXPECT_EQ(waiting[1].place.task, second);
  EXPECT_EQ(cell.reads().waiting(1).size(), 1U);
  EXPECT_EQ(cell.reads().waiting_task(first)->version, cell.task(first).version);
  const HostId host = cell.host("h1");
  ASSERT_TRUE(cell.place(first, host).taken());
  EXPECT_EQ(cell.reads().waiting(10).size(), 1U);
  EXPECT_EQ(cell.reads().waiting_task(first), std::nullopt);
  EXPECT_EQ(cell.task(first).state, TaskState::launched);
  EXPECT_EQ(cell.task(first).host, host);
}

TEST(Steps, ThatNobodySawAreFilledIn) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(2));
  const TaskId task = cell.start(job, 0);
  cell.place(task, host);
  const Instant placed = cell.now;
  cell.now = cell.now + milliseconds(10);
  ASSERT_TRUE(cell.report(host, task, TaskState::started).taken());
  const TaskRecord record = cell.task(task);
  EXPECT_EQ(record.step(TaskState::launched), (Step{placed, Reason::normal}));
  EXPECT_EQ(record.step(TaskState::start_initiated), (Step{cell.now, Reason::filled_in}));
  EXPECT_EQ(record.step(TaskState::started), (Step{cell.now, Reason::normal}));
  EXPECT_EQ(record.step(TaskState::finished), Step{});
  // It ran and ended between two reports.
  const TaskId quick = cell.start(job, 1);
  cell.place(quick, host);
  ASSERT_TRUE(cell.ended(host, quick, Reason::failed, 2).taken());
  const auto end = cell.archived(quick);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->step(TaskState::started), (Step{cell.now, Reason::filled_in}));
  EXPECT_EQ(end->step(TaskState::finished), (Step{cell.now, Reason::failed}));
  EXPECT_EQ(end->exit_code, 2);
  EXPECT_EQ(cell.slot(job, 1).last_started, cell.now);
}

TEST(Steps, OfATaskThatNeverStartedAreNotInvented) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.start(job, 0);
  cell.place(task, host);
  ASSERT_TRUE(cell.ended(host, task, Reason::local_system_error).taken());
  EXPECT_EQ(cell.archived(task)->step(TaskState::started), Step{});
  EXPECT_FALSE(cell.slot(job, 0).last_started.is_set());
}

TEST(Steps, NeverGoBackwards) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  for (const TaskState state : {TaskState::accepted, TaskState::launched, TaskState::start_initiated,
                                TaskState::started, TaskState::kill_initiated})
    EXPECT_TRUE(cell.report(host, task, state).changed_nothing()) << state_text(state);
  EXPECT_EQ(cell.task(task).state, TaskState::started);
  cell.user_kill(task);
  EXPECT_TRUE(cell.report(host, task, TaskState::started).changed_nothing());
  EXPECT_EQ(cell.task(task).state, TaskState::kill_initiated);
}

TEST(Kills, OfATaskThatWaitsEndItAtOnce) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.start(job, 0);
  const Done done = cell.user_kill(task);
  ASSERT_TRUE(done.taken());
  EXPECT_EQ(done.outcome.entity, to_text(task));
  EXPECT_EQ(cell.reads().task(task), std::nullopt);
  EXPECT_EQ(cell.archived(task)->step(TaskState::finished).reason, Reason::killed);
  EXPECT_EQ(cell.archived(task)->message, "by hand");
  EXPECT_EQ(cell.archived(task)->step(TaskState::kill_initiated), Step{});
  EXPECT_TRUE(cell.reads().waiting(10).empty());
  EXPECT_EQ(cell.slot(job, 0).last_reason, Reason::killed);
  EXPECT_EQ(cell.user_kill(task).refusal(), ErrorCode::not_found);
}

TEST(Kills, GiveTheReasonWhateverTheExitCode) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  ASSERT_TRUE(cell.apply(KillTasks{{{task, Reason::evicted, "moved"}}}, cell.fence_of(job)).taken());
  EXPECT_EQ(cell.user_kill(task).refusal(), ErrorCode::task_terminating);
  EXPECT_EQ(cell.due(EntityRef::of(task)), cell.now + CellPolicy{}.kill_initiated_max);
  ASSERT_TRUE(cell.ended(host, task, Reason::normal, 0).taken());
  EXPECT_EQ(cell.archived(task)->step(TaskState::finished).reason, Reason::evicted);
  EXPECT_EQ(cell.slot(job, 0).last_reason, Reason::evicted);
}

TEST(Kills, ThatNeverEndAreEndedByTheCell) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  cell.user_kill(task);
  const EndTasks stuck{{{task, host, Reason::stuck_in_killing_state, "too long"}}};
  ASSERT_TRUE(cell.apply(stuck, cell.fence_of(job)).taken());
  EXPECT_EQ(cell.archived(task)->step(TaskState::finished).reason, Reason::stuck_in_killing_state);
}

TEST(Kills, ThatNeverEndAreRememberedByTheSlotForWhatTheyWere) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  ASSERT_TRUE(cell.apply(KillTasks{{{task, Reason::stuck_in_state, "slow"}}}, cell.fence_of(job)).taken());
  const EndTasks stuck{{{task, host, Reason::stuck_in_killing_state, "too long"}}};
  ASSERT_TRUE(cell.apply(stuck, cell.fence_of(job)).taken());
  EXPECT_EQ(cell.archived(task)->step(TaskState::finished).reason, Reason::stuck_in_killing_state);
  EXPECT_EQ(cell.slot(job, 0).last_reason, Reason::stuck_in_state);
}

TEST(Kills, ByAUserAreOneAtATime) {
  Cell cell;
  const JobId job = cell.submit(batch_of(2));
  const TaskId a = cell.start(job, 0), b = cell.start(job, 1);
  const KillTasks both{{{a, Reason::killed, ""}, {b, Reason::killed, ""}}};
  EXPECT_EQ(cell.apply(both).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(cell.apply(KillTasks{}).refusal(), ErrorCode::invalid_argument);
  EXPECT_TRUE(cell.apply(both, cell.fence_of(job)).taken());
}

TEST(Ends, WithoutTheHostsWordNeedTheRightHost) {
  Cell cell;
  const HostId here = cell.host("h1"), there = cell.host("h2");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, here);
  EXPECT_EQ(cell.apply(EndTasks{{{task, there, Reason::lost, ""}}}, cell.fence_of(there)).refusal(),
            ErrorCode::precondition_failed);
  const Done done = cell.apply(EndTasks{{{task, here, Reason::lost, "gone"}}}, cell.fence_of(here));
  ASSERT_TRUE(done.taken());
  EXPECT_EQ(cell.archived(task)->step(TaskState::finished).reason, Reason::lost);
  EXPECT_EQ(cell.apply(EndTasks{{{task, here, Reason::lost, ""}}}, cell.fence_of(here)).refusal(),
            ErrorCode::not_found);
}

TEST(Ends, OfATaskWithNoHostSpareItOncePlaced) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(2));
  const TaskId placed = cell.start(job, 0), waiting = cell.start(job, 1);
  ASSERT_TRUE(cell.place(placed, host).taken());
  EndTasks both{{{placed, HostId{}, Reason::killed, "late"}, {waiting, HostId{}, Reason::killed, "late"}}};
  const Done done = cell.apply(both, cell.fence_of(job));
  ASSERT_EQ(done.outcome.refused.size(), 1U);
  EXPECT_EQ(done.outcome.refused[0].code, ErrorCode::precondition_failed);
  EXPECT_EQ(cell.task(placed).state, TaskState::launched);
  EXPECT_EQ(cell.archived(waiting)->step(TaskState::finished).reason, Reason::killed);
}

TEST(Reports, OfAnArchivedTaskChangeNothing) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  cell.ended(host, task, Reason::normal);
  const Dump before = dump(*cell.store);
  EXPECT_TRUE(cell.ended(host, task, Reason::failed, 9).taken()) << "acknowledged, not refused";
  EXPECT_TRUE(cell.report(host, task, TaskState::started).changed_nothing());
  EXPECT_TRUE(cell.report(host, cell.random.task_of(job), TaskState::started).taken())
      << "nor is an unknown one";
  EXPECT_EQ(dump(*cell.store), before);
}

TEST(Reports, FromAnotherHostOrSessionChangeNothing) {
  Cell cell;
  const HostId here = cell.host("h1"), there = cell.host("h2");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, here);
  EXPECT_TRUE(cell.ended(there, task, Reason::failed).changed_nothing());
  const SessionId old = cell.session(here);
  ASSERT_TRUE(cell.open(here, cell.random.uuid<SessionId>()).taken());
  const ReportTasks late{{{here, old, {{task, TaskState::finished, Reason::failed, 1, 0, ""}}}}};
  EXPECT_EQ(cell.apply(late).refusal(), ErrorCode::fenced);
  const ReportTasks nil{{{here, {}, {{task, TaskState::finished, Reason::failed, 1, 0, ""}}}}};
  cell.close(here, cell.session(here));
  EXPECT_EQ(cell.apply(nil).refusal(), ErrorCode::fenced) << "a disconnected host has no session to match";
  EXPECT_EQ(cell.apply(ReportTasks{{{HostId{99}, old, {}}}}).refusal(), ErrorCode::not_found);
  EXPECT_EQ(cell.task(task).state, TaskState::started);
}

TEST(Reports, OfManyHostsAreFencedOneByOne) {
  Cell cell;
  const HostId a = cell.host("h1"), b = cell.host("h2");
  const JobId job = cell.submit(batch_of(2));
  const TaskId one = cell.running(job, 0, a), two = cell.running(job, 1, b);
  const ReportTasks::Status end{{}, TaskState::finished, Reason::none, 0, 9, "gone"};
  ReportTasks both{{{a, cell.random.uuid<SessionId>(), {end}}, {b, cell.session(b), {end}}}};
  both.parts[0].tasks[0].task = one;
  both.parts[1].tasks[0].task = two;
  const Done done = cell.apply(both);
  ASSERT_EQ(done.outcome.refused.size(), 1U);
  EXPECT_EQ(done.outcome.refused[0].item, 0U);
  EXPECT_EQ(cell.task(one).state, TaskState::started);
  ASSERT_TRUE(cell.archived(two).has_value());
  EXPECT_EQ(cell.archived(two)->step(TaskState::finished).reason, Reason::unknown)
      << "an end without a reason";
  EXPECT_EQ(cell.archived(two)->signal, 9);
}

TEST(Reports, TheSameTaskTwiceInOneEndsItOnce) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  const ReportTasks::Status end{task, TaskState::finished, Reason::normal, 0, 0, ""};
  const Done done = cell.apply(ReportTasks{{{host, cell.session(host), {end, end}}}});
  EXPECT_TRUE(done.taken());
  EXPECT_EQ(std::count_if(done.events.begin(), done.events.end(),
                          [](const Event& e) { return e.kind == EventKind::task_archived; }),
            1);
  EXPECT_EQ(cell.reads().cell().live_tasks, (std::array<std::uint64_t, task_state_count>{}));
}

TEST(Plans, NeverBookAHostTwiceWithinOne) {
  Cell cell;
  const HostId host = cell.host("h1", {2'500, 8'000, 80'000, 1'000, 0});
  const JobId job = cell.submit(batch_of(3));
  PlaceTasks plan;
  for (std::uint32_t n = 0; n < 3; ++n) plan.items.push_back(cell.placement(cell.start(job, n), host));
  const Done done = cell.apply(plan, cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 1U) << "two of 1,000 fit into 2,500";
  EXPECT_EQ(done.outcome.refused[0].item, 2U);
  EXPECT_EQ(done.outcome.refused[0].code, ErrorCode::limit_exceeded);
  EXPECT_EQ(cell.reads().host(host)->used.cpu_milli, 2'000);
}

TEST(Plans, NeverBookAHostTwiceAcrossTwo) {
  Cell cell;
  const HostId host = cell.host("h1", {1'500, 8'000, 80'000, 1'000, 0});
  const JobId job = cell.submit(batch_of(2));
  const auto first = cell.placement(cell.start(job, 0), host),
             second = cell.placement(cell.start(job, 1), host);
  ASSERT_TRUE(cell.apply(PlaceTasks{{first}}, cell.term_fence()).taken());
  EXPECT_EQ(cell.apply(PlaceTasks{{second}}, cell.term_fence()).refusal(), ErrorCode::limit_exceeded);
  ASSERT_TRUE(cell.ended(host, first.task, Reason::normal).taken());
  EXPECT_TRUE(cell.apply(PlaceTasks{{second}}, cell.term_fence()).taken()) << "what ended gave its room back";
}

TEST(Plans, NeverPlaceATaskTwice) {
  Cell cell;
  const HostId a = cell.host("h1"), b = cell.host("h2");
  const TaskId task = cell.start(cell.submit(batch_of(1)), 0);
  const auto here = cell.placement(task, a), there = cell.placement(task, b);
  const Done done = cell.apply(PlaceTasks{{here, there}}, cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 1U);
  EXPECT_EQ(done.outcome.refused[0].code, ErrorCode::precondition_failed);
  EXPECT_EQ(cell.task(task).host, a);
  EXPECT_EQ(cell.apply(PlaceTasks{{there}}, cell.term_fence()).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(cell.reads().host(b)->used, Resources{});
}

TEST(Plans, AreCheckedAgainstEachResource) {
  Cell cell;
  for (auto member :
       {&Resources::cpu_milli, &Resources::memory_mb, &Resources::disk_mb, &Resources::network_mbps}) {
    const JobId job = cell.submit(batch_of(1));
    Resources tight = cell.job(job).descriptor->resources;
    --(tight.*member);
    const HostId host = cell.host("h" + to_text(cell.last), tight);
    EXPECT_EQ(cell.place(cell.start(job, 0), host).refusal(), ErrorCode::limit_exceeded);
  }
}

TEST(Plans, AreRefusedWhenTheHostIsNotAsTheSchedulerSawIt) {
  Cell cell;
  const HostId host = cell.host("h1");
  const TaskId task = cell.start(cell.submit(batch_of(1)), 0);
  const auto item = cell.placement(task, host);
  auto unknown = item;
  unknown.host = HostId{99};
  EXPECT_EQ(cell.apply(PlaceTasks{{unknown}}, cell.term_fence()).refusal(), ErrorCode::not_found);
  ASSERT_TRUE(cell.apply(SetHostPhase{host, HostPhase::draining}).taken());
  EXPECT_EQ(cell.apply(PlaceTasks{{item}}, cell.term_fence()).refusal(), ErrorCode::precondition_failed);
  ASSERT_TRUE(cell.apply(SetHostPhase{host, HostPhase::active}).taken());
  EXPECT_EQ(cell.apply(PlaceTasks{{item}}, cell.term_fence()).refusal(), ErrorCode::conflict)
      << "its eligibility moved";
  const SessionId session = cell.session(host);
  ASSERT_TRUE(cell.close(host, session).taken());
  EXPECT_EQ(cell.place(task, host).refusal(), ErrorCode::unavailable);
  ASSERT_TRUE(cell.open(host, session).taken());
  ASSERT_TRUE(cell.apply(SetAside{EntityRef::of(host), "crashed"}, cell.fence_of(host)).taken());
  EXPECT_EQ(cell.place(task, host).refusal(), ErrorCode::precondition_failed);
  ASSERT_TRUE(cell.apply(Release{EntityRef::of(host)}).taken());
  EXPECT_TRUE(cell.place(task, host).taken());
}

TEST(Plans, ASessionThatComesAndGoesDoesNotMoveTheEligibility) {
  Cell cell;
  const HostId host = cell.host("h1");
  const auto item = cell.placement(cell.start(cell.submit(batch_of(1)), 0), host);
  cell.close(host, cell.session(host));
  cell.open(host, cell.random.uuid<SessionId>());
  EXPECT_TRUE(cell.apply(PlaceTasks{{item}}, cell.term_fence()).taken());
}

TEST(Plans, ForATaskThatChangedAreRefused) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.start(job, 0);
  const auto item = cell.placement(task, host);
  ASSERT_TRUE(cell.apply(SetAside{EntityRef::of(task), "crashed"}, cell.fence_of(job)).taken());
  EXPECT_EQ(cell.apply(PlaceTasks{{item}}, cell.term_fence()).refusal(), ErrorCode::precondition_failed);
  EXPECT_TRUE(cell.reads().waiting(10).empty()) << "set aside, it is not to be placed";
  cell.apply(Release{EntityRef::of(task)});
  EXPECT_EQ(cell.reads().waiting(10).size(), 1U);
  cell.user_kill(task);
  EXPECT_EQ(cell.apply(PlaceTasks{{item}}, cell.term_fence()).refusal(), ErrorCode::not_found);
}

TEST(Deadlines, FollowTheTasksState) {
  Cell cell;
  const CellPolicy policy;
  const HostId host = cell.host("h1");
  const JobId batch = cell.submit(batch_of(1)), service = cell.submit(service_of(0, 1, 1));
  for (const JobId& job : {batch, service}) {
    const TaskId task = cell.start(job, 0);
    EXPECT_EQ(cell.due(EntityRef::of(task)), std::nullopt);
    cell.place(task, host);
    EXPECT_EQ(cell.due(EntityRef::of(task)), cell.now + policy.launched_max);
    cell.now = cell.now + milliseconds(7);
    cell.report(host, task, TaskState::start_initiated);
    EXPECT_EQ(cell.due(EntityRef::of(task)), cell.now + policy.start_initiated_max);
    cell.report(host, task, TaskState::started);
    if (job == batch) {
      EXPECT_EQ(cell.due(EntityRef::of(task)), cell.now + milliseconds(3'600'000));
    } else {
      EXPECT_EQ(cell.due(EntityRef::of(task)), std::nullopt);
    }
    cell.user_kill(task);
    EXPECT_EQ(cell.due(EntityRef::of(task)), cell.now + policy.kill_initiated_max);
    cell.ended(host, task, Reason::normal);
    EXPECT_EQ(cell.due(EntityRef::of(task)), std::nullopt);
  }
}

}  // namespace
}  // namespace troupe
