#include "storage/base/random.hpp"

#include <gtest/gtest.h>

#include <set>

namespace troupe {
namespace {

TEST(Randomness, IsXoshiro256PlusPlusSeededBySplitmix) {
  // The vectors that other implementations of the same pair publish for seed 0.
  Random random(0);
  EXPECT_EQ(random.next(), 5987356902031041503ULL);
  EXPECT_EQ(random.next(), 7051070477665621255ULL);
  EXPECT_EQ(random.next(), 6633766593972829180ULL);
  EXPECT_EQ(random.next(), 211316841551650330ULL);
}

TEST(Randomness, TheSameSeedRepeatsAndAnotherDoesNot) {
  Random a(7), b(7), c(8);
  for (int n = 0; n < 100; ++n) {
    const std::uint64_t word = a.next();
    EXPECT_EQ(word, b.next());
    EXPECT_NE(word, c.next());
  }
}

TEST(Randomness, BoundsHoldAndAreReached) {
  Random random(9);
  std::set<std::uint64_t> below;
  std::set<std::int64_t> between;
  for (int n = 0; n < 1'000; ++n) {
    below.insert(random.below(5));
    between.insert(random.between(-2, 2));
    EXPECT_EQ(random.below(1), 0U);
    EXPECT_EQ(random.between(3, 3), 3);
  }
  EXPECT_EQ(below, (std::set<std::uint64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(between, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
}

TEST(Randomness, TheWidestRangeIsARangeToo) {
  Random random(10);
  bool negative = false, positive = false;
  for (int n = 0; n < 100; ++n) {
    const std::int64_t any = random.between(INT64_MIN, INT64_MAX);
    negative = negative || any < 0;
    positive = positive || any > 0;
    EXPECT_LT(random.between(INT64_MIN, 0), 1);
  }
  EXPECT_TRUE(negative && positive);
}

TEST(Randomness, ChancesAreAboutWhatTheySay) {
  Random random(11);
  int hits = 0;
  for (int n = 0; n < 10'000; ++n) hits += random.chance(30) ? 1 : 0;
  EXPECT_NEAR(hits, 3'000, 200);
  for (int n = 0; n < 1'000; ++n) {
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(100));
  }
}

TEST(Randomness, TheSystemsSeedsDiffer) {
  EXPECT_NE(Random::from_system().next(), Random::from_system().next());
}

}  // namespace
}  // namespace troupe
