#include "storage/base/time.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(StateTime, PrintsAsUtcWithMilliseconds) {
  EXPECT_EQ(to_text(Instant{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_text(Instant{1'795'339'800'123}), "2026-11-22T09:30:00.123Z");
  EXPECT_EQ(to_text(Instant{951'782'399'999}), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(to_text(Instant{951'782'400'000}), "2000-02-29T00:00:00.000Z");
}

TEST(StateTime, BeforeTheEpochCountsDownwards) {
  EXPECT_EQ(to_text(Instant{-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_text(Instant{-1'000}), "1969-12-31T23:59:59.000Z");
}

TEST(StateTime, AddsAndSubtracts) {
  EXPECT_EQ(Instant{5} + milliseconds(7), Instant{12});
  EXPECT_EQ(Instant{5} - milliseconds(7), Instant{-2});
  EXPECT_EQ(Instant{12} - Instant{5}, milliseconds(7));
  EXPECT_FALSE(Instant{}.is_set());
}

TEST(StateTime, ADeadlineBeyondTheEndOfTimeIsTheEndOfTime) {
  // Limits come from users and operators: "for ever" must not wrap into the past.
  EXPECT_EQ(Instant{1'795'339'800'123} + milliseconds(INT64_MAX), Instant{INT64_MAX});
  EXPECT_EQ(Instant{-5} - milliseconds(INT64_MAX), Instant{INT64_MIN});
  EXPECT_EQ(Instant{-5} + milliseconds(INT64_MIN), Instant{INT64_MIN});
}

TEST(MachineClock, SteadyTimeDoesNotGoBack) {
  const SystemClock clock;
  Moment last = clock.steady();
  for (int n = 0; n < 1'000; ++n) {
    const Moment next = clock.steady();
    EXPECT_GE(next, last);
    last = next;
  }
  EXPECT_GT(clock.wall(), Instant{1'700'000'000'000});
}

}  // namespace
}  // namespace troupe
