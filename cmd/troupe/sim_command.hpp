#pragma once
// `troupe sim`: whole cells under virtual time, with users, operators and faults drawn from a seed.

#include <cstdint>
#include <iosfwd>
#include <string>

#include "cmd/simulation/plan.hpp"

namespace CLI {
class App;
}

namespace troupe::cli {

struct Sim {
  std::string seeds = "1";  ///< "7" or "1..100"
  std::string steps;        ///< only these steps of the plan, such as "3,7-9"; empty: all
  std::string plain;        ///< tunables that keep their plain value, by name, with commas; "all"
  bool wants_history = false;
  bool wants_log = false;
  bool shrinks = false;
  bool wants_marks = false;
  bool is_small = false;
  std::uint32_t lives_max = 300;  ///< of shrinking
  std::uint32_t times = 1;        ///< each seed is lived so often
  simulation::Scope scope;
};

/// Prints a closing line per seed. Returns the exit code: 0 all kept their promises, 1 one did not, 2 usage.
int run_sim(const Sim& args, std::ostream& out, std::ostream& err);

void add_sim_command(CLI::App& app);

}  // namespace troupe::cli
