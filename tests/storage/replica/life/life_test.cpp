#include <gtest/gtest.h>

#include <iostream>

#include "tests/storage/replica/life/life_options.hpp"

namespace troupe {
namespace {

std::string story(std::uint64_t seed, milliseconds length) {
  std::string out =
      "repeat with: LIFE_SEED=" + std::to_string(seed) + " LIFE_MS=" + std::to_string(length.count()) +
      " build/release/replica_life_tests --gtest_filter=Life.Keeps*\n(LIFE_SHRINK=1 names the faults "
      "it needs)";
  if (from_environment("LIFE_SHRINK", 0) == 0) return out;
  out += "\nfaults needed:";
  for (const Fault& fault : shrunk(seed, faults_of(seed, length), length)) out += " " + text_of(fault);
  return out;
}

/// Up to the first violation.
void live(std::uint64_t first, std::uint64_t count, LifeCounts& counts) {
  const milliseconds length = life_length();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Life life(seed, faults_of(seed, length), length);
    const auto violation = life.run();
    counts.add(life.counts());
    ASSERT_FALSE(violation) << *violation << " seed=" << seed << "\n" << story(seed, length);
  }
  std::cout << "seeds=" << count << " " << text_of(counts) << "\n";
}

// LIFE_SEED repeats one seed, LIFE_SEEDS runs more, LIFE_FIRST begins elsewhere, LIFE_MS makes each longer.
TEST(Life, KeepsEveryPromiseUnderEveryFault) {
  const std::uint64_t only = from_environment("LIFE_SEED", 0);
  const std::uint64_t first = only ? only : from_environment("LIFE_FIRST", 1);
  const std::uint64_t count = only ? 1 : from_environment("LIFE_SEEDS", life_seeds);
  LifeCounts counts;
  ASSERT_NO_FATAL_FAILURE(live(first, count, counts));
  if (only || count < 100) return;
  // A simulation in which nothing happens finds nothing.
  EXPECT_GT(counts.commits, 20 * count);
  EXPECT_GT(counts.answers, 10 * count);
  EXPECT_GT(counts.reads, 10 * count);
  EXPECT_GT(counts.snapshots, count / 5);
  EXPECT_GT(counts.configs, count / 5);
  EXPECT_GT(counts.cuts, count);
  EXPECT_GT(counts.stops, count / 10);
  EXPECT_GT(counts.stalls, count / 5);
  EXPECT_GT(counts.leaps_refused, count / 100);
  EXPECT_GT(counts.damaged, count / 50);
  EXPECT_GT(counts.raises, count / 5);
  EXPECT_GT(counts.refused, count / 50);
  for (std::size_t kind = 0; kind < fault_kinds; ++kind)
    EXPECT_GT(counts.faults[kind], count / 20) << fault_names[kind];
}

TEST(Life, KeepsThemFromSeedsThatNobodyHasTried) {
  constexpr std::uint64_t count = life_seeds / 2;
  LifeCounts counts;
  live(Random::from_system().next() >> 16, count, counts);
}

TEST(Life, ASeedIsAlwaysTheSameRun) {
  Life one(5, faults_of(5, life_length()), life_length()), two(5, faults_of(5, life_length()), life_length());
  EXPECT_EQ(one.run(), two.run());
  EXPECT_EQ(one.counts(), two.counts());
  EXPECT_GT(one.counts().commits, 0u);
}

}  // namespace
}  // namespace troupe
