#include "actors/cores/job_core.hpp"

#include "actors/cores/slot_policy.hpp"
#include "tests/actors/cores/toy_job.hpp"

namespace troupe::cores {
namespace {

using test::ToyJob;

JobDescriptor batch(std::uint32_t size, RetryPolicy retry = {}) {
  JobDescriptor d;
  BatchSpec spec;
  spec.size = size;
  spec.runtime_limit = milliseconds(60'000);
  spec.retry = retry;
  d.kind = spec;
  return d;
}

JobDescriptor service(std::uint32_t desired, RetryPolicy retry = {}) {
  JobDescriptor d;
  ServiceSpec spec;
  spec.capacity = {0, desired, 1'000};
  spec.retry = retry;
  d.kind = spec;
  return d;
}

/// A core and its toy state: `look` returns the only effect, `settle` applies the outstanding proposal.
struct Story {
  explicit Story(JobDescriptor d, std::uint64_t seed = 1) : toy(std::move(d)), core(Random(seed)) {}

  std::optional<JobEffect> tell(const JobEvent& event) {
    auto effects = toy.with_view([&](const JobView& v) { return core.on(toy.now, v, event); });
    EXPECT_LE(effects.size(), 1U);
    if (effects.empty()) return std::nullopt;
    return effects.front();
  }
  std::optional<JobEffect> look() { return tell(Look{}); }
  template <class Body>
  Body proposed(const std::optional<JobEffect>& effect) {
    last = std::get<Propose>(effect.value());
    return std::get<Body>(last.body);
  }
  std::optional<JobEffect> settle() {
    const auto refused = toy.apply(last.body);
    EXPECT_TRUE(refused.empty());
    return tell(Settled{last.number, Settled::How::taken, {}, refused});
  }
  /// Follows proposals until the core waits.
  JobEffect run() {
    auto effect = look();
    while (effect && std::holds_alternative<Propose>(*effect)) {
      last = std::get<Propose>(*effect);
      effect = settle();
    }
    return effect.value();
  }
  void pass(milliseconds time) { toy.now = toy.now + time; }
  TaskId task(std::size_t slot) const { return toy.slots.at(slot).task; }

  ToyJob toy;
  JobCore core;
  Propose last;
};

bool rests(const JobEffect& effect) { return std::holds_alternative<Rest>(effect); }

TEST(JobCore, StartsATaskForEachEmptySlotAndThenRests) {
  Story s(batch(3));
  const auto body = s.proposed<AdvanceSlots>(s.look());
  ASSERT_EQ(body.items.size(), 3U);
  for (const auto& item : body.items) {
    EXPECT_EQ(item.to, SlotState::running);
    EXPECT_TRUE(item.last.is_nil());
    EXPECT_EQ(item.task.route(), s.toy.job.id.route());
  }
  EXPECT_TRUE(rests(s.settle().value()));
  EXPECT_EQ(s.toy.live.size(), 3U);
}

TEST(JobCore, ProposesNothingWhileAProposalIsOutstanding) {
  Story s(batch(3));
  s.proposed<AdvanceSlots>(s.look());
  EXPECT_FALSE(s.look().has_value());
  EXPECT_FALSE(s.tell(Settled{s.last.number + 1, Settled::How::taken, {}, {}}).has_value());
}

TEST(JobCore, PausesLongerAfterEachRefusalAndForgetsThatAfterSuccess) {
  Story s(batch(1));
  for (const std::int64_t pause : {100, 200, 400, 800, 1'600, 3'200, 5'000, 5'000}) {
    const auto effect = s.look();
    s.proposed<AdvanceSlots>(effect);
    const auto after = s.tell(Settled{s.last.number, Settled::How::refused, ErrorCode::fenced, {}});
    EXPECT_EQ(std::get<WakeAt>(after.value()).at, s.toy.now + milliseconds(pause));
    s.pass(milliseconds(pause));
  }
  EXPECT_TRUE(rests(s.run()));
}

TEST(JobCore, LooksAtTheViewAgainAfterAnUnknownOutcome) {
  Story s(batch(2));
  s.proposed<AdvanceSlots>(s.look());
  s.toy.apply(s.last.body);
  s.tell(Settled{s.last.number, Settled::How::unknown, {}, {}});
  s.pass(ProposalGate::pause_first);
  EXPECT_TRUE(rests(s.run()));
  EXPECT_EQ(s.toy.started_tasks, 2U);
}

TEST(JobCore, HoldsAtThreeHundredTasksThatHaveNotStarted) {
  Story s(batch(1'000));
  EXPECT_TRUE(rests(s.run()));
  EXPECT_EQ(s.toy.live.size(), JobCore::not_started_max);
  for (int i = 0; i < 5; ++i) s.toy.move(s.task(static_cast<std::size_t>(i)), TaskState::started);
  s.run();
  EXPECT_EQ(s.toy.live.size(), JobCore::not_started_max + 5U);
}

TEST(JobCore, PutsAtMostTheBoundIntoOneProposal) {
  Story s(batch(1'000));
  EXPECT_EQ(s.proposed<AdvanceSlots>(s.look()).items.size(), JobCore::items_max);
}

TEST(JobCore, FinishesABatchWhoseSlotsAreAllDone) {
  Story s(batch(2));
  s.run();
  s.toy.end(s.task(0), Reason::normal);
  s.toy.end(s.task(1), Reason::normal);
  EXPECT_TRUE(rests(s.run()));
  EXPECT_EQ(s.toy.job.state, JobState::finished);
  EXPECT_EQ(s.toy.job.reason, Reason::normal);
}

TEST(JobCore, FailsABatchWithAClosedSlotThatFailedAndSaysHowMany) {
  Story s(batch(3));
  s.run();
  s.toy.end(s.task(0), Reason::normal);
  s.toy.end(s.task(1), Reason::failed);
  s.toy.end(s.task(2), Reason::normal);
  s.run();
  EXPECT_EQ(s.toy.job.reason, Reason::failed);
  EXPECT_EQ(s.toy.job.message, "1 of 3 slots failed");
}

TEST(JobCore, WaitsForTheRetryTimeAndThenStartsTheNextTask) {
  RetryPolicy retry{RetryPolicy::Kind::delayed, 3, milliseconds(20'000), {}};
  Story s(batch(1, retry));
  s.run();
  const TaskId first = s.task(0);
  s.toy.end(first, Reason::failed);
  const auto wait = s.run();
  EXPECT_EQ(std::get<WakeAt>(wait).at, s.toy.now + milliseconds(20'000));
  s.pass(milliseconds(20'000));
  EXPECT_TRUE(rests(s.run()));
  EXPECT_NE(s.task(0), first);
  EXPECT_EQ(s.toy.slots[0].resubmits, 1U);
}

TEST(JobCore, KillsAllTasksOfAKilledJobAndFinishesItWhenNoneIsLeft) {
  Story s(batch(3));
  s.run();
  s.toy.move(s.task(1), TaskState::started);
  s.toy.job.state = JobState::kill_initiated;
  const auto kill = s.proposed<KillTasks>(s.look());
  EXPECT_EQ(kill.items.size(), 3U);
  EXPECT_EQ(kill.items[0].reason, Reason::killed);
  EXPECT_TRUE(rests(s.settle().value())) << "the started one is on its way down";
  s.toy.end(s.toy.live.begin()->first, Reason::killed);
  s.run();
  EXPECT_EQ(s.toy.job.state, JobState::finished);
  EXPECT_EQ(s.toy.job.reason, Reason::killed);
}

TEST(JobCore, KillsTheSurplusOfAShrunkServiceAndStartsItAgainWhenItGrows) {
  Story s(service(4));
  s.run();
  for (std::size_t i = 0; i < 4; ++i) s.toy.move(s.task(i), TaskState::started);
  s.toy.job.capacity.desired = 2;
  const auto kill = s.proposed<KillTasks>(s.look());
  ASSERT_EQ(kill.items.size(), 2U);
  EXPECT_EQ(kill.items[0].reason, Reason::scaled_down);
  s.settle();
  s.toy.end(s.task(2), Reason::killed);
  s.toy.end(s.task(3), Reason::killed);
  EXPECT_TRUE(rests(s.run())) << "surplus slots stay as they ended";
  s.toy.job.capacity.desired = 3;
  s.run();
  EXPECT_EQ(s.toy.slots[2].state, SlotState::running);
  EXPECT_EQ(s.toy.slots[3].state, SlotState::ended);
}

TEST(JobCore, RestartsAServiceTaskHoweverItEnded) {
  for (const Reason reason :
       {Reason::normal, Reason::failed, Reason::killed, Reason::evicted, Reason::lost}) {
    Story s(service(1));
    s.run();
    for (int i = 0; i < 5; ++i) {
      s.toy.end(s.task(0), reason);
      s.run();
      s.pass(milliseconds(1'000));
      s.run();
      EXPECT_EQ(s.toy.slots[0].state, SlotState::running);
    }
  }
}

/// The slot's task starts and fails at once.
void fail(Story& s, std::size_t slot) {
  s.toy.move(s.task(slot), TaskState::started);
  s.toy.end(s.task(slot), Reason::failed);
}

TEST(JobCore, SaysThatAJobIsThrottledWaitsForItsBudgetAndSaysThatItIsOver) {
  Story s(service(1));
  s.toy.limit = {1, 60};  // two at once, one a second
  s.run();
  for (int n = 0; n < 2; ++n) {
    fail(s, 0);
    s.run();
    s.pass(milliseconds(1'000));
    s.run();
  }
  fail(s, 0);
  s.toy.job.relaunches.full_at_us = (s.toy.now.ms + 4'000) * 1'000;  // three missing of two: wait
  s.proposed<AdvanceSlots>(s.look());
  s.settle();
  s.pass(milliseconds(1'000));
  const auto note = s.proposed<NoteJobs>(s.look());
  ASSERT_EQ(note.items.size(), 1U);
  EXPECT_TRUE(note.items[0].throttled);
  EXPECT_NE(note.items[0].reason.find("failed"), std::string::npos) << note.items[0].reason;
  const auto waits = s.settle();
  EXPECT_EQ(std::get<WakeAt>(waits.value()).at, s.toy.now + milliseconds(2'000));
  s.pass(milliseconds(2'000));
  const TaskId before = s.task(0);
  s.run();
  EXPECT_NE(s.task(0), before);
  EXPECT_TRUE(s.toy.job.throttled.is_set()) << "its bucket is not full yet";
  const auto until_full = s.look();
  EXPECT_EQ(std::get<WakeAt>(until_full.value()).at, s.toy.job.relaunches.full_at());
  s.pass(milliseconds(2'000));
  EXPECT_FALSE(s.proposed<NoteJobs>(s.look()).items.at(0).throttled);
  s.settle();
  EXPECT_TRUE(rests(s.run()));
}

TEST(JobCore, TakesNoTokenForWhatWasNoFailure) {
  Story s(service(2));
  s.toy.limit = {0, 1};
  s.run();
  for (int n = 0; n < 10; ++n) {
    s.toy.end(s.task(0), Reason::lost);
    s.run();
    s.pass(milliseconds(1'000));
    s.run();
  }
  EXPECT_EQ(s.toy.started_tasks, 12U);
  EXPECT_EQ(s.toy.job.relaunches, TokenBucket{});
}

TEST(JobCore, LeavesAJobThatIsSetAsideAlone) {
  Story s(batch(2));
  s.toy.job.set_aside = "crashed thrice";
  EXPECT_TRUE(rests(s.look().value()));
}

TEST(SlotPolicy, ChoosesVictimsByTitusOrderAmongTheSurplus) {
  Story s(service(5));
  s.run();
  s.toy.move(s.task(1), TaskState::started);
  s.toy.move(s.task(2), TaskState::launched);
  s.toy.move(s.task(4), TaskState::start_initiated);
  s.toy.job.capacity.desired = 1;
  const auto victims = s.toy.with_view([](const JobView& v) { return choose_victims(v, 10); });
  EXPECT_EQ(victims, (std::vector<TaskId>{s.task(3), s.task(2), s.task(4), s.task(1)}));
  EXPECT_EQ(s.toy.with_view([](const JobView& v) { return choose_victims(v, 2); }).size(), 2U);
}

SlotRecord ended(Reason reason, std::uint32_t resubmits = 0, std::uint32_t system = 0,
                 std::uint32_t evicted = 0) {
  SlotRecord slot;
  slot.state = SlotState::ended;
  slot.last_reason = reason;
  slot.resubmits = resubmits;
  slot.system_resubmits = system;
  slot.eviction_resubmits = evicted;
  slot.last_finished = Instant{1'000'000};
  return slot;
}

TEST(SlotPolicy, CountsOnlyTheUsersOwnFailuresAgainstRetries) {
  struct Row {
    Reason reason;
    std::uint32_t resubmits, system, evicted;
    SlotState to;
  };
  const Row rows[] = {
      {Reason::normal, 9, 0, 0, SlotState::done},
      {Reason::failed, 0, 0, 0, SlotState::waiting},
      {Reason::failed, 1, 0, 0, SlotState::waiting},
      {Reason::failed, 2, 0, 0, SlotState::failed},
      {Reason::failed, 9, 5, 3, SlotState::waiting},
      {Reason::failed, 9, 4, 3, SlotState::failed},
      {Reason::killed, 2, 0, 0, SlotState::failed},
      {Reason::evicted, 2, 0, 1, SlotState::waiting},
      {Reason::lost, 50, 0, 0, SlotState::waiting},
      {Reason::crashed, 50, 0, 0, SlotState::waiting},
      {Reason::stuck_in_state, 50, 0, 0, SlotState::waiting},
      {Reason::runtime_limit_exceeded, 0, 0, 0, SlotState::failed},
  };
  const auto job = batch(1, {RetryPolicy::Kind::immediate, 2, {}, {}});
  for (const Row& row : rows) {
    const auto slot = ended(row.reason, row.resubmits, row.system, row.evicted);
    EXPECT_EQ(decide_ended(job, {1, 1, 1}, slot)->to, row.to) << reason_text(row.reason) << row.resubmits;
  }
}

TEST(SlotPolicy, TriesATaskAgainThatGaveWayWhateverTheRetriesAre) {
  const auto job = batch(1, {RetryPolicy::Kind::delayed, 0, milliseconds(9'000), {}});
  const auto decision = decide_ended(job, {1, 1, 1}, ended(Reason::evicted));
  EXPECT_EQ(decision->to, SlotState::waiting);
  EXPECT_EQ(decision->delay, milliseconds(0)) << "it did not fail";
  EXPECT_EQ(decide_ended(job, {1, 1, 1}, ended(Reason::failed))->to, SlotState::failed);
}

TEST(SlotPolicy, TriesNoTaskOfAGangThatDidNotStart) {
  auto job = batch(1, {RetryPolicy::Kind::immediate, 5, {}, {}});
  job.attributes["troupe.gangSeconds"] = "30";
  auto slot = ended(Reason::killed);
  EXPECT_EQ(decide_ended(job, {1, 1, 1}, slot)->to, SlotState::failed);
  slot.last_started = Instant{900'000};
  EXPECT_EQ(decide_ended(job, {1, 1, 1}, slot)->to, SlotState::waiting);
}

TEST(SlotPolicy, RetriesAnExceededRuntimeLimitOnlyOnRequest) {
  auto job = batch(1, {RetryPolicy::Kind::immediate, 1, {}, {}});
  std::get<BatchSpec>(job.kind).retry_on_runtime_limit = true;
  EXPECT_EQ(decide_ended(job, {1, 1, 1}, ended(Reason::runtime_limit_exceeded))->to, SlotState::waiting);
  EXPECT_EQ(decide_ended(job, {1, 1, 1}, ended(Reason::runtime_limit_exceeded, 1))->to, SlotState::failed);
}

TEST(SlotPolicy, DelaysByPolicyAtLeastASecondAndNotAfterAGoodRun) {
  const RetryPolicy immediate{};
  const RetryPolicy quick{RetryPolicy::Kind::delayed, 0, milliseconds(10), {}};
  const RetryPolicy slow{RetryPolicy::Kind::delayed, 0, milliseconds(9'000), {}};
  const RetryPolicy growing{RetryPolicy::Kind::exponential, 0, milliseconds(3'000), milliseconds(10'000)};
  auto slot = ended(Reason::failed);
  EXPECT_EQ(retry_delay(immediate, slot).count(), 1'000);
  EXPECT_EQ(retry_delay(quick, slot).count(), 1'000);
  EXPECT_EQ(retry_delay(slow, slot).count(), 9'000);
  for (const std::int64_t expected : {3'000, 6'000, 10'000, 10'000}) {
    slot.delay = retry_delay(growing, slot);
    EXPECT_EQ(slot.delay.count(), expected);
  }
  slot.last_started = slot.last_finished - good_run + milliseconds(1);
  EXPECT_EQ(retry_delay(growing, slot).count(), 10'000);
  slot.last_started = slot.last_finished - good_run;
  slot.delay = retry_delay(growing, slot);
  EXPECT_EQ(slot.delay.count(), 0);
  slot.last_started = Instant{};
  EXPECT_EQ(retry_delay(growing, slot).count(), 3'000) << "the growth starts anew";
}

}  // namespace
}  // namespace troupe::cores
