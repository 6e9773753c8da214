#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct E2eParams {
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 100;
  std::string driver = "sim";
  std::uint32_t jobs = 200;
  std::uint32_t tasks_per_job = 100;
  std::uint32_t clients = 8;  ///< submitting at the same time
};

/// From the first submit to the last durable Started, over HTTP, in one process with a temporary folder. The
/// JSON line. Errors: io; outcome_unknown when the tasks did not all start within ten minutes.
Result<std::string> bench_e2e(const E2eParams& params);

}  // namespace troupe::cli
