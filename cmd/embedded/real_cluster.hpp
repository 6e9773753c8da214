#pragma once
// A whole cell in one process on real threads, sockets, disks and, if wanted, child processes. `troupe up` is
// this.

#include <memory>
#include <string>

#include "cmd/embedded/options.hpp"
#include "cmd/embedded/real_agent.hpp"
#include "cmd/embedded/real_node.hpp"

namespace troupe::embedded {

struct RealOptions : ClusterOptions {
  std::string data;                        ///< folder; must be empty or of an earlier life
  std::string driver = "sim";              ///< or "process", "oci"
  std::vector<std::string> image_folders;  ///< of `oci`, see RealAgentConfig
  agent::RegistriesConfig registries;      ///< of `oci`
  std::string http_host = "127.0.0.1";
  std::uint16_t http_port = 0;  ///< of node 1; the others take the next free ones after it; 0: any free ones
  std::vector<std::string> shim_command;
  /// "node 2" or "host-1" gave up; any thread.
  std::function<void(const std::string& who, const std::string& why)> on_failure;
};

/// Nodes are numbered from 1, hosts are "host-1" and so on, group by group. Calls come from one thread.
class RealCluster {
 public:
  /// Errors: io (folder, ports), corrupt.
  static Result<std::unique_ptr<RealCluster>> start(RealOptions options);
  ~RealCluster();
  RealCluster(const RealCluster&) = delete;
  RealCluster& operator=(const RealCluster&) = delete;

  std::uint32_t leader() const;  ///< 0: none at the moment
  /// nullptr while it is down.
  RealNode* node(std::uint32_t number) const;
  std::uint16_t http_port(std::uint32_t number) const;
  std::string peer_address(std::uint32_t number) const;

  // ---- faults; the numbers must be of nodes and hosts that are there ----
  void stop_node(std::uint32_t number);
  void crash_node(std::uint32_t number);
  /// One that lost its disk comes back as a stranger: others must remove it and add it again.
  Result<void> restart_node(std::uint32_t number);
  void lose_disk(std::uint32_t node);  ///< it crashes, and its folder is gone
  void isolate_node(std::uint32_t node);
  void cut(std::uint32_t from, std::uint32_t to);  ///< between nodes, one way
  void fail_writes(std::uint32_t node);            ///< of its log's disk, from now on
  void fail_syncs(std::uint32_t node);
  void leap_clock(std::uint32_t node, milliseconds by);    ///< its wall clock; restarts do not mend it
  void drift_clock(std::uint32_t node, std::int64_t ppm);  ///< its wall clock, from now on
  void isolate_host(std::uint32_t host);
  Result<void> fail_registry();  ///< of images. Error invalid_argument: not with this driver
  void heal();                   ///< all links and the registry, and sets the clocks right
  bool agent_is_up(std::uint32_t host) const;
  void crash_agent(std::uint32_t host);
  Result<void> restart_agent(std::uint32_t host);
  Result<void> kill_host(std::uint32_t host);  ///< errors: as RealAgent says
  void fail_agent_writes(std::uint32_t host);  ///< of its journal's disk, from now on

 private:
  struct Impl;
  explicit RealCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A TCP port that nobody uses right now. Error: io.
Result<std::uint16_t> free_port();

}  // namespace troupe::embedded
