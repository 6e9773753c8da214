#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "actors/node/node_context.hpp"

namespace troupe::gateway {

/// The gateway's figures, and at each scrape the node's. Thread-safe.
class GatewayProbe {
 public:
  GatewayProbe();
  ~GatewayProbe();

  void answered(std::string_view route, int status, std::chrono::nanoseconds took);
  void refused(std::string_view why);
  void calls_waiting(std::size_t count);
  /// `outcome` of an image's tag: resolved, unresolved, refused.
  void image(std::string_view outcome);
  /// `why`: slow, stuck.
  void streams_cut(std::string_view why, std::size_t count);
  void streams_open(std::string_view kind, std::size_t count);

  /// Prometheus' text format.
  std::string scrape(const NodeContext& node);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::gateway
