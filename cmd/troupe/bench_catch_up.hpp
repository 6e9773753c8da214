#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct CatchUpParams {
  std::uint32_t live_tasks = 0;
  std::uint32_t archived_tasks = 100'000;
  std::uint32_t seconds = 10;  ///< of the load alone, before the node joins
  std::string folder;          ///< of an earlier `troupe fill --nodes 3`; empty: filled for this run
};

/// Three node processes under a light load of submits; a fourth joins with an empty disk, gets the snapshot
/// and the rest of the log, and votes. How long that takes, what it costs the leader in memory, and what the
/// submits feel of it, beside the same load before. The JSON line. Errors: io; unavailable when the node does
/// not catch up.
Result<std::string> bench_catch_up(const CatchUpParams& params);

}  // namespace troupe::cli
