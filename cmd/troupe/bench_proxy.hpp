#pragma once
// TCP forwarders on loopback that can swallow: how a bench cuts the network between two processes.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::cli {

/// One thread for all roads. A cut road stays open and takes new connections, but moves no byte until it is
/// healed: so a partition looks to those who live behind it. Bounded: a connection holds one piece per
/// direction.
class BenchProxy {
 public:
  BenchProxy();
  ~BenchProxy();
  BenchProxy(const BenchProxy&) = delete;
  BenchProxy& operator=(const BenchProxy&) = delete;

  /// Before start(). Answers the road's number; it listens on 127.0.0.1:`port` and leads to `target`, a port
  /// there. Error: io.
  Result<std::size_t> add_road(std::uint16_t port, std::uint16_t target);
  void start();
  void cut(std::size_t road);
  void heal(std::size_t road);

 private:
  struct Road;
  struct Connection;
  void run();
  void accept_from(std::size_t road);
  void wake() const;

  std::vector<std::unique_ptr<Road>> roads_;
  std::vector<std::unique_ptr<Connection>> connections_;  ///< of the thread
  int wake_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace troupe::cli
