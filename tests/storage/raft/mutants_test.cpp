// Every deliberate bug must be found by the history of a cluster: in the simulation with a recorded seed, or
// in a scenario. Built with TROUPE_RAFT_MUTANTS, which also takes the core's own assertions away.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "tests/storage/raft/mutant_hunt.hpp"
#include "tests/storage/raft/mutant_kills.hpp"
#include "tests/storage/raft/simulation.hpp"

namespace troupe::raft::test {
namespace {

constexpr std::uint64_t events = 2500;  ///< as RaftSimulation runs them

struct Named {
  Mutant mutant;
  int pitfall;
  const char* name;
  const char* what;
};
const std::vector<Named> mutants = {
#define X(name, pitfall, what) {Mutant::name, pitfall, #name, what},
    TROUPE_RAFT_MUTANT_LIST(X)
#undef X
};

// A child's part: the mutant is chosen before any test runs.
const bool chosen = [] {
  const char* name = std::getenv("RAFT_MUTANT");
  for (const Named& each : mutants) {
    if (name && std::string(name) == each.name) active_mutant = each.mutant;
  }
  return true;
}();

std::optional<std::string> run_seed(Mutant mutant, std::uint64_t seed) {
  active_mutant = mutant;
  auto violation = Simulation(seed).run(events);
  active_mutant = Mutant::none;
  return violation;
}

const MutantHunt hunt{__FILE__};

/// A scenario in a process of its own; true when it fails, other than by a broken check of the core.
bool scenario_fails(const Named& mutant, const std::string& scenario) {
  const std::string command = "RAFT_MUTANT=" + std::string(mutant.name) + " exec '" +
                              std::filesystem::read_symlink("/proc/self/exe").string() +
                              "' --gtest_filter=" + scenario + " --gtest_color=no 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return false;
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  ::pclose(pipe);
  return output.find("[       OK ] " + scenario) == std::string::npos &&
         output.find("C++ exception") == std::string::npos;
}

class Mutants : public testing::TestWithParam<Named> {};

TEST_P(Mutants, AreKilled) {
  ASSERT_TRUE(chosen);
  const Named& mutant = GetParam();
  bool killed = false;
  for (const Kill& kill : kills) {
    if (kill.mutant != mutant.mutant) continue;
    EXPECT_TRUE(scenario_fails(mutant, kill.scenario)) << kill.scenario << " passes";
    EXPECT_FALSE(scenario_fails({Mutant::none, 0, "none", ""}, kill.scenario));
    std::cout << "mutant=" << mutant.name << " scenario=" << kill.scenario << "\n";
    killed = true;
  }
  if (const std::uint64_t seed = hunt.recorded_seed(mutant.name); seed != 0) {
    hunt.replay(
        mutant.name, seed, [&](std::uint64_t at) { return run_seed(mutant.mutant, at); },
        [](std::uint64_t at) { return run_seed(Mutant::none, at); });
    killed = true;
  }
  EXPECT_TRUE(killed) << mutant.name << " (" << mutant.what << ") has no recorded kill";
}

INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(mutants),
                         [](const auto& of) { return std::string(of.param.name); });

// See mutant_hunt.hpp: HUNT=SECONDS looks that long for a seed of each mutant without one.
TEST(RaftMutantHunt, PrintsSeeds) {
  if (!hunt.seconds()) GTEST_SKIP() << "set HUNT to a number of seconds";
  for (const Named& mutant : mutants)
    if (hunt.wants(mutant.name))
      hunt.search(
          mutant.name, [&](std::uint64_t seed) { return run_seed(mutant.mutant, seed); },
          [](std::uint64_t seed) { return run_seed(Mutant::none, seed); });
}

}  // namespace
}  // namespace troupe::raft::test
