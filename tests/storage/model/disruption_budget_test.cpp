// How much of a job may be disrupted now.

#include "storage/model/disruption_budget.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

constexpr Instant monday_noon{1795435200000};  // 2026-11-23, 12:00 UTC

DisruptionBudget budget(DisruptionBudget::Policy policy, std::uint32_t limit = 0) {
  DisruptionBudget b;
  b.policy = policy;
  b.policy_limit = limit;
  return b;
}

DisruptionBudget available(std::uint32_t milli_percent) {
  DisruptionBudget b = budget(DisruptionBudget::Policy::availability_percentage);
  b.policy_milli_percent = milli_percent;
  return b;
}

std::uint32_t left(const DisruptionBudget& b, std::uint32_t wanted, std::uint32_t healthy) {
  return disruptions_left(b, {wanted, healthy, {}}, monday_noon);
}

TEST(DisruptionBudgets, NothingSaidAllowsAll) { EXPECT_EQ(left({}, 10, 0), disruptions_unlimited); }

TEST(DisruptionBudgets, KeepAShareHealthyRoundedUp) {
  EXPECT_EQ(left(available(90'000), 10, 10), 1U);
  EXPECT_EQ(left(available(95'000), 10, 10), 0U) << "9.5 of 10 must stay: all";
  EXPECT_EQ(left(available(90'000), 10, 9), 0U) << "one is missing already";
  EXPECT_EQ(left(available(90'000), 10, 2), 0U);
  EXPECT_EQ(left(available(0), 10, 10), 10U);
  EXPECT_EQ(left(available(100'000), 10, 10), 0U);
  EXPECT_EQ(left(available(33'334), 3, 3), 1U);
}

TEST(DisruptionBudgets, LetSoManyBeUnhealthy) {
  const auto b = budget(DisruptionBudget::Policy::unhealthy_tasks, 3);
  EXPECT_EQ(left(b, 10, 10), 3U);
  EXPECT_EQ(left(b, 10, 8), 1U);
  EXPECT_EQ(left(b, 10, 5), 0U);
}

TEST(DisruptionBudgets, LetOneTaskBeMovedSoOften) {
  const auto b = budget(DisruptionBudget::Policy::relocations, 2);
  EXPECT_EQ(left(b, 10, 0), disruptions_unlimited);
  EXPECT_TRUE(may_relocate(b, 1));
  EXPECT_FALSE(may_relocate(b, 2));
  EXPECT_TRUE(may_relocate(available(100'000), 99));
}

TEST(DisruptionBudgets, LeaveASelfManagedJobToItsOwner) {
  EXPECT_EQ(left(budget(DisruptionBudget::Policy::self_managed), 10, 10), 0U);
}

TEST(DisruptionBudgets, AllowNoMoreThanTheirRate) {
  DisruptionBudget b = available(0);
  b.rate = DisruptionBudget::Rate::per_interval;
  b.rate_limit = 2;
  b.interval = milliseconds(60'000);
  const auto left_at = [&](Disruptions disrupted, Instant now) {
    return disruptions_left(b, {10, 10, disrupted}, now);
  };
  EXPECT_EQ(left_at({}, monday_noon), 2U);
  const Disruptions one = disrupted_after(b, {}, monday_noon, 1);
  EXPECT_EQ(one, (Disruptions{monday_noon, 1}));
  EXPECT_EQ(left_at(one, monday_noon + milliseconds(59'999)), 1U);
  const Disruptions two = disrupted_after(b, one, monday_noon + milliseconds(10), 1);
  EXPECT_EQ(two, (Disruptions{monday_noon, 2}));
  EXPECT_EQ(left_at(two, monday_noon + milliseconds(59'999)), 0U);
  EXPECT_EQ(left_at(two, monday_noon + milliseconds(60'000)), 2U);
  EXPECT_EQ(disrupted_after(b, two, monday_noon + milliseconds(60'000), 1).count, 1U);
  b.rate = DisruptionBudget::Rate::percentage_per_hour;
  b.rate_milli_percent = 30'000;
  EXPECT_EQ(left_at({monday_noon, 1}, monday_noon + milliseconds(3'599'999)), 2U);
  EXPECT_EQ(disrupted_after(available(0), {}, monday_noon, 1), Disruptions{})
      << "no rate, nothing to remember";
}

TEST(DisruptionBudgets, AreOpenInTheirWindowsOnly) {
  DisruptionBudget b = available(0);
  using Day = DisruptionWindow::Day;
  const auto allows = [&](DisruptionWindow window) {
    b.windows = {std::move(window)};
    return left(b, 1, 1) > 0;
  };
  EXPECT_TRUE(allows({{Day::monday}, {{12, 13}}, "UTC"}));
  EXPECT_TRUE(allows({{}, {}, ""}));
  EXPECT_FALSE(allows({{Day::monday}, {{8, 12}, {13, 24}}, ""})) << "the end is excluded";
  EXPECT_FALSE(allows({{Day::tuesday, Day::sunday}, {}, ""}));
  EXPECT_FALSE(allows({{Day::monday}, {}, "PST"})) << "nobody here knows when that is";
}

}  // namespace
}  // namespace troupe
