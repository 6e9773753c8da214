#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct RestartParams {
  std::uint32_t live_tasks = 100'000;
  std::uint32_t archived_tasks = 0;
  std::uint32_t trials = 3;
  std::string folder;  ///< of an earlier `troupe fill` with one node; empty: filled for this run
};

/// A node's process, killed and started again on a filled folder whose pages the system has been asked to
/// forget: from the start to its first /health that says SERVING. The JSON line. Errors: io, unavailable.
Result<std::string> bench_restart(const RestartParams& params);

}  // namespace troupe::cli
