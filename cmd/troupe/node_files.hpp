#pragma once
// The YAML files of `troupe node` and `troupe agent`. An unknown key, a wrong type or a bad value is refused
// with its line.

#include <string>
#include <vector>

#include "cmd/embedded/real_agent.hpp"
#include "cmd/embedded/real_node.hpp"

namespace troupe::cli {

/// node: 1, cell, data, nodes: [{id, peer, http}], registries and default_registry as an agent's, settings:
/// {name: value}. Errors: invalid_argument, io.
Result<embedded::RealNodeConfig> read_node_file(const std::string& path);
/// host, host_group, cell, data, driver, nodes: ["1@host:port"], resources: {cpus, memory_mb, disk_mb,
/// network_mbps, gpu}, attributes: {name: value}, allow_process: true, images: [folder], registries: [{name,
/// mirrors, insecure, ca_file, credentials_file}], default_registry, uid_first,
/// uid_ranges, pids_max, disk_quota, cdi: [folder], gpus, allow_host_network: true, look_every_ms,
/// probes: {disk_free_percent, inodes_free_percent, memory_available_percent}, layers: {bytes_mb,
/// entries, ratio, ratio_free_mb}. Errors: invalid_argument, io.
Result<embedded::RealAgentConfig> read_agent_file(const std::string& path);
/// name=value each. Errors: invalid_argument.
Result<Settings> parse_settings(const std::vector<std::string>& assignments);

}  // namespace troupe::cli
