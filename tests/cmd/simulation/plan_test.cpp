#include "cmd/simulation/plan.hpp"

#include <gtest/gtest.h>

namespace troupe::simulation {
namespace {

TEST(Plan, ASeedGivesTheSamePlanTwiceAndAnotherSeedAnother) {
  const Plan one = draw_plan(7, small_scope());
  const Plan again = draw_plan(7, small_scope());
  ASSERT_EQ(one.steps.size(), again.steps.size());
  for (std::size_t n = 0; n < one.steps.size(); ++n) {
    EXPECT_EQ(one.steps[n].at, again.steps[n].at);
    EXPECT_EQ(one.steps[n].kind, again.steps[n].kind);
    EXPECT_EQ(one.steps[n].dice, again.steps[n].dice);
  }
  EXPECT_NE(one.steps[0].dice, draw_plan(8, small_scope()).steps[0].dice);
}

TEST(Plan, HasWhatItsScopeSaysInTheOrderOfTime) {
  const Plan plan = draw_plan(1, loaded_scope());
  std::size_t submits = 0;
  for (std::size_t n = 0; n < plan.steps.size(); ++n) {
    submits += plan.steps[n].kind == StepKind::submit ? 1 : 0;
    EXPECT_LE(plan.steps[n].at, plan.scope.span);
    if (n > 0) {
      EXPECT_LE(plan.steps[n - 1].at, plan.steps[n].at);
    }
  }
  EXPECT_EQ(submits, 60u * 20u);
}

TEST(Plan, OfSomeStepsKeepsTheirFirstNumbers) {
  const Plan plan = draw_plan(1, small_scope());
  const Plan some = only(plan, {2, 5, 9});
  const Plan fewer = only(some, {1, 3});
  ASSERT_EQ(fewer.steps.size(), 2u);
  EXPECT_EQ(fewer.steps[1].dice, plan.steps[8].dice);
  EXPECT_EQ(numbers_text(fewer.kept), "2,9");
  EXPECT_TRUE(only(plan, {0, plan.steps.size() + 1}).steps.empty());
}

TEST(Plan, NumbersAreReadAsTheyAreWritten) {
  EXPECT_EQ(numbers_text({3, 7, 8, 9, 12}), "3,7-9,12");
  EXPECT_EQ(parse_numbers("3,7-9,12").value(), (std::vector<std::size_t>{3, 7, 8, 9, 12}));
  for (const char* wrong : {"x", "3,", "3-", "9-7", "0", "3;4", "-1", "1-99999999999"})
    EXPECT_EQ(parse_numbers(wrong).error().code, ErrorCode::invalid_argument) << wrong;
}

TEST(Plan, TunablesAreMadePlainByName) {
  std::uint64_t seed = 1;
  while (draw_plan(seed, small_scope()).tunables.resets == 0) ++seed;
  Plan plan = draw_plan(seed, small_scope());
  EXPECT_EQ(plain_tunables(plan), "");
  ASSERT_TRUE(make_plain(plan, "resets").ok());
  EXPECT_EQ(plan.tunables.resets, 0u);
  EXPECT_EQ(plain_tunables(plan), "resets");
  EXPECT_EQ(make_plain(plan, "resets,weather").error().code, ErrorCode::invalid_argument);
  ASSERT_TRUE(make_plain(plan, "all").ok());
  EXPECT_EQ(plan.tunables.state_flush_ms, Tunables{}.state_flush_ms);
}

}  // namespace
}  // namespace troupe::simulation
