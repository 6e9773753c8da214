// Tasks that are ended so that others have room: apply checks each again.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

/// A host that a low job has filled with tasks of 1,000, and an urgent task that waits.
struct Full {
  Cell cell;
  HostId host = cell.host("h1", {4'000, 8'000, 80'000, 1'000, 0});
  JobId low;
  std::vector<TaskId> running;
  TaskId waiting;

  explicit Full(DisruptionBudget budget = {}, const std::string& group = "DEFAULT",
                std::uint32_t priority = 5) {
    JobDescriptor d = *in_group(service_of(0, 4, 9), group);
    d.budget = std::move(budget);
    low = cell.submit(std::make_shared<const JobDescriptor>(d));
    for (std::uint32_t n = 0; n < 4; ++n) running.push_back(cell.running(low, n, host));
    waiting = cell.start(cell.submit(with_priority(batch_of(2), priority)), 0);
  }
  PreemptTasks::Item item(std::vector<std::size_t> victims) const {
    PreemptTasks::Item out{waiting, cell.task(waiting).version, host, {}};
    for (const std::size_t n : victims) out.victims.push_back(cell.victim(running[n]));
    return out;
  }
  Done preempt(PreemptTasks::Item what) {
    return cell.apply(PreemptTasks{{std::move(what)}}, cell.term_fence());
  }
};

DisruptionBudget available(std::uint32_t milli_percent) {
  DisruptionBudget b;
  b.policy = DisruptionBudget::Policy::availability_percentage;
  b.policy_milli_percent = milli_percent;
  return b;
}

TEST(Preempting, EndsTheVictimsAndTellsThemWhy) {
  Full s;
  const Done done = s.preempt(s.item({1, 2}));
  ASSERT_TRUE(done.taken());
  for (const std::size_t n : {1U, 2U}) {
    const TaskRecord victim = s.cell.task(s.running[n]);
    EXPECT_EQ(victim.state, TaskState::kill_initiated);
    EXPECT_EQ(victim.step(TaskState::kill_initiated).reason, Reason::evicted);
    EXPECT_NE(victim.message.view().find("preempted by task " + to_text(s.waiting)), std::string_view::npos);
  }
  EXPECT_EQ(s.cell.task(s.running[0]).state, TaskState::started);
  EXPECT_EQ(s.cell.reads().group("DEFAULT")->use.leaving.cpu_milli, 2'000);
  expect_derived(*s.cell.machine, *s.cell.store);
  ASSERT_TRUE(
      s.cell.report(s.host, {s.running[1], TaskState::finished, Reason::killed, 0, 15, "ended by SIGTERM"})
          .taken());
  EXPECT_NE(s.cell.archived(s.running[1])->message.view().find("preempted by"), std::string_view::npos);
  EXPECT_EQ(s.cell.slot(s.low, 1).last_reason, Reason::evicted);
  EXPECT_EQ(s.cell.reads().group("DEFAULT")->use.leaving.cpu_milli, 1'000);
  EXPECT_TRUE(s.cell.place(s.waiting, s.host).taken());
  s.cell.restart();
  EXPECT_EQ(s.cell.reads().group("DEFAULT")->use.leaving.cpu_milli, 1'000);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(Preempting, IsTheLeadersAlone) {
  Full s;
  EXPECT_EQ(s.cell.apply(PreemptTasks{{s.item({0})}}).refusal(), ErrorCode::fenced);
  EXPECT_EQ(s.cell.apply(PreemptTasks{{s.item({0})}}, TermFence{Term{9}}).refusal(), ErrorCode::fenced);
}

TEST(Preempting, IsRefusedWhenAnythingHasChanged) {
  Full s;
  auto item = s.item({0});
  item.task_version = item.task_version.next();
  EXPECT_EQ(s.preempt(item).refusal(), ErrorCode::precondition_failed) << "who waits has changed";
  item = s.item({0, 1});
  item.victims[1].version = item.victims[1].version.next();
  EXPECT_EQ(s.preempt(item).refusal(), ErrorCode::precondition_failed) << "a victim has changed";
  EXPECT_EQ(s.cell.task(s.running[0]).state, TaskState::started) << "the other one is spared";
  item = s.item({0, 0});
  EXPECT_EQ(s.preempt(item).refusal(), ErrorCode::invalid_argument);
  item = s.item({0});
  item.host = s.cell.host("h2");
  EXPECT_EQ(s.preempt(item).refusal(), ErrorCode::precondition_failed) << "it is not there";
  item = s.item({0});
  ASSERT_TRUE(s.cell.apply(SetHostPhase{s.host, HostPhase::draining}).taken());
  EXPECT_EQ(s.preempt(item).refusal(), ErrorCode::precondition_failed) << "nothing may be placed there";
  ASSERT_TRUE(s.cell.apply(SetHostPhase{s.host, HostPhase::active}).taken());
  ASSERT_TRUE(s.cell.user_kill(s.waiting).taken());
  EXPECT_EQ(s.preempt(item).refusal(), ErrorCode::not_found) << "nobody waits any more";
  EXPECT_EQ(s.cell.counts(s.low).in(TaskState::started), 4U);
}

TEST(Preempting, NeedsTheHigherPriority) {
  Full s({}, "DEFAULT", 0);
  EXPECT_EQ(s.preempt(s.item({0})).refusal(), ErrorCode::precondition_failed);
}

TEST(Preempting, TakesNoMoreThanIsBorrowedWithinOneCommandAndAcross) {
  Full s({}, "lender");
  ASSERT_TRUE(s.cell.apply(PutGroup{{"lender", Tier::flex, {1'000, 0, 0, 0, 0}, 2, 0, {}}}).taken());
  EXPECT_EQ(s.preempt(s.item({0, 1, 2})).refusal(), ErrorCode::precondition_failed) << "two are borrowed";
  ASSERT_TRUE(s.preempt(s.item({0})).taken());
  EXPECT_EQ(s.preempt(s.item({1, 2})).refusal(), ErrorCode::precondition_failed) << "one is on its way out";
  EXPECT_TRUE(s.preempt(s.item({1})).taken());
  EXPECT_EQ(s.preempt(s.item({2})).refusal(), ErrorCode::precondition_failed) << "the rest was promised";
}

TEST(Preempting, NeverGoesBelowAJobsAvailability) {
  Full s(available(50'000));
  EXPECT_EQ(s.preempt(s.item({0, 1, 2})).refusal(), ErrorCode::limit_exceeded);
  ASSERT_TRUE(s.preempt(s.item({0})).taken());
  const PreemptTasks two{{s.item({1}), s.item({2})}};
  const Done done = s.cell.apply(two, s.cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 1U) << "the first item of the command counts for the second";
  EXPECT_EQ(done.outcome.refused[0].item, 1U);
  EXPECT_EQ(s.cell.counts(s.low).in(TaskState::started), 2U);
}

TEST(Preempting, GoesNoFasterThanAJobsBudgetSays) {
  DisruptionBudget budget = available(0);
  budget.rate = DisruptionBudget::Rate::per_interval;
  budget.rate_limit = 2;
  budget.interval = milliseconds(60'000);
  Full s(budget);
  EXPECT_EQ(s.preempt(s.item({0, 1, 2})).refusal(), ErrorCode::limit_exceeded);
  EXPECT_EQ(s.cell.job(s.low).disrupted, Disruptions{}) << "a refusal leaves no trace";
  ASSERT_TRUE(s.preempt(s.item({0, 1})).taken());
  EXPECT_EQ(s.cell.job(s.low).disrupted, (Disruptions{s.cell.now, 2}));
  s.cell.restart();
  EXPECT_EQ(s.preempt(s.item({2})).refusal(), ErrorCode::limit_exceeded);
  s.cell.now = s.cell.now + milliseconds(60'000);
  EXPECT_TRUE(s.preempt(s.item({2})).taken());
  EXPECT_EQ(s.cell.job(s.low).disrupted.count, 1U);
  expect_derived(*s.cell.machine, *s.cell.store);
}

TEST(Preempting, AsksEachSlotHowOftenItWasMoved) {
  DisruptionBudget budget;
  budget.policy = DisruptionBudget::Policy::relocations;
  budget.policy_limit = 1;
  Full s(budget);
  ASSERT_TRUE(s.preempt(s.item({0})).taken());
  ASSERT_TRUE(s.cell.ended(s.host, s.running[0], Reason::killed).taken());
  ASSERT_TRUE(s.cell.step_slot(s.low, 0, SlotState::waiting).taken());
  s.running[0] = s.cell.running(s.low, 0, s.host);
  EXPECT_EQ(s.preempt(s.item({0})).refusal(), ErrorCode::limit_exceeded);
  EXPECT_TRUE(s.preempt(s.item({1})).taken());
}

TEST(Together, AllAreStartedOrNone) {
  Cell cell;
  const HostId host = cell.host("h1", {2'500, 8'000, 80'000, 1'000, 0});
  const JobId job = cell.submit(batch_of(5));
  PlaceTasks plan;
  for (std::uint32_t n = 0; n < 5; ++n) plan.items.push_back(cell.placement(cell.start(job, n), host));
  plan.together = {3, 1};
  const Done done = cell.apply(plan, cell.term_fence());
  ASSERT_EQ(done.outcome.refused.size(), 3U) << "three do not fit; the fourth and the fifth then do";
  EXPECT_EQ(done.outcome.refused[0].item, 0U);
  EXPECT_EQ(done.outcome.refused[2].item, 2U);
  EXPECT_EQ(cell.reads().host(host)->used.cpu_milli, 2'000);
  plan.together = {9};
  EXPECT_EQ(cell.apply(plan, cell.term_fence()).refusal(), ErrorCode::invalid_argument);
  const auto twice = cell.placement(plan.items[0].task, cell.host("h2"));
  plan.items = {twice, twice};
  plan.together = {2};
  EXPECT_EQ(cell.apply(plan, cell.term_fence()).refusal(), ErrorCode::invalid_argument) << "one task twice";
  expect_derived(*cell.machine, *cell.store);
}

TEST(PreemptingTogether, EndsNobodyUnlessAllMayEnd) {
  Full s(available(50'000));
  const JobId gang = s.cell.submit(with_priority(batch_of(2), 7));
  const TaskId one = s.cell.start(gang, 0), two = s.cell.start(gang, 1);
  const auto item = [&](const TaskId& who, std::vector<std::size_t> victims) {
    PreemptTasks::Item out = s.item(std::move(victims));
    out.task = who;
    out.task_version = s.cell.task(who).version;
    return out;
  };
  const auto together = [&](PreemptTasks::Item a, PreemptTasks::Item b) {
    return s.cell.apply(PreemptTasks{{std::move(a), std::move(b), s.item({3})}, {2}}, s.cell.term_fence());
  };
  Done done = together(item(one, {0, 1}), item(two, {2}));
  ASSERT_EQ(done.outcome.refused.size(), 2U) << "the job keeps half of its tasks: neither has its room";
  EXPECT_EQ(done.outcome.refused[1].item, 1U);
  EXPECT_EQ(s.cell.task(s.running[0]).state, TaskState::started);
  EXPECT_EQ(s.cell.task(s.running[3]).state, TaskState::kill_initiated) << "others are not held up by it";
  done = together(item(one, {0}), item(two, {0}));
  EXPECT_EQ(done.refusal(), ErrorCode::invalid_argument) << "one victim for two";
  EXPECT_EQ(s.cell.task(s.running[0]).state, TaskState::started);
  auto stale = item(two, {2});
  stale.task_version = stale.task_version.next();
  EXPECT_EQ(together(item(one, {0}), stale).refusal(), ErrorCode::precondition_failed);
  EXPECT_EQ(s.cell.task(s.running[0]).state, TaskState::started);
  const PreemptTasks body{{item(one, {0})}, {1}};
  EXPECT_TRUE(s.cell.apply(body, s.cell.term_fence()).taken());
  EXPECT_EQ(s.cell.task(s.running[0]).state, TaskState::kill_initiated);
  EXPECT_EQ(s.cell.apply(PreemptTasks{{}, {1}}, s.cell.term_fence()).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(level_needed(body), level_of_preempting_gangs);
  expect_derived(*s.cell.machine, *s.cell.store);
}

}  // namespace
}  // namespace troupe
