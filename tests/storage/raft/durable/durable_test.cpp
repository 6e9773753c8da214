#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/storage/raft/durable/simulation.hpp"

namespace troupe::raft::test {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string story(std::uint64_t seed, std::uint64_t events) {
  std::string out =
      "repeat with: RAFT_DURABLE_SEED=" + std::to_string(seed) +
      " RAFT_DURABLE_EVENTS=" + std::to_string(events) +
      " ./raft_durable_tests --gtest_filter=RaftDurable.*\n(RAFT_DURABLE_SHRINK=1 names the faults it needs)";
  if (from_environment("RAFT_DURABLE_SHRINK", 0) == 0) return out;
  out += "\nfaults needed:";
  for (const Fault& fault : shrunk(seed, faults_of(seed, events), events)) out += " " + text_of(fault);
  return out;
}

void print(std::uint64_t seeds, const Counts& counts) {
  std::cout << "seeds=" << seeds << " events=" << counts.events << " leaders=" << counts.leaders
            << " commits=" << counts.commits << " writes=" << counts.writes << " reads=" << counts.reads
            << " restarts=" << counts.restarts << " damaged=" << counts.damaged
            << " snapshots=" << counts.snapshots << " changes=" << counts.changes;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    const std::string name = text_of({0, static_cast<FaultKind>(kind), 0});
    std::cout << " " << name.substr(0, name.find('@')) << "=" << counts.faults[kind];
  }
  std::cout << "\n";
}

// RAFT_DURABLE_SEED repeats one seed, RAFT_DURABLE_SEEDS runs more, RAFT_DURABLE_FIRST begins elsewhere.
TEST(RaftDurable, CoreAndStoreHoldTheirPromisesUnderFaults) {
  const std::uint64_t only = from_environment("RAFT_DURABLE_SEED", 0);
  const std::uint64_t first = only ? only : from_environment("RAFT_DURABLE_FIRST", 1);
  const std::uint64_t count = only ? 1 : from_environment("RAFT_DURABLE_SEEDS", 3000);
  const std::uint64_t events = from_environment("RAFT_DURABLE_EVENTS", 4000);
  Counts counts;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    DurableSimulation simulation(seed, faults_of(seed, events));
    const auto violation = simulation.run(events);
    counts.add(simulation.counts());
    ASSERT_FALSE(violation) << *violation << " seed=" << seed << "\n" << story(seed, events);
  }
  print(count, counts);
  if (only || count < 100) return;
  // A simulation in which nothing happens finds nothing.
  EXPECT_GT(counts.commits, 10 * count);
  EXPECT_GT(counts.writes, count);
  EXPECT_GT(counts.reads, count);
  EXPECT_GT(counts.snapshots, count / 10);
  EXPECT_GT(counts.changes, count / 10);
  EXPECT_GT(counts.damaged, count / 20);
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) EXPECT_GT(counts.faults[kind], count / 10) << kind;
}

TEST(RaftDurable, ASeedIsAlwaysTheSameRun) {
  DurableSimulation one(5, faults_of(5, 3000)), two(5, faults_of(5, 3000));
  EXPECT_EQ(one.run(3000), two.run(3000));
  EXPECT_EQ(one.counts().commits, two.counts().commits);
  EXPECT_EQ(one.counts().reads, two.counts().reads);
  EXPECT_GT(one.counts().commits, 0u);
}

}  // namespace
}  // namespace troupe::raft::test
