#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct FailingParams {
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 20;
  std::uint32_t jobs = 1'000;  ///< that only fail, half of them services
  std::uint32_t tasks_per_job = 10;
  std::uint32_t healthy_per_s = 50;  ///< jobs of one task each
  std::uint32_t seconds = 20;        ///< of the healthy load, without and with the others
  std::uint32_t trials = 1;
  std::uint32_t crash_launches_per_s = 500;  ///< the setting of that name
};

/// A healthy load without and then beside jobs whose every task crashes at once: each trial a cell of its
/// own, in one process with a temporary folder. How long healthy tasks took from submission to Started,
/// whether any launch was beyond its job's budget, and what it all cost. The JSON line, of several trials the
/// medians. Errors: io; unavailable; outcome_unknown when healthy tasks do not start.
Result<std::string> bench_failing(const FailingParams& params);

}  // namespace troupe::cli
