#include "tests/storage/raft/simulation.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace troupe::raft::test {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t plain_seeds = 500;
#else
constexpr std::uint64_t plain_seeds = 1500;
#endif

// RAFT_SIM_SEED repeats one seed, RAFT_SIM_SEEDS runs more of them, RAFT_SIM_FIRST begins elsewhere,
// RAFT_SIM_EVENTS makes each longer.
TEST(RaftSimulation, FaultsNeverBreakTheInvariantsAndAHealedClusterGetsWell) {
  const std::uint64_t only = from_environment("RAFT_SIM_SEED", 0);
  const std::uint64_t first = only ? only : from_environment("RAFT_SIM_FIRST", 1);
  const std::uint64_t count = only ? 1 : from_environment("RAFT_SIM_SEEDS", plain_seeds);
  const std::uint64_t events = from_environment("RAFT_SIM_EVENTS", 2500);
  Tally tally;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Simulation simulation(seed);
    const auto violation = simulation.run(events);
    tally.add(simulation.tally());
    ASSERT_FALSE(violation) << *violation << " seed=" << seed << "\nrepeat with: RAFT_SIM_SEED=" << seed
                            << " RAFT_SIM_EVENTS=" << events
                            << " build/release/raft_tests --gtest_filter=RaftSimulation.Faults*";
  }
  std::cout << "seeds=" << count << " events=" << tally.events << " leaders=" << tally.leaders
            << " commits=" << tally.commits << " reads=" << tally.reads << " crashes=" << tally.crashes
            << " transfers=" << tally.transfers << " configs=" << tally.configs << " wipes=" << tally.wipes
            << " compactions=" << tally.compactions << " snapshots=" << tally.snapshots
            << " stale_snapshots=" << tally.stale_snapshots << " client_answers=" << tally.answers << "\n";
  if (only) return;
  // A simulation in which nothing happens finds nothing.
  EXPECT_GT(tally.leaders, count);
  EXPECT_GT(tally.commits, 10 * count);
  EXPECT_GT(tally.reads, count);
  EXPECT_GT(tally.crashes, count);
  EXPECT_GT(tally.configs, count / 2);
  EXPECT_GT(tally.answers, 4 * count);
  EXPECT_GT(tally.snapshots, count / 4);
  EXPECT_GT(tally.stale_snapshots, count / 100);
}

TEST(RaftSimulation, ASeedIsAlwaysTheSameRun) {
  Simulation one(77), two(77);
  EXPECT_EQ(one.run(3000), two.run(3000));
  EXPECT_EQ(one.tally(), two.tally());
  EXPECT_GT(one.tally().commits, 0u);
}

}  // namespace
}  // namespace troupe::raft::test
