#pragma once

#include <cstdint>
#include <string>

#include "storage/base/result.hpp"

namespace troupe::cli {

struct GatewayParams {
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 0;  ///< simulated ones; without any, jobs are durable and their tasks wait
  std::uint32_t connections = 64;
  std::uint32_t seconds = 5;            ///< of each of the three loads
  std::uint32_t mutations_per_s = 500;  ///< beside the second half of the reads
  std::uint32_t idle_submits = 200;
};
/// A cell in this process behind its HTTP doors: submits of one task each, single submits while nothing else
/// goes on, linearizable reads of one job as many as it takes, then half as many at a steady pace beside
/// mutations. The JSON line. Errors: io; unavailable, outcome_unknown when the cell does not answer.
Result<std::string> bench_gateway(const GatewayParams& params);

struct ListParams {
  std::uint32_t nodes = 3;
  std::uint32_t hosts = 100;
  std::uint32_t tasks = 150'000;
  std::uint32_t page = 1'000;
  std::uint32_t rounds = 3;  ///< of the whole list
  std::uint32_t seconds = 5;
};
/// Lists all tasks, page after page, alone and beside submits; how much fewer those are meanwhile. The JSON
/// line. Errors: as above.
Result<std::string> bench_list(const ListParams& params);

struct StreamsParams {
  std::uint32_t nodes = 3;
  std::uint32_t idle_streams = 2'000;
  std::uint32_t changes = 20;  ///< of one job, one after the other, each told to all of these
  std::uint32_t busy_streams = 200;
  std::uint32_t mutations_per_s = 500;
  std::uint32_t seconds = 10;
};
/// Event streams over all jobs: what idle ones cost and how soon each hears of a change; then fewer of them
/// beside mutations: who falls behind, and what it costs. The JSON line. Errors: as above.
Result<std::string> bench_streams(const StreamsParams& params);

}  // namespace troupe::cli
