#include "cmd/troupe/bench_gateway_cell.hpp"

#include <fmt/core.h>

#include "actors/gateway/gateway_settings.hpp"
#include "cmd/troupe/bench_submitter.hpp"

namespace troupe::cli {

Result<std::unique_ptr<GatewayCell>> GatewayCell::start(const GatewayCellOptions& wanted) {
  constexpr std::uint64_t plenty = 100'000'000;
  auto cell = std::make_unique<GatewayCell>();
  embedded::RealOptions options;
  options.nodes = wanted.nodes;
  options.hosts = wanted.hosts;
  options.driver = "sim";
  options.data = cell->folder_.path();
  options.policy.jobs_max = plenty;
  options.policy.tasks_max = plenty;
  options.policy.requests_max = plenty;
  options.settings.set(gateway::gateway_streams_max, gateway::gateway_streams_max.high);
  const auto per_host =
      static_cast<std::int64_t>(wanted.tasks / std::max<std::uint32_t>(wanted.hosts, 1)) + 1'000;
  options.host_resources = room_for(per_host);
  auto cluster = embedded::RealCluster::start(std::move(options));
  if (!cluster.ok()) return cluster.error();
  cell->cluster_ = std::move(cluster).value();
  for (std::uint32_t node = 1; node <= wanted.nodes; ++node)
    cell->ports_.push_back(cell->cluster_->http_port(node));
  const bool is_whole = cell->await([&] {
    return cell->cluster_->leader() != 0 && cell->reads().shard_count() != 0 &&
           cell->reads().cell().hosts_connected == wanted.hosts;
  });
  if (!is_whole) return Error{ErrorCode::unavailable, "the cell did not begin"};
  return cell;
}

Result<std::string> GatewayCell::submit(const std::string& body) {
  Random random = Random::from_system();
  auto client = client_of(ports_.front(), milliseconds(60'000));
  return cli::submit(client, body, fresh_key(random));
}

Result<void> taken(Result<LoadFigures> load, LoadFigures& figures) {
  if (!load.ok()) return load.error();
  figures = std::move(load).value();
  if (figures.refused == 0) return {};
  return Error{ErrorCode::unavailable,
               fmt::format("{} calls were refused, the last one with {}", figures.refused, figures.refusal)};
}

}  // namespace troupe::cli
