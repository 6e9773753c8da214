#pragma once
// One node on real disks, sockets and threads: what `troupe node` runs, and an embedded cluster several of.

#include <memory>
#include <string>

#include "actors/agent/images/registry_reference.hpp"
#include "actors/node/node.hpp"
#include "net/http/http.hpp"
#include "net/link/web_socket_hub.hpp"

namespace troupe::embedded {

struct NodeFaults;

struct RealNodeConfig {
  NodeConfig node;   ///< seed and life are filled in
  std::string data;  ///< its own folder; made if missing
  std::string peer_listen = "127.0.0.1:0";
  std::string http_listen = "127.0.0.1:0";
  std::shared_ptr<net::IoThread> io_thread;  ///< of links; empty: its own
  milliseconds link_patience{0};             ///< more than usual, for thousands of links that share a machine
  std::shared_ptr<http::IoThread> http_thread;             ///< of the gateway; empty: its own
  agent::RegistriesConfig registries;                      ///< asked for images, unless `node.images` is set
  http::TlsContextPtr http_tls{};                          ///< of the gateway; empty: plain HTTP
  bool small_buffers = false;                              ///< several nodes in one process
  std::shared_ptr<NodeFaults> faults;                      ///< for tests; empty: none
  std::function<void(const std::string& why)> on_failure;  ///< called once, from any thread
};

class RealNode {
 public:
  /// Errors: io (folder, ports), corrupt (the node must be repaired from a peer), invalid_argument
  /// (addresses).
  static Result<std::unique_ptr<RealNode>> start(RealNodeConfig config);
  virtual ~RealNode() = default;

  /// Flushes and closes in order.
  virtual void stop() = 0;
  /// Ends at once, as far as a living process can: no flush, answers under way are dropped.
  virtual void crash() = 0;
  virtual void fail_writes() = 0;  ///< of the log's disk, from now on
  virtual void fail_syncs() = 0;   ///< likewise, of what must be safe
  virtual Node& node() = 0;
  /// Writes what helps a diagnosis to the log, see debug_dump.hpp.
  virtual void debug_to_log() = 0;
  virtual std::uint16_t http_port() const = 0;
  virtual std::string peer_address() const = 0;
  virtual KvStore::Counters log_counters() const = 0;
};

/// "host:port". Errors: invalid_argument.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

}  // namespace troupe::embedded
