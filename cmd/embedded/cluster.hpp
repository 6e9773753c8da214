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
  std::string data;            ///< folder; must be empty or of an earlier life
  std::string driver = "sim";  ///< or "process"
  std::string http_host = "127.0.0.1";
  std::uint16_t http_port = 0;  ///< of node 1; the others take the next free ones after it; 0: any free ones
  std::vector<std::string> shim_command;
  /// "node 2" or "host-1" gave up; any thread.
  std::function<void(const std::string& who, const std::string& why)> on_failure;
};

/// Nodes are numbered from 1, hosts are "host-1" and so on. Calls come from one thread.
class Cluster {
 public:
  /// Errors: io (folder, ports), corrupt.
  static Result<std::unique_ptr<Cluster>> start(RealOptions options);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  std::uint32_t leader() const;  ///< 0: none at the moment
  /// nullptr while it is down.
  RealNode* node(std::uint32_t number) const;
  std::uint16_t http_port(std::uint32_t number) const;

  void stop_node(std::uint32_t number);
  void crash_node(std::uint32_t number);
  Result<void> restart_node(std::uint32_t number);
  void cut_off_node(std::uint32_t number);
  void heal_node(std::uint32_t number);
  void crash_agent(std::uint32_t host);
  Result<void> restart_agent(std::uint32_t host);
  void fail_agent_writes(std::uint32_t host);  ///< of its journal's disk, from now on

 private:
  struct Impl;
  explicit Cluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A TCP port that nobody uses right now. Error: io.
Result<std::uint16_t> free_port();

}  // namespace troupe::embedded
