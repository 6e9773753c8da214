#include "actors/cores/care_time.hpp"

#include <gtest/gtest.h>

namespace troupe::cores {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
constexpr Instant start{1'000'000};

TEST(CareTime, CountsFromTheFirstMoment) {
  CareTime care;
  care.resume(start);
  EXPECT_EQ(care.since(), start);
}

TEST(CareTime, AShortGapIsNotCountedButEndsNothing) {
  CareTime care;
  care.resume(start);
  Instant now = start;
  for (int i = 0; i < 30; ++i) {  // Two seconds of care, one of none, again and again.
    care.pause(now = now + seconds(2));
    care.resume(now = now + seconds(1));
  }
  EXPECT_EQ(now - care.since(), seconds(60));
}

TEST(CareTime, ALongGapBeginsItAnew) {
  CareTime care;
  care.resume(start);
  care.pause(start + hours(1));
  care.resume(start + hours(1) + CareTime::short_gap_max + milliseconds(1));
  EXPECT_EQ(care.since(), start + hours(1) + CareTime::short_gap_max + milliseconds(1));
}

}  // namespace
}  // namespace troupe::cores
