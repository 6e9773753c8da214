// A job's core against a toy state in a hostile world: tasks end for every reason, proposals are lost,
// refused or have no known outcome, cores are replaced. Whatever happens, the promises hold and the job gets
// where it should.

#include "actors/cores/job_core.hpp"
#include "tests/actors/cores/toy_job.hpp"

namespace troupe::cores {
namespace {

using test::ToyJob;

/// The duty that the state machine keeps for a job: when it has something to do next.
std::optional<Instant> job_duty(const JobView& view, Instant now) {
  const auto& job = view.record;
  if (job.state == JobState::finished) return std::nullopt;
  std::optional<Instant> due = job.state == JobState::accepted ? throttle_over(view) : std::nullopt;
  std::size_t live = 0, closed = 0;
  const bool is_batch = job.descriptor->is_batch();
  for (const SlotEntry& slot : view.slots) {
    const bool wanted = slot.record.number.value < job.capacity.desired;
    const bool killable = slot.live != nullptr && slot.live->state < TaskState::kill_initiated;
    live += slot.live != nullptr;
    closed += is_closed(slot.record.state);
    if (killable && (job.state == JobState::kill_initiated || !wanted)) return now;
    if (job.state != JobState::accepted) continue;
    if (slot.record.state == SlotState::ended && (is_batch || wanted)) return now;
    if (slot.record.state == SlotState::empty && wanted) return now;
    if (slot.record.state == SlotState::waiting && wanted)
      due = std::min(due.value_or(Instant{INT64_MAX}), waiting_due(slot.record, view));
  }
  if (job.state == JobState::kill_initiated) return live == 0 ? std::optional(now) : std::nullopt;
  if (view.slots.size() < job.capacity.desired) return now;
  if (is_batch && closed == job.capacity.desired) return now;
  return due;
}

JobDescriptor random_job(Random& random) {
  RetryPolicy retry;
  retry.kind = static_cast<RetryPolicy::Kind>(random.below(3));
  retry.retries = static_cast<std::uint32_t>(random.below(4));
  retry.delay = milliseconds(static_cast<std::int64_t>(random.below(5'000)));
  retry.delay_max = milliseconds(60'000);
  JobDescriptor d;
  const auto size = static_cast<std::uint32_t>(1 + random.below(40));
  BatchSpec batch;
  batch.size = size;
  batch.retry = retry;
  batch.retry_on_runtime_limit = random.chance(50);
  ServiceSpec service;
  service.capacity = {0, size, 100};
  service.retry = retry;
  if (random.chance(50))
    d.kind = batch;
  else
    d.kind = service;
  return d;
}

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), toy_(random_job(random_)), core_(Random(seed)) {
    if (seed % 2 == 0) toy_.limit = {random_.below(5), 1 + random_.below(100)};
  }

  void step(bool is_hostile) {
    toy_.now = toy_.now + milliseconds(static_cast<std::int64_t>(random_.below(is_hostile ? 2'000 : 20'000)));
    live_a_little(is_hostile);
    if (is_hostile && !toy_.job.descriptor->is_batch() && random_.chance(5))
      toy_.job.capacity.desired = static_cast<std::uint32_t>(random_.below(60));
    if (is_hostile && random_.chance(3)) {
      core_ = JobCore(Random(random_.next()));  // moved to another node; its proposal may still come true
      if (outstanding_ && random_.chance(50)) toy_.apply(outstanding_->body);
      outstanding_.reset();
    }
    if (outstanding_)
      settle(is_hostile);
    else
      tell(Look{});
    check();
  }
  ToyJob& toy() { return toy_; }

 private:
  void tell(const JobEvent& event) {
    toy_.with_view([&](const JobView& view) {
      const auto effects = core_.on(toy_.now, view, event);
      EXPECT_LE(effects.size(), 1U);
      if (effects.empty()) return;
      if (const auto* wake = std::get_if<WakeAt>(&effects.front())) {
        EXPECT_GT(wake->at, toy_.now);
      }
      if (const auto* propose = std::get_if<Propose>(&effects.front())) {
        EXPECT_EQ(job_duty(view, toy_.now).value_or(Instant{INT64_MAX}) <= toy_.now, true)
            << "a proposal that the attention index would not have led to";
        outstanding_ = *propose;
      }
    });
  }
  void settle(bool is_hostile) {
    const Propose p = *outstanding_;
    outstanding_.reset();
    if (is_hostile && random_.chance(20))
      return tell(Settled{p.number, Settled::How::refused, ErrorCode::fenced, {}});
    if (is_hostile && random_.chance(20)) {
      if (random_.chance(50)) toy_.apply(p.body);
      return tell(Settled{p.number, Settled::How::unknown, {}, {}});
    }
    auto refused = toy_.apply(p.body);
    if (is_hostile && random_.chance(10)) toy_.apply(p.body);  // twice is harmless
    tell(Settled{p.number, Settled::How::taken, {}, std::move(refused)});
  }
  void live_a_little(bool is_hostile) {
    std::vector<TaskId> all;
    for (const auto& [id, task] : toy_.live) all.push_back(id);
    for (const TaskId& id : all) {
      const TaskState state = toy_.live.at(id).state;
      if (state == TaskState::kill_initiated && random_.chance(50))
        toy_.end(id, Reason::killed);
      else if (state < TaskState::started && random_.chance(50))
        toy_.move(id, TaskState::started);
      else if (is_hostile && random_.chance(15))
        toy_.end(id, bad_end());
      else if (state == TaskState::started && toy_.job.descriptor->is_batch() && random_.chance(30))
        toy_.end(id, Reason::normal);
    }
  }
  Reason bad_end() {
    const Reason ends[] = {Reason::normal,
                           Reason::failed,
                           Reason::evicted,
                           Reason::lost,
                           Reason::killed,
                           Reason::crashed,
                           Reason::runtime_limit_exceeded};
    return ends[random_.below(std::size(ends))];
  }
  void check() {
    std::map<std::uint32_t, int> per_slot;
    for (const auto& [id, task] : toy_.live)
      EXPECT_EQ(++per_slot[task.slot.value], 1) << "two live tasks in a slot";
    const auto* batch = toy_.job.descriptor->batch();
    if (batch == nullptr) return;
    for (const SlotRecord& slot : toy_.slots) {
      // An eviction is not counted once it was retried, but is subject to the limit when it is decided.
      EXPECT_LE(slot.resubmits - slot.system_resubmits - slot.eviction_resubmits, batch->retry.retries);
    }
  }

  Random random_;
  ToyJob toy_;
  JobCore core_;
  std::optional<Propose> outstanding_;
};

TEST(JobRandom, GetsWhereItShouldAfterEveryKindOfTrouble) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    ToyJob& toy = world.toy();
    for (int i = 0; i < 150; ++i) world.step(true);
    const bool is_killed = seed % 5 == 0 && toy.job.state == JobState::accepted;
    if (is_killed) toy.job.state = JobState::kill_initiated;
    for (int i = 0; i < 300; ++i) world.step(false);
    // Time heals what failed: the budget is full in the end, and nobody is said to be throttled.
    if (toy.job.state == JobState::accepted) {
      EXPECT_FALSE(toy.job.throttled.is_set());
    }
    if (is_killed || toy.job.descriptor->is_batch()) {
      EXPECT_EQ(toy.job.state, JobState::finished);
      EXPECT_TRUE(toy.live.empty());
      if (is_killed) {
        EXPECT_EQ(toy.job.reason, Reason::killed);
      }
    } else {
      EXPECT_EQ(toy.live.size(), toy.job.capacity.desired);
    }
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace troupe::cores
