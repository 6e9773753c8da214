#include "cmd/troupe/bench_gateway.hpp"

#include <fmt/core.h>

#include <thread>

#include "cmd/troupe/bench_floor.hpp"
#include "cmd/troupe/bench_gateway_cell.hpp"
#include "cmd/troupe/bench_http_load.hpp"
#include "cmd/troupe/bench_submitter.hpp"
#include "cmd/troupe/bench_support.hpp"

namespace troupe::cli {
namespace {

constexpr int floor_samples = 200;

class GatewayBench {
 public:
  explicit GatewayBench(const GatewayParams& params) : params_(params) {}

  Result<std::string> run() {
    auto cell = GatewayCell::start({.nodes = params_.nodes, .hosts = params_.hosts, .tasks = 0});
    if (!cell.ok()) return cell.error();
    cell_ = std::move(cell).value();
    auto job = cell_->submit(one_task_job(milliseconds(100)));
    if (!job.ok()) return job.error();
    job_ = job.value();
    for (const auto part : {&GatewayBench::idle, &GatewayBench::submits, &GatewayBench::reads,
                            &GatewayBench::reads_beside_mutations})
      if (auto done = (this->*part)(); !done.ok()) return done.error();
    return line();
  }

 private:
  LoadPlan load(std::function<std::string(std::uint64_t)> request) const {
    return {.ports = cell_->ports(),
            .connections = params_.connections,
            .requests = 0,
            .time = std::chrono::seconds(params_.seconds),
            .per_s = 0,
            .request = std::move(request)};
  }

  Result<void> idle() {
    auto syncs = time_syncs(cell_->folder(), floor_samples);
    auto trips = time_round_trips(floor_samples);
    if (!syncs.ok()) return syncs.error();
    if (!trips.ok()) return trips.error();
    fsync_us_ = percentile(syncs.value(), 0.50);
    round_trip_us_ = percentile(trips.value(), 0.50);
    LoadPlan plan = load(submits_of("idle"));
    plan.connections = 1;
    plan.requests = params_.idle_submits;
    plan.time = milliseconds(0);
    return taken(run_load(plan), idle_);
  }

  Result<void> submits() {
    const std::uint64_t before = cell_->reads().cell().live_jobs;
    if (auto done = taken(run_load(load(submits_of("load"))), submits_); !done.ok()) return done;
    // With hosts some have ended; without any all that was acknowledged must be there.
    const std::uint64_t there = cell_->reads().cell().live_jobs - before;
    if (params_.hosts == 0 && there < submits_.answers)
      return Error{ErrorCode::internal,
                   fmt::format("{} jobs were acknowledged and {} are there", submits_.answers, there)};
    return {};
  }

  Result<void> reads() { return taken(run_load(load(get_job())), gets_); }

  Result<void> reads_beside_mutations() {
    Result<void> mutated;
    std::thread mutations([&] {
      LoadPlan plan = load(changes());
      plan.connections = 8;
      plan.per_s = params_.mutations_per_s;
      mutated = taken(run_load(plan), mutations_);
    });
    LoadPlan plan = load(get_job());
    plan.per_s = std::max<std::uint64_t>(static_cast<std::uint64_t>(gets_.per_s() / 2), 1);
    auto read = taken(run_load(plan), half_gets_);
    mutations.join();
    return mutated.ok() ? read : mutated;
  }

  std::function<std::string(std::uint64_t)> submits_of(const std::string& keys) const {
    return [keys, body = one_task_job(milliseconds(100))](std::uint64_t n) {
      return request_text("POST", "/api/v3/jobs", body, fmt::format("{}-{}", keys, n));
    };
  }
  std::function<std::string(std::uint64_t)> get_job() const {
    return [text = request_text("GET", "/api/v3/jobs/" + job_)](std::uint64_t) { return text; };
  }
  std::function<std::string(std::uint64_t)> changes() const {
    return [target = "/api/v3/jobs/" + job_ + "/attributes"](std::uint64_t n) {
      return request_text("PUT", target, fmt::format(R"({{"attributes":{{"count":"{}"}}}})", n));
    };
  }

  std::string line() {
    BenchLine out("gateway");
    out.param("nodes", params_.nodes);
    out.param("hosts", params_.hosts);
    out.param("connections", params_.connections);
    out.param("seconds", params_.seconds);
    out.begin_figures();
    out.figure("submits_per_s", submits_.per_s());
    out.figure("submit_p50_ms", percentile(submits_.ms, 0.50));
    out.figure("submit_p99_ms", percentile(submits_.ms, 0.99));
    out.figure("idle_submit_p50_us", percentile(idle_.ms, 0.50) * 1'000);
    out.figure("idle_submit_p99_us", percentile(idle_.ms, 0.99) * 1'000);
    out.figure("fsync_p50_us", fsync_us_);
    out.figure("round_trip_p50_us", round_trip_us_);
    out.figure("gets_per_s", gets_.per_s());
    out.figure("full_get_p99_ms", percentile(gets_.ms, 0.99));
    out.figure("half_gets_per_s", half_gets_.per_s());
    out.figure("get_p50_ms", percentile(half_gets_.ms, 0.50));
    out.figure("get_p99_ms", percentile(half_gets_.ms, 0.99));
    out.figure("mutations_per_s", mutations_.per_s());
    out.figure("mutation_p99_ms", percentile(mutations_.ms, 0.99));
    return out.take();
  }

  GatewayParams params_;
  std::unique_ptr<GatewayCell> cell_;
  std::string job_;
  double fsync_us_ = 0, round_trip_us_ = 0;
  LoadFigures idle_, submits_, gets_, half_gets_, mutations_;
};

}  // namespace

Result<std::string> bench_gateway(const GatewayParams& params) { return GatewayBench(params).run(); }

}  // namespace troupe::cli
