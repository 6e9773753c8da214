#pragma once
// What a cluster in one process is made of; the same for a real and a simulated one.

#include <cstdint>
#include <string>

#include "actors/node/node_context.hpp"
#include "storage/model/records.hpp"

namespace troupe::embedded {

struct ClusterOptions {
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 3;
  std::string cell = "troupe";
  Resources host_resources{
      .cpu_milli = 8'000, .memory_mb = 16'384, .disk_mb = 100'000, .network_mbps = 1'000, .gpu = 0};
  std::string host_group = "flex-1";
  Settings settings;
  CellPolicy policy;
  FaultPoint fault_point;  ///< for tests
};

}  // namespace troupe::embedded
