// Deliberate bugs of the core and of the driver, which the history of a whole life must show: with the seed
// that is recorded for each. Assertions only stop a simulated node here.

#include <gtest/gtest.h>

#include <iostream>

#include "storage/replica/mutant.hpp"
#include "tests/storage/raft/mutant_hunt.hpp"
#include "tests/storage/replica/life/life_options.hpp"

namespace troupe {
namespace {

using raft::test::MutantHunt;

/// One of either list; the other stays none.
struct Named {
  raft::Mutant core = raft::Mutant::none;
  replica::Mutant driver = replica::Mutant::none;
  std::string name;
};
const std::vector<Named> mutants = {
#define X(name, pitfall, what) {raft::Mutant::name, replica::Mutant::none, #name},
    TROUPE_RAFT_MUTANT_LIST(X)
#undef X
#define X(name, what) {raft::Mutant::none, replica::Mutant::name, #name},
        TROUPE_REPLICA_MUTANT_LIST(X)
#undef X
};

std::optional<std::string> life_with(const Named& mutant, std::uint64_t seed) {
  raft::active_mutant = mutant.core;
  replica::active_mutant = mutant.driver;
  auto violation = Life(seed, faults_of(seed, life_length()), life_length()).run();
  raft::active_mutant = raft::Mutant::none;
  replica::active_mutant = replica::Mutant::none;
  return violation;
}

const MutantHunt hunt{__FILE__};

class LifeMutants : public testing::TestWithParam<Named> {};

TEST_P(LifeMutants, AreKilledByARecordedSeed) {
  const std::uint64_t seed = hunt.recorded_seed(GetParam().name);
  if (seed == 0) {
    EXPECT_EQ(GetParam().driver, replica::Mutant::none) << "a bug of the driver needs a seed";
    GTEST_SKIP() << "killed elsewhere: see mutants.md";
  }
  hunt.replay(
      GetParam().name, seed, [](std::uint64_t at) { return life_with(GetParam(), at); },
      [](std::uint64_t at) { return life_with({}, at); });
}

INSTANTIATE_TEST_SUITE_P(All, LifeMutants, testing::ValuesIn(mutants),
                         [](const auto& of) { return of.param.name; });

// HUNT=SECONDS looks that long for a seed of each mutant without one (HUNT_MUTANT=NAME: of that one).
TEST(LifeMutantHunt, PrintsSeeds) {
  if (!hunt.seconds()) GTEST_SKIP() << "set HUNT to a number of seconds";
  for (const Named& mutant : mutants)
    if (hunt.wants(mutant.name))
      hunt.search(
          mutant.name, [&](std::uint64_t seed) { return life_with(mutant, seed); },
          [](std::uint64_t seed) { return life_with({}, seed); });
}

}  // namespace
}  // namespace troupe
