#pragma once
// What a cluster in one process is made of; the same for a real and a simulated one.

#include <cstdint>
#include <string>
#include <vector>

#include "actors/node/node_context.hpp"
#include "storage/model/records.hpp"

namespace troupe::embedded {

/// Hosts that are alike.
struct HostGroupOptions {
  std::string name;
  std::uint32_t count = 0;
  Resources resources;
  StringMap attributes;
};

/// One host, as its agent declares it.
struct HostOptions {
  std::string name;
  std::string group;
  Resources resources;
  StringMap attributes;
};

struct ClusterOptions {
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 3;  ///< all alike, where there are no `host_groups`; a number of their own otherwise
  std::string cell = "troupe";
  Resources host_resources{
      .cpu_milli = 8'000, .memory_mb = 16'384, .disk_mb = 100'000, .network_mbps = 1'000, .gpu = 0};
  std::string host_group = "flex-1";
  std::vector<HostGroupOptions> host_groups;
  Settings settings;
  CellPolicy policy;
  FaultPoint fault_point;  ///< for tests

  /// Settles `hosts` by the groups. Called once, before anything is made.
  void count_hosts() {
    if (host_groups.empty()) return;
    hosts = 0;
    for (const HostGroupOptions& group : host_groups) hosts += group.count;
  }
  /// By its number, from 1: the first group's hosts come first. A number beyond them all is a machine like
  /// those of the first group.
  HostOptions host(std::uint32_t number) const {
    const std::string name = "host-" + std::to_string(number);
    std::uint32_t before = 0;
    for (const HostGroupOptions& group : host_groups) {
      if (number - before <= group.count) return {name, group.name, group.resources, group.attributes};
      before += group.count;
    }
    if (!host_groups.empty()) {
      const HostGroupOptions& first = host_groups.front();
      return {name, first.name, first.resources, first.attributes};
    }
    return {name, host_group, host_resources, {}};
  }
};

}  // namespace troupe::embedded
