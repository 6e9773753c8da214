#pragma once

#include <cstdint>
#include <string>

#include "actors/bench/placement_cases.hpp"

namespace troupe::cli {

/// Hosts full of low tasks, half of whose jobs' tasks must stay; as many tasks of a higher tier as the case
/// has come, and each must have another one ended. A line of JSON.
std::string bench_preemption(const placement::Case& what, std::uint64_t seed);

}  // namespace troupe::cli
