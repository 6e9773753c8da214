#include "storage/base/pattern.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

TEST(Pattern, AStarStandsForAnyCharacters) {
  EXPECT_TRUE(fits_pattern("*", ""));
  EXPECT_TRUE(fits_pattern("ci-*", "ci-7"));
  EXPECT_TRUE(fits_pattern("*-ci", "big-ci"));
  EXPECT_TRUE(fits_pattern("a*b*c", "a1b2b3c"));
  EXPECT_TRUE(fits_pattern("POST /api/v3/jobs", "POST /api/v3/jobs"));
  EXPECT_FALSE(fits_pattern("POST /api/v3/jobs", "POST /api/v3/jobs/{id}/enable"));
  EXPECT_FALSE(fits_pattern("ci-*", "my-ci-7"));
  EXPECT_FALSE(fits_pattern("a*b", "abc"));
  EXPECT_FALSE(fits_pattern("", "a"));
}

TEST(Pattern, OneCharacterIsWildOnlyWhereSomeoneSaysSo) {
  EXPECT_TRUE(fits_pattern("*ab?", "abcabd", '?'));
  EXPECT_FALSE(fits_pattern("?", "", '?'));
  EXPECT_FALSE(fits_pattern("ab?", "abc"));
  EXPECT_TRUE(fits_pattern("ab?", "ab?"));
}

TEST(Pattern, ManyStarsTakeNoLongerThanPatternTimesText) {
  EXPECT_FALSE(fits_pattern("*a*a*a*a*a*a*a*b", std::string(2'000, 'a')));
}

}  // namespace
}  // namespace troupe
