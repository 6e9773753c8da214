#pragma once
// A whole cell in this process for the benches of its HTTP doors.

#include <memory>
#include <string>
#include <vector>

#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/bench_http_load.hpp"
#include "cmd/troupe/bench_support.hpp"

namespace troupe::cli {

struct GatewayCellOptions {
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 0;
  std::uint64_t tasks = 0;  ///< that the hosts have room for
};

/// Calls come from one thread. Real disks in a folder that goes with it; no cap stands in a bench's way.
class GatewayCell {
 public:
  /// Returns when it has a leader that all nodes follow, and the hosts. Errors: io, unavailable.
  static Result<std::unique_ptr<GatewayCell>> start(const GatewayCellOptions& options);

  const Reads& reads() const { return cluster_->node(1)->node().reads(); }
  std::vector<std::uint16_t> ports() const { return ports_; }
  const std::string& folder() const { return folder_.path(); }
  /// The job's id. Errors: as http::Client, unavailable.
  Result<std::string> submit(const std::string& body);
  bool await(const std::function<bool()>& done) { return await_.until(done, milliseconds(300'000)); }

 private:
  ScratchFolder folder_;
  std::unique_ptr<embedded::RealCluster> cluster_;
  std::vector<std::uint16_t> ports_;
  Await await_{milliseconds(2)};
};

/// Keeps the figures; a call that was refused fails the bench.
Result<void> taken(Result<LoadFigures> load, LoadFigures& figures);

}  // namespace troupe::cli
