// Patience and its end, under a clock that the test moves.

#include "actors/agent/images/registry_backoff.hpp"

#include <gmock/gmock.h>

namespace troupe::agent {
namespace {

using State = CircuitBreaker::State;

BackoffLimits small_limits() {
  BackoffLimits limits;
  limits.wait_first = milliseconds(100);
  limits.wait_max = milliseconds(1'000);
  limits.idle_max = milliseconds(5'000);
  limits.pull_max = milliseconds(20'000);
  return limits;
}

TEST(PullBudget, WaitsTwiceAsLongEachTimeAndHalfOfItIsChance) {
  Random random(7);
  Moment now{1};
  PullBudget budget(small_limits(), now);
  for (const int most : {100, 200, 400, 800, 1'000, 1'000}) {
    const auto wait = budget.wait_for(now, {}, random);
    ASSERT_TRUE(wait);
    EXPECT_GE(*wait, milliseconds(most / 2));
    EXPECT_LE(*wait, milliseconds(most));
  }
  budget.progressed(now + milliseconds(1));
  EXPECT_LE(*budget.wait_for(now + milliseconds(1), {}, random), milliseconds(100)) << "patient anew";
  EXPECT_TRUE(budget.has_progressed());
}

TEST(PullBudget, GivesUpRatherThanWaitBeyondItsEnd) {
  Random random(7);
  const Moment begin{0};
  PullBudget idle(small_limits(), begin);
  EXPECT_EQ(idle.wait_for(begin, milliseconds(5'000), random), std::nullopt)
      << "Retry-After asks for too much";
  EXPECT_EQ(*idle.wait_for(begin, milliseconds(4'000), random), milliseconds(4'000));
  EXPECT_EQ(idle.wait_for(begin + milliseconds(4'999), {}, random), std::nullopt);
  PullBudget busy(small_limits(), begin);
  for (int second = 1; second < 20; ++second) {
    const Moment now = begin + std::chrono::seconds(second);
    busy.progressed(now);
    EXPECT_TRUE(busy.wait_for(now, {}, random)) << second;
  }
  busy.progressed(begin + milliseconds(19'990));
  EXPECT_EQ(busy.wait_for(begin + milliseconds(19'990), {}, random), std::nullopt)
      << "no pull lasts for ever";
}

TEST(CircuitBreaker, OpensAfterFailuresInARowAndLetsOneProbeThrough) {
  Random random(7);
  BreakerLimits limits;
  limits.failures_max = 3;
  limits.open_first = milliseconds(1'000);
  limits.open_max = milliseconds(3'000);
  CircuitBreaker breaker(limits);
  Moment now{0};
  for (int i = 0; i < 2; ++i) breaker.failed(now, random);
  breaker.succeeded();
  for (int i = 0; i < 2; ++i) breaker.failed(now, random);
  EXPECT_EQ(breaker.admit(now), std::nullopt) << "not three in a row";
  breaker.failed(now, random);
  EXPECT_EQ(breaker.state(), State::open);
  const auto first = breaker.admit(now);
  ASSERT_TRUE(first);
  EXPECT_GE(*first, milliseconds(500));
  EXPECT_LE(*first, milliseconds(1'000));
  breaker.failed(now, random);
  EXPECT_EQ(breaker.admit(now), first) << "a late failure of an old attempt changes nothing";
  now = now + *first;
  EXPECT_EQ(breaker.admit(now), std::nullopt);
  EXPECT_EQ(breaker.state(), State::half_open);
  EXPECT_EQ(breaker.admit(now), breaker_probe_wait) << "one at a time";
  breaker.abandoned();
  EXPECT_EQ(breaker.admit(now), std::nullopt) << "the first said nothing";
  breaker.failed(now, random);
  EXPECT_EQ(breaker.state(), State::open);
  EXPECT_GE(*breaker.admit(now), milliseconds(1'000)) << "twice as long";
  for (int i = 0; i < 10; ++i) {
    now = now + *breaker.admit(now);
    EXPECT_EQ(breaker.admit(now), std::nullopt);
    breaker.failed(now, random);
    EXPECT_LE(*breaker.admit(now), limits.open_max);
  }
  now = now + *breaker.admit(now);
  EXPECT_EQ(breaker.admit(now), std::nullopt);
  breaker.succeeded();
  EXPECT_EQ(breaker.state(), State::closed);
  EXPECT_EQ(breaker.admit(now), std::nullopt);
}

TEST(CircuitBreaker, FiftyTasksMeetADeadRegistryAFewTimesOnly) {
  Random random(7);
  CircuitBreaker breaker{BreakerLimits{}};
  int asked = 0;
  for (Moment now{0}; now < Moment{0} + std::chrono::seconds(60); now = now + milliseconds(100))
    for (int task = 0; task < 50; ++task)
      if (!breaker.admit(now)) {
        ++asked;
        breaker.failed(now, random);
      }
  EXPECT_LT(asked, 15);
  EXPECT_GT(asked, 5);
}

}  // namespace
}  // namespace troupe::agent
