#include "cmd/simulation/shrink.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::simulation {
namespace {

/// Fails if the plan still has all of these steps.
std::function<Verdict(const Plan&)> fails_with(std::vector<std::uint64_t> dice) {
  return [dice](const Plan& plan) {
    Verdict verdict;
    const auto has = [&](std::uint64_t wanted) {
      return std::any_of(plan.steps.begin(), plan.steps.end(),
                         [&](const Step& step) { return step.dice == wanted; });
    };
    if (std::all_of(dice.begin(), dice.end(), has)) verdict.how = Verdict::How::violation;
    return verdict;
  };
}

TEST(Shrink, FindsTheTwoStepsThatMatter) {
  const Plan plan = draw_plan(3, small_scope());
  ASSERT_GT(plan.steps.size(), 60u);
  const Shrunk shrunk = shrink(plan, 500, fails_with({plan.steps[4].dice, plan.steps[50].dice}));
  EXPECT_EQ(numbers_text(shrunk.plan.kept), "5,51");
  EXPECT_EQ(plain_tunables(shrunk.plan).find("seed"), std::string::npos);
  EXPECT_EQ(shrunk.plan.tunables.resets, 0u);
  EXPECT_EQ(shrunk.verdict.how, Verdict::How::violation);
}

TEST(Shrink, StopsAtItsBoundOfLives) {
  const Plan plan = draw_plan(3, small_scope());
  const Shrunk shrunk = shrink(plan, 5, fails_with({plan.steps[4].dice}));
  EXPECT_LE(shrunk.lives, 5u);
  EXPECT_EQ(shrunk.verdict.how, Verdict::How::violation);
}

TEST(Shrink, LeavesAPlanAloneThatDoesNotFail) {
  const Plan plan = draw_plan(3, small_scope());
  const Shrunk shrunk = shrink(plan, 100, fails_with({1}));
  EXPECT_EQ(shrunk.plan.steps.size(), plan.steps.size());
  EXPECT_EQ(shrunk.lives, 1u);
}

}  // namespace
}  // namespace troupe::simulation
