#pragma once
// Makes a failing plan shorter.

#include <functional>

#include "cmd/simulation/life.hpp"

namespace troupe::simulation {

struct Shrunk {
  Plan plan;
  Verdict verdict;          ///< of that plan
  std::uint32_t lives = 0;  ///< that were tried
};

/// Leaves out steps, by ever smaller pieces, as long as the life still ends in the same kind of failure
/// (delta debugging: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002), then
/// makes each tunable plain that need not be otherwise. `plan` fails. `told` hears of each success.
Shrunk shrink(const Plan& plan, std::uint32_t lives_max, const std::function<Verdict(const Plan&)>& live,
              const std::function<void(const Shrunk&)>& told = {});

}  // namespace troupe::simulation
