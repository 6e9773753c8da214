#include "actors/balancer/level_plan.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using Known = std::vector<std::optional<std::uint32_t>>;

CellRecord cell(std::uint32_t level, std::uint64_t level_max = CellPolicy::level_unbounded) {
  CellRecord record;
  record.name = "test";
  record.level = level;
  record.policy.level_max = level_max;
  return record;
}

TEST(LevelPlan, RisesByOneWhenEveryMemberKnowsIt) {
  EXPECT_EQ(next_level(cell(0), Known{1, 1, 1}), 1U);
  EXPECT_EQ(next_level(cell(1), Known{3, 5, 3}), 2U);
}

TEST(LevelPlan, WaitsForWhoKnowsLessAndForWhoIsNotHeard) {
  EXPECT_EQ(next_level(cell(0), Known{1, 0, 1}), std::nullopt);
  EXPECT_EQ(next_level(cell(0), Known{1, std::nullopt, 1}), std::nullopt);
  EXPECT_EQ(next_level(cell(1), Known{1, 1, 1}), std::nullopt);
}

TEST(LevelPlan, WaitsForBootstrapAndForWordOfTheMembers) {
  CellRecord unnamed = cell(0);
  unnamed.name.clear();
  EXPECT_EQ(next_level(unnamed, Known{1}), std::nullopt);
  EXPECT_EQ(next_level(cell(0), Known{}), std::nullopt);
}

TEST(LevelPlan, ACellBeginsWithLimitsOnlyWhenEveryMemberKnowsThem) {
  CellPolicy limits;
  limits.launches_per_minute = 60;
  EXPECT_TRUE(may_bootstrap(CellPolicy{}, Known{})) << "what every build knows waits for nobody";
  EXPECT_TRUE(may_bootstrap(CellPolicy{}, Known{1, std::nullopt, 0}));
  EXPECT_TRUE(may_bootstrap(limits, Known{2, 3, 2}));
  EXPECT_FALSE(may_bootstrap(limits, Known{2, 1, 2}));
  EXPECT_FALSE(may_bootstrap(limits, Known{2, std::nullopt, 2}));
  EXPECT_FALSE(may_bootstrap(limits, Known{}));
}

TEST(LevelPlan, KeepsTheWayBackThatThePolicyAsksFor) {
  EXPECT_EQ(next_level(cell(1, 1), Known{2, 2}), std::nullopt);
  EXPECT_EQ(next_level(cell(1, 2), Known{2, 2}), 2U);
}

}  // namespace
}  // namespace troupe
