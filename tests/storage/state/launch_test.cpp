// Launches: a failing job's budget, limits of the cell, of groups and of hosts, and hosts whose launches
// fail.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

/// A cell at the level of budgets, and one host with room for all.
struct Pad {
  explicit Pad(const CellPolicy& policy = {}) : cell(policy) {
    for (const std::uint32_t level : {1, 2}) cell.apply(RaiseLevel{level}, cell.term_fence());
    host = new_host("h1");
  }
  HostId new_host(const std::string& name) {
    return cell.host(name, {100'000, 100'000, 1'000'000, 10'000, 0});
  }
  void pass(milliseconds time) { cell.now = cell.now + time; }
  /// The slot's task runs and fails at once.
  void fail(const JobId& job, std::uint32_t slot) {
    const TaskId task = cell.slot(job, slot).task;
    cell.place(task, host);
    cell.ended(host, task, Reason::failed, 1);
    ASSERT_TRUE(cell.step_slot(job, slot, SlotState::waiting, cell.now).taken());
  }
  /// Relaunches that are taken now, each failing at once.
  int relaunch(const JobId& job, std::uint32_t slot, int most = 100) {
    int taken = 0;
    while (taken < most && cell.start(job, slot, cell.random.task_of(job)).taken()) {
      ++taken;
      fail(job, slot);
    }
    return taken;
  }

  Cell cell;
  HostId host;
};

TEST(RelaunchBudget, OfAJobIsABurstAndThenARate) {
  Pad pad;
  const JobId job = pad.cell.submit(service_of(0, 2, 5));
  pad.cell.start(job, 0);
  pad.cell.start(job, 1);
  pad.fail(job, 0);
  pad.fail(job, 1);
  // Ten, and one for each of two tasks; then two a minute for each.
  EXPECT_EQ(pad.relaunch(job, 0, 6), 6);
  EXPECT_EQ(pad.relaunch(job, 1), 6);
  pad.pass(milliseconds(14'999));
  EXPECT_EQ(pad.relaunch(job, 0), 0);
  pad.pass(milliseconds(1));
  EXPECT_EQ(pad.relaunch(job, 0), 1);
  const Done held = pad.cell.start(job, 0, pad.cell.random.task_of(job));
  EXPECT_EQ(held.refusal(), ErrorCode::limit_exceeded);
  EXPECT_TRUE(held.changed_nothing());
  pad.pass(milliseconds(3'600'000));
  EXPECT_EQ(pad.relaunch(job, 0), 12) << "no more than the burst is saved up";
  expect_derived(*pad.cell.machine, *pad.cell.store);
}

TEST(RelaunchBudget, SurvivesARestart) {
  Pad pad;
  const JobId job = pad.cell.submit(service_of(0, 1, 5));
  pad.cell.start(job, 0);
  pad.fail(job, 0);
  EXPECT_EQ(pad.relaunch(job, 0), 11);
  pad.cell.restart();
  EXPECT_EQ(pad.relaunch(job, 0), 0);
  pad.pass(milliseconds(30'000));
  EXPECT_EQ(pad.relaunch(job, 0), 1);
}

TEST(RelaunchBudget, CountsOnlyWhatFailed) {
  SlotRecord slot;
  slot.task = TaskId{{1}};
  slot.last_finished = Instant{10'000'000};
  for (const Reason free : {Reason::killed, Reason::evicted, Reason::scaled_down, Reason::lost}) {
    slot.last_reason = free;
    EXPECT_FALSE(is_budgeted(slot)) << reason_text(free);
  }
  for (const Reason counted : {Reason::failed, Reason::normal, Reason::crashed, Reason::local_system_error}) {
    slot.last_reason = counted;
    EXPECT_TRUE(is_budgeted(slot)) << reason_text(counted);
  }
  slot.last_started = slot.last_finished - good_run;
  EXPECT_FALSE(is_budgeted(slot)) << "it had a good run";
  slot.last_started = slot.last_started + milliseconds(1);
  EXPECT_TRUE(is_budgeted(slot));
  slot.task = {};
  EXPECT_FALSE(is_budgeted(slot)) << "the first task of a slot follows nothing";
}

TEST(RelaunchBudget, IsTheCellsToSetAndBelowItsLevelThereIsNone) {
  CellPolicy policy;
  policy.relaunch_burst = 1;
  policy.relaunches_per_minute = 60;
  Cell old(policy);
  Pad pad(policy);
  const JobId job = pad.cell.submit(service_of(0, 1, 5));
  pad.cell.start(job, 0);
  pad.fail(job, 0);
  EXPECT_EQ(pad.relaunch(job, 0), 2);
  pad.pass(milliseconds(1'000));
  EXPECT_EQ(pad.relaunch(job, 0), 1);
  policy.relaunches_per_minute = 0;
  ASSERT_TRUE(pad.cell.apply(SetPolicy{policy}).taken());
  EXPECT_EQ(pad.relaunch(job, 0, 40), 40);
  EXPECT_TRUE(relaunch_limit(old.reads().cell().record).rule({1, 1, 1}).is_none());
}

/// Two places whose tasks have failed, each waiting for a minute.
struct Retrying : Pad {
  Retrying() {
    for (const std::uint32_t level : {3, 4}) cell.apply(RaiseLevel{level}, cell.term_fence());
    for (const std::uint32_t slot : {0, 1}) {
      last[slot] = cell.running(job, slot, host);
      cell.ended(host, last[slot], Reason::failed, 1);
      cell.step_slot(job, slot, SlotState::waiting, in_a_minute, milliseconds(60'000));
    }
  }
  Instant in_a_minute = cell.now + milliseconds(60'000);
  JobId job = cell.submit(service_of(0, 2, 5));
  std::array<TaskId, 2> last{};
};

TEST(Retry, MakesWhatWaitsDueAtOnceAndKeepsTheDelayThatGrows) {
  Retrying r;
  ASSERT_EQ(r.cell.due(EntityRef::of(r.job)), r.in_a_minute);
  ASSERT_TRUE(r.cell.apply(RetryJob{r.job, {}}).taken());
  for (const std::uint32_t slot : {0, 1}) {
    EXPECT_EQ(r.cell.slot(r.job, slot).retry_at, r.cell.now);
    EXPECT_EQ(r.cell.slot(r.job, slot).delay, milliseconds(60'000));
  }
  EXPECT_EQ(r.cell.due(EntityRef::of(r.job)), r.cell.now);
  expect_derived(*r.cell.machine, *r.cell.store);
}

TEST(Retry, OfOneTaskLeavesTheOthersWaiting) {
  Retrying r;
  ASSERT_TRUE(r.cell.apply(RetryJob{r.job, r.last[1]}).taken());
  EXPECT_EQ(r.cell.slot(r.job, 0).retry_at, r.in_a_minute);
  EXPECT_EQ(r.cell.slot(r.job, 1).retry_at, r.cell.now);
  expect_derived(*r.cell.machine, *r.cell.store);
}

TEST(Retry, FillsTheBudgetThatHeldTheJob) {
  Retrying r;
  while (r.cell.start(r.job, 0, r.cell.random.task_of(r.job)).taken()) r.fail(r.job, 0);
  ASSERT_TRUE(r.cell.apply(NoteJobs{{{r.job, true, "it fails"}}}, r.cell.fence_of(r.job)).taken());
  ASSERT_TRUE(r.cell.apply(RetryJob{r.job, {}}).taken());
  EXPECT_EQ(r.relaunch(r.job, 0), 12) << "ten, and one for each task";
}

TEST(Retry, IsRefusedForWhatDoesNotWait) {
  Retrying r;
  const TaskId running = r.cell.start(r.job, 0);
  EXPECT_EQ(r.cell.apply(RetryJob{r.job, running}).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(r.cell.apply(RetryJob{r.job, r.last[0]}).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(r.cell.apply(RetryJob{r.cell.random.uuid<JobId>(), {}}).refusal(), ErrorCode::not_found);
  ASSERT_TRUE(r.cell.apply(KillJob{r.job}).taken());
  EXPECT_EQ(r.cell.apply(RetryJob{r.job, {}}).refusal(), ErrorCode::job_terminating);
}

TEST(Throttle, IsAConditionWithADutyAndAnEvent) {
  Pad pad;
  const JobId job = pad.cell.submit(service_of(0, 1, 5));
  pad.cell.start(job, 0);
  pad.fail(job, 0);
  pad.relaunch(job, 0);
  EXPECT_EQ(pad.cell.due(EntityRef::of(job)), pad.cell.slot(job, 0).retry_at) << "its actor is to say it";
  const Fence fence = pad.cell.fence_of(job);
  const Done noted = pad.cell.apply(NoteJobs{{{job, true, "fails and fails"}}}, fence);
  ASSERT_TRUE(noted.taken());
  ASSERT_EQ(noted.events.size(), 1U);
  EXPECT_EQ(noted.events.front().kind, EventKind::job_changed);
  EXPECT_EQ(pad.cell.job(job).throttled, pad.cell.now);
  EXPECT_EQ(pad.cell.job(job).throttle_reason, "fails and fails");
  EXPECT_EQ(pad.cell.reads().cell().throttled_jobs, 1U);
  EXPECT_EQ(pad.cell.due(EntityRef::of(job)), pad.cell.now + milliseconds(30'000)) << "the next token";
  EXPECT_FALSE(pad.cell.apply(NoteJobs{{{job, true, "again"}}}, fence).taken());
  EXPECT_EQ(pad.cell.apply(NoteJobs{{{job, false, ""}}}).refusal(), ErrorCode::fenced);
  pad.cell.restart();
  EXPECT_EQ(pad.cell.reads().cell().throttled_jobs, 1U);
  EXPECT_EQ(pad.cell.due(EntityRef::of(job)), pad.cell.now + milliseconds(30'000));
  ASSERT_TRUE(pad.cell.apply(NoteJobs{{{job, false, ""}}}, fence).taken());
  EXPECT_EQ(pad.cell.reads().cell().throttled_jobs, 0U);
  EXPECT_TRUE(pad.cell.job(job).throttle_reason.empty());
  expect_derived(*pad.cell.machine, *pad.cell.store);
}

TEST(Throttle, OfAJobThatEndsIsCountedNoMore) {
  Pad pad;
  const JobId job = pad.cell.submit(service_of(0, 0, 5));
  ASSERT_TRUE(pad.cell.apply(NoteJobs{{{job, true, "x"}}}, pad.cell.fence_of(job)).taken());
  pad.cell.apply(KillJob{job});
  EXPECT_EQ(pad.cell.apply(NoteJobs{{{job, false, ""}}}, pad.cell.fence_of(job)).refusal(),
            ErrorCode::job_terminating);
  ASSERT_TRUE(pad.cell.finish(job, Reason::killed).taken());
  EXPECT_EQ(pad.cell.reads().cell().throttled_jobs, 0U);
}

// ---- the cell, groups, hosts ----

/// How many of the job's tasks, all waiting, may be placed in one command.
int placed_at_once(Pad& pad, const JobId& job, std::uint32_t first, std::uint32_t count, HostId host) {
  PlaceTasks plan;
  for (std::uint32_t slot = first; slot < first + count; ++slot)
    plan.items.push_back(pad.cell.placement(pad.cell.start(job, slot), host));
  const Done done = pad.cell.apply(plan, pad.cell.term_fence());
  for (const ItemRefusal& refusal : done.outcome.refused)
    EXPECT_EQ(refusal.code, ErrorCode::limit_exceeded) << refusal.message;
  return static_cast<int>(count - done.outcome.refused.size());
}

TEST(LaunchLimits, OfTheCellHoldsInOneCommandAndOverTime) {
  CellPolicy policy;
  policy.launch_burst = 3;
  policy.launches_per_minute = 60;
  Pad pad(policy);
  const JobId job = pad.cell.submit(batch_of(40));
  EXPECT_EQ(placed_at_once(pad, job, 0, 10, pad.host), 3);
  EXPECT_EQ(placed_at_once(pad, job, 10, 5, pad.new_host("h2")), 0);
  pad.cell.restart();
  pad.pass(milliseconds(2'000));
  EXPECT_EQ(placed_at_once(pad, job, 15, 5, pad.host), 2);
  expect_derived(*pad.cell.machine, *pad.cell.store);
}

TEST(LaunchLimits, OfAHostCountsWhatIsUnderWayThere) {
  CellPolicy policy;
  policy.host_launches_max = 2;
  Pad pad(policy);
  const JobId job = pad.cell.submit(batch_of(20));
  EXPECT_EQ(placed_at_once(pad, job, 0, 5, pad.host), 2);
  EXPECT_EQ(placed_at_once(pad, job, 5, 5, pad.new_host("h2")), 2);
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.under_way, 2U);
  pad.cell.report(pad.host, pad.cell.slot(job, 0).task, TaskState::started);
  pad.cell.restart();
  EXPECT_EQ(placed_at_once(pad, job, 10, 5, pad.host), 1);
  pad.cell.ended(pad.host, pad.cell.slot(job, 1).task, Reason::failed);
  EXPECT_EQ(placed_at_once(pad, job, 15, 5, pad.host), 1);
}

/// Ten tasks in a group that launches two at once and then so many a minute.
JobId submit_to_slow_group(Pad& pad, std::uint32_t launches_per_minute) {
  GroupRecord group;
  group.name = "slow";
  group.launch_burst = 2;
  group.launches_per_minute = launches_per_minute;
  EXPECT_TRUE(pad.cell.apply(PutGroup{group}).taken());
  JobDescriptor slow = *batch_of(10);
  slow.capacity_group = group.name;
  return pad.cell.submit(std::make_shared<const JobDescriptor>(slow));
}

TEST(LaunchLimits, OfAGroupLeaveTheOthersAlone) {
  Pad pad;
  const JobId job = submit_to_slow_group(pad, 1);
  EXPECT_EQ(placed_at_once(pad, job, 0, 10, pad.host), 2);
  EXPECT_EQ(placed_at_once(pad, pad.cell.submit(batch_of(10)), 0, 10, pad.host), 10);
  EXPECT_EQ(pad.cell.reads().group("slow")->launches.under_way, 2U);
}

TEST(LaunchLimits, LetAGangThroughThatIsMoreThanABurstWhenAllOfThatIsLeft) {
  Pad pad;
  const JobId job = submit_to_slow_group(pad, 60);
  const auto gang_of = [&](std::uint32_t first, std::uint32_t size) {
    PlaceTasks plan;
    for (std::uint32_t slot = first; slot < first + size; ++slot)
      plan.items.push_back(pad.cell.placement(pad.cell.start(job, slot), pad.host));
    plan.together = {size};
    return plan;
  };
  const PlaceTasks five = gang_of(0, 5), three = gang_of(5, 3);
  ASSERT_TRUE(pad.cell.apply(five, pad.cell.term_fence()).taken());
  for (const PlaceTasks::Item& item : five.items) pad.cell.report(pad.host, item.task, TaskState::started);
  pad.pass(milliseconds(4'999));
  EXPECT_EQ(pad.cell.apply(three, pad.cell.term_fence()).outcome.refused.size(), 3U) << "it owes still";
  pad.pass(milliseconds(1));
  EXPECT_TRUE(pad.cell.apply(three, pad.cell.term_fence()).taken());
  EXPECT_EQ(placed_at_once(pad, job, 8, 2, pad.host), 0) << "the others pay for it";
  expect_derived(*pad.cell.machine, *pad.cell.store);
}

/// A launch of a new job fails there by the host's fault.
void fail_launch(Pad& pad, HostId host) {
  const JobId job = pad.cell.submit(batch_of(1));
  const TaskId task = pad.cell.start(job, 0);
  ASSERT_TRUE(pad.cell.place(task, host).taken());
  pad.cell.ended(host, task, Reason::local_system_error);
}

TEST(HostRest, FollowsLaunchesOfTwoJobsThatFailedAndGrows) {
  Pad pad;
  fail_launch(pad, pad.host);
  EXPECT_FALSE(pad.cell.reads().host_facts(pad.host)->launches.rests_until.is_set());
  fail_launch(pad, pad.host);
  const Instant first = pad.cell.reads().host_facts(pad.host)->launches.rests_until;
  EXPECT_GE(first, pad.cell.now + milliseconds(3'750));
  EXPECT_LE(first, pad.cell.now + milliseconds(6'250));
  const TaskId waits = pad.cell.start(pad.cell.submit(batch_of(1)), 0);
  EXPECT_EQ(pad.cell.place(waits, pad.host).refusal(), ErrorCode::limit_exceeded);
  pad.cell.restart();
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.rests_until, first);
  pad.cell.now = first;
  fail_launch(pad, pad.host);
  const Instant second = pad.cell.reads().host_facts(pad.host)->launches.rests_until;
  EXPECT_GE(second, pad.cell.now + milliseconds(7'500));
  pad.cell.now = second;
  ASSERT_TRUE(pad.cell.place(waits, pad.host).taken());
  const Done started = pad.cell.report(pad.host, waits, TaskState::started);
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.record.failures, 1U);
  EXPECT_EQ(started.events.front().kind, EventKind::host_changed) << "the scheduler is to hear of it";
  expect_derived(*pad.cell.machine, *pad.cell.store);
}

TEST(HostRest, CountsAWaveOfFailuresOnceAndTriesOneLaunchAfterIt) {
  Pad pad;
  const auto wave = [&] {
    std::vector<TaskId> tasks;
    for (int n = 0; n < 10; ++n) tasks.push_back(pad.cell.start(pad.cell.submit(batch_of(1)), 0));
    std::erase_if(tasks, [&](const TaskId& task) { return !pad.cell.place(task, pad.host).taken(); });
    pad.pass(milliseconds(10));
    for (const TaskId& task : tasks) pad.cell.ended(pad.host, task, Reason::local_system_error);
    return tasks.size();
  };
  EXPECT_EQ(wave(), 10U);
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.record.failures, 1U);
  EXPECT_EQ(wave(), 10U);
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.record.failures, 2U);
  EXPECT_EQ(wave(), 0U) << "it rests";
  pad.cell.now = pad.cell.reads().host_facts(pad.host)->launches.rests_until;
  EXPECT_EQ(wave(), 1U);
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.record.failures, 3U);
}

TEST(HostRest, IsNotBroughtAboutByOneJob) {
  Pad pad;
  const JobId job = pad.cell.submit(batch_of(5));
  for (std::uint32_t slot = 0; slot < 5; ++slot) {
    const TaskId task = pad.cell.start(job, slot);
    ASSERT_TRUE(pad.cell.place(task, pad.host).taken());
    pad.cell.ended(pad.host, task, Reason::local_system_error);
  }
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.record.failures, 1U);
}

TEST(HostRest, FollowsNoFailureOfWhatRan) {
  Pad pad;
  for (int n = 0; n < 5; ++n) {
    const JobId job = pad.cell.submit(batch_of(1));
    const TaskId task = pad.cell.running(job, 0, pad.host);
    pad.cell.ended(pad.host, task, n % 2 == 0 ? Reason::failed : Reason::crashed);
  }
  EXPECT_EQ(pad.cell.reads().host_facts(pad.host)->launches.record.failures, 0U);
}

TEST(HostRest, IsSpreadSoThatHostsDoNotComeBackTogether) {
  LaunchRecord record;
  record.failures = 6;
  record.failed = Instant{1'000'000};
  std::set<std::int64_t> ends;
  for (std::uint64_t host = 1; host <= 100; ++host) {
    const Instant end = rests_until(record, milliseconds(5'000), milliseconds(60'000), host);
    EXPECT_GE(end - record.failed, milliseconds(45'000));
    EXPECT_LE(end - record.failed, milliseconds(75'000)) << "16 times the first, cut to the most";
    ends.insert(end.ms);
  }
  EXPECT_GT(ends.size(), 90U);
}

TEST(TokenBucket, LetsThroughTheBurstAndTheRateInEveryWindow) {
  Random random(7);
  for (const BucketRule rule : {BucketRule{1, 60}, BucketRule{20, 7}, BucketRule{3, 600'000}}) {
    TokenBucket bucket;
    Instant now{1'000'000};
    std::vector<Instant> taken;
    for (int n = 0; n < 3'000; ++n) {
      now = now + milliseconds(static_cast<std::int64_t>(random.below(2'000)));
      while (bucket.has_one(rule, now) && random.chance(90)) {
        EXPECT_GT(bucket.left(rule, now), 0U);
        bucket.take(rule, now);
        taken.push_back(now);
        if (taken.size() > 20'000) break;
      }
      if (!bucket.has_one(rule, now)) {
        EXPECT_EQ(bucket.left(rule, now), 0U);
        EXPECT_TRUE(bucket.has_one(rule, bucket.next_at(rule)));
        EXPECT_FALSE(bucket.has_one(rule, bucket.next_at(rule) - milliseconds(1)));
      }
    }
    for (std::size_t from = 0; from + 50 < taken.size(); from += 17) {
      const std::int64_t window = taken[from + 50].ms - taken[from].ms;
      EXPECT_LE(51, static_cast<std::int64_t>(rule.burst) + 1 +
                        window * static_cast<std::int64_t>(rule.per_minute) / 60'000);
    }
  }
}

}  // namespace
}  // namespace troupe
