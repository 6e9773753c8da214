#include "tests/storage/raft/mutant_hunt.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "storage/base/time.hpp"

namespace troupe::raft::test {
namespace {

/// Of the processor: other work on the machine must not make a bug look harder to find.
class Stopwatch {
 public:
  double seconds() const { return static_cast<double>(std::clock() - start_) / CLOCKS_PER_SEC; }

 private:
  std::clock_t start_ = std::clock();
};

std::string text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

MutantHunt::MutantHunt(const char* source_file)
    : seeds_file_((std::filesystem::path(source_file).parent_path() / "mutant_seeds.txt").string()) {}

std::uint64_t MutantHunt::recorded_seed(const std::string& mutant) const {
  std::ifstream file(seeds_file_);
  std::string name;
  std::uint64_t seed = 0;
  while (file >> name >> seed)
    if (name == mutant) return seed;
  return 0;
}

void MutantHunt::replay(const std::string& mutant, std::uint64_t seed, const Run& with,
                        const Run& without) const {
  const Stopwatch watch;
  const auto violation = with(seed);
  const double seconds = watch.seconds();
  EXPECT_TRUE(violation) << "seed " << seed << " no longer finds it";
  const std::string found = violation.value_or("nothing");
  std::cout << "mutant=" << mutant << " seed=" << seed << " seconds=" << seconds << " found=\""
            << found.substr(0, found.find_first_of(" \n")) << "\"\n";
  EXPECT_EQ(without(seed), std::nullopt) << "the seed fails without the bug";
}

std::optional<double> MutantHunt::seconds() const {
  const std::string limit = text("HUNT");
  return limit.empty() ? std::nullopt : std::optional(std::stod(limit));
}

bool MutantHunt::wants(const std::string& mutant) const {
  const std::string only = text("HUNT_MUTANT");
  return only.empty() ? recorded_seed(mutant) == 0 : only == mutant;
}

void MutantHunt::search(const std::string& mutant, const Run& with, const Run& without) const {
  const Stopwatch watch;
  const std::string first = text("HUNT_FIRST");
  std::uint64_t seed = first.empty() ? 1 : std::stoull(first), tried = 0;
  std::optional<std::string> violation;
  while (watch.seconds() < seconds().value_or(0)) {
    violation = with(seed);
    ++tried;
    if (violation) break;
    ++seed;
  }
  if (violation) {
    ASSERT_EQ(without(seed), std::nullopt) << "without any bug, seed " << seed;
  }
  std::cout << (violation ? "" : "survives ") << mutant << " " << (violation ? seed : 0)
            << "\n# tried=" << tried << " seconds=" << watch.seconds() << " " << violation.value_or("")
            << std::endl;
}

}  // namespace troupe::raft::test
