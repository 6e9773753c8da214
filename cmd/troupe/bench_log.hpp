#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct LogParams {
  std::uint32_t nodes = 3;
  std::uint32_t in_flight = 512;
  std::uint32_t processes = 1;  ///< 1, or as many as nodes
  std::uint32_t transitions_per_command = 1;
  std::uint32_t live_tasks = 100'000;
  std::uint32_t seconds = 5;  ///< of writing, and of reading
  std::uint32_t apply_transitions = 500'000;
  std::uint64_t seed = 1;
};

/// The replicated log under load: replicas with real disks and links, nothing of the actors above them. The
/// JSON line. Errors: io; unavailable when no leader was found; internal when the replicas differ at the end.
Result<std::string> bench_log(const LogParams& params);

}  // namespace troupe::cli
