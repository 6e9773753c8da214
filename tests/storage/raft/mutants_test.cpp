// Every deliberate bug must be found by the history of a cluster: in the simulation with a recorded seed, or
// in a scenario. Built with TROUPE_RAFT_MUTANTS, which also takes the core's own assertions away.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "storage/base/time.hpp"
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

/// "name seed" lines beside this file, as MutantHunt prints them; 0: none recorded.
std::uint64_t recorded_seed(const std::string& mutant) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "mutant_seeds.txt");
  std::string name;
  std::uint64_t seed = 0;
  while (file >> name >> seed) {
    if (name == mutant) return seed;
  }
  return 0;
}

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

class Stopwatch {
 public:
  std::string seconds() const {
    return std::to_string(std::chrono::duration<double>(clock_.steady() - start_).count());
  }

 private:
  SystemClock clock_;
  Moment start_ = clock_.steady();
};

class Mutants : public testing::TestWithParam<Named> {};

TEST_P(Mutants, AreKilled) {
  ASSERT_TRUE(chosen);
  const Named& mutant = GetParam();
  bool killed = false;
  std::cout << "mutant=" << mutant.name << " pitfall=" << mutant.pitfall;
  for (const Kill& kill : kills) {
    if (kill.mutant != mutant.mutant) continue;
    EXPECT_TRUE(scenario_fails(mutant, kill.scenario)) << kill.scenario << " passes";
    EXPECT_FALSE(scenario_fails({Mutant::none, 0, "none", ""}, kill.scenario));
    std::cout << " scenario=" << kill.scenario;
    killed = true;
  }
  if (const std::uint64_t seed = recorded_seed(mutant.name); seed != 0) {
    const Stopwatch watch;
    const auto violation = run_seed(mutant.mutant, seed);
    EXPECT_TRUE(violation) << "seed " << seed << " no longer finds it";
    std::cout << " seed=" << seed << " seconds=" << watch.seconds() << " found=\""
              << violation.value_or("nothing") << "\"";
    EXPECT_EQ(run_seed(Mutant::none, seed), std::nullopt) << "the seed fails without the bug";
    killed = true;
  }
  std::cout << "\n";
  EXPECT_TRUE(killed) << mutant.name << " (" << mutant.what << ") has no recorded kill";
}

INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(mutants),
                         [](const auto& of) { return std::string(of.param.name); });

// RAFT_HUNT=SECONDS: looks that long for a seed of each mutant (RAFT_MUTANT: of one), and prints the lines of
// mutant_seeds.txt. RAFT_SIM_SEED: where to begin.
TEST(MutantHunt, PrintsSeeds) {
  const char* limit = std::getenv("RAFT_HUNT");
  if (!limit) GTEST_SKIP() << "set RAFT_HUNT to a number of seconds";
  const char* first = std::getenv("RAFT_SIM_SEED");
  const Mutant only = active_mutant;
  active_mutant = Mutant::none;
  for (const Named& mutant : mutants) {
    if (only != Mutant::none && mutant.mutant != only) continue;
    const Stopwatch watch;
    std::uint64_t seed = first ? std::strtoull(first, nullptr, 10) : 1;
    std::uint64_t tried = 0;
    std::optional<std::string> violation;
    for (; !violation && std::stod(watch.seconds()) < std::stod(limit); ++seed, ++tried) {
      violation = run_seed(mutant.mutant, seed);
      if (violation) {
        ASSERT_EQ(run_seed(Mutant::none, seed), std::nullopt) << "without any bug, seed " << seed;
      }
    }
    std::cout << (violation ? "" : "survives ") << mutant.name << " " << (violation ? seed - 1 : 0)
              << "\n# tried=" << tried << " seconds=" << watch.seconds() << " " << violation.value_or("")
              << std::endl;
  }
}

}  // namespace
}  // namespace troupe::raft::test
