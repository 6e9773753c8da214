#pragma once
// A whole cell in one thread under virtual time: the real nodes and agents over a simulated network, disks
// and clocks. The same options, calls and seed give the same history, to the last byte.

#include <memory>
#include <string>

#include "cmd/embedded/options.hpp"
#include "net/http/http.hpp"
#include "storage/state/reads.hpp"

namespace troupe::embedded {

struct SimOptions : ClusterOptions {
  std::uint64_t seed = 1;
  std::chrono::microseconds sync_min{80};  ///< of one synced write
  std::chrono::microseconds sync_max{400};
};

/// Nodes are numbered from 1, hosts are "host-1" and so on. Calls advance virtual time only where they say
/// so.
class SimCluster {
 public:
  explicit SimCluster(SimOptions options);
  ~SimCluster();
  SimCluster(const SimCluster&) = delete;
  SimCluster& operator=(const SimCluster&) = delete;

  // ---- time ----
  Instant now() const;
  void run_for(milliseconds span);
  /// Until `done` holds, looked at after every virtual millisecond; false if `at_most` passed first.
  bool run_until(const std::function<bool()>& done, milliseconds at_most);

  // ---- users ----
  /// One request to a node's gateway; time advances until the answer. Status 0: none within `patience`.
  http::Response call(std::uint32_t node, std::string method, std::string target, std::string body = {},
                      http::Headers headers = {}, milliseconds patience = milliseconds(15'000));
  /// The node that leads; 0: none, or they disagree.
  std::uint32_t leader() const;
  const Reads* reads(std::uint32_t node) const;  ///< nullptr while it is down
  const NodeStatus* status(std::uint32_t node) const;

  // ---- faults ----
  void crash_node(std::uint32_t node);  ///< what was not synced is lost
  void restart_node(std::uint32_t node);
  bool is_up(std::uint32_t node) const;
  std::string failure(std::uint32_t node) const;  ///< why a node gave up; empty if it did not
  void isolate_node(std::uint32_t node);
  void heal();
  void crash_agent(std::uint32_t host);  ///< its containers run on
  void restart_agent(std::uint32_t host);
  void fail_writes(std::uint32_t node);  ///< the next write to its log's disk fails
  void fail_syncs(std::uint32_t node);

  /// Of everything that happened: the network, every node's applied events, every answer.
  std::uint64_t history_hash() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::embedded
