#pragma once
// Seeds that kill deliberate bugs: recorded, replayed, looked for.

#include <functional>
#include <optional>
#include <string>

namespace troupe::raft::test {

/// Of one simulation. The seeds stand in mutant_seeds.txt beside the test's source, "name seed" a line.
class MutantHunt {
 public:
  using Run = std::function<std::optional<std::string>(std::uint64_t seed)>;  ///< the violation
  explicit MutantHunt(const char* source_file);

  std::uint64_t recorded_seed(const std::string& mutant) const;  ///< 0: none
  /// Expects the seed to fail with the bug and to pass without, and prints what the table of kills is made
  /// of.
  void replay(const std::string& mutant, std::uint64_t seed, const Run& with, const Run& without) const;

  // HUNT=SECONDS for each, HUNT_MUTANT=NAME: of that one alone, HUNT_FIRST=SEED: where to begin.
  std::optional<double> seconds() const;
  /// Is this one looked for? Those without a seed are, if none is named.
  bool wants(const std::string& mutant) const;
  /// Prints the line of mutant_seeds.txt, or that the bug survives.
  void search(const std::string& mutant, const Run& with, const Run& without) const;

 private:
  std::string seeds_file_;
};

}  // namespace troupe::raft::test
