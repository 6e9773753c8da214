#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct FailoverParams {
  std::string kind = "kill";      ///< kill, stop, partition
  std::string victim = "leader";  ///< leader, owner
  std::uint32_t trials = 10;
  std::uint32_t live_tasks = 0;
  std::uint32_t archived_tasks = 0;
  std::uint32_t hosts = 6;            ///< simulated, in the bench's process
  std::vector<std::string> settings;  ///< of the nodes: name=value
  std::string folder;                 ///< of an earlier `troupe fill --nodes 3`; empty: filled for this run
};

/// Three node processes under a light load of submits; one is killed, stopped or cut off, and brought back.
/// For the leader: from the fault to the first answer of a write sent after it, and to the first Started of a
/// task submitted after it. For an owner: until every entity that it owned is cared for. Everything that was
/// acknowledged is looked up afterwards. The JSON line. Errors: io; unavailable when the cell does not heal;
/// internal when an acknowledged write is gone or happened twice.
Result<std::string> bench_failover(const FailoverParams& params);

}  // namespace troupe::cli
