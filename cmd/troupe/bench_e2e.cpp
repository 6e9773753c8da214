#include "cmd/troupe/bench_e2e.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/bench_submitter.hpp"
#include "cmd/troupe/bench_support.hpp"

namespace troupe::cli {
namespace {

constexpr std::chrono::minutes run_patience{10};
constexpr milliseconds look_at_run_every{
    5};  // A bench has no event to await across replicas; this is its resolution.

std::string descriptor(const E2eParams& params) {
  return fmt::format(
      R"({{"owner":{{"teamEmail":"bench@example.com"}},"applicationName":"bench","attributes":{{"troupe.sim":"run=forever"}},)"
      R"("container":{{"entryPoint":["/bin/true"],"resources":{{"cpu":0.1,"memoryMB":16,"diskMB":1}}}},)"
      R"("batch":{{"size":{},"runtimeLimitSec":86400,"retryPolicy":{{"immediate":{{"retries":0}}}}}}}})",
      params.tasks_per_job);
}

class Bench {
 public:
  explicit Bench(const E2eParams& params) : params_(params) {}

  Result<std::string> run() {
    embedded::RealOptions options;
    options.nodes = params_.nodes;
    options.hosts = params_.hosts;
    options.driver = params_.driver;
    options.data = folder_.path();
    const std::int64_t per_host =
        std::int64_t{params_.jobs} * params_.tasks_per_job / std::max(1u, params_.hosts) + 1;
    options.host_resources = room_for(per_host);
    auto cluster = embedded::RealCluster::start(std::move(options));
    if (!cluster.ok()) return cluster.error();
    cluster_ = std::move(cluster).value();
    if (!await([&] { return reads().cell().hosts_connected == params_.hosts; }))
      return Error{ErrorCode::unavailable, "the hosts did not connect"};
    const double rss_before = rss_mb();
    const auto counters_before = log_counters();
    const Moment start = clock_.steady();
    submit_all();
    const Moment submitted = clock_.steady();
    if (failures_ > 0)
      return Error{ErrorCode::internal, fmt::format("{} submits failed: {}", failures_.load(), failure_)};
    const std::uint64_t tasks = std::uint64_t{params_.jobs} * params_.tasks_per_job;
    if (!await(
            [&] { return reads().cell().live_tasks[static_cast<std::size_t>(TaskState::started)] == tasks; }))
      return Error{ErrorCode::outcome_unknown, "not all tasks started in time"};
    const Moment started = clock_.steady();
    return line(start, submitted, started, rss_before, counters_before);
  }

 private:
  const Reads& reads() const { return cluster_->node(1)->node().reads(); }

  bool await(const std::function<bool()>& done) { return await_.until(done, run_patience); }

  KvStore::Counters log_counters() const {
    KvStore::Counters sum;
    for (std::uint32_t n = 1; n <= params_.nodes; ++n) {
      const auto counters = cluster_->node(n)->log_counters();
      sum.syncs += counters.syncs;
      sum.bytes_written += counters.bytes_written;
    }
    return sum;
  }

  void submit_all() {
    std::atomic<std::uint32_t> next{0};
    std::vector<std::thread> clients;
    for (std::uint32_t c = 0; c < params_.clients; ++c)
      clients.emplace_back([&, c] {
        http::ClientConfig config;
        config.port = cluster_->http_port(c % params_.nodes + 1);
        config.timeout = milliseconds(60'000);
        http::Client client(config);
        const std::string body = descriptor(params_);
        while (next++ < params_.jobs) submit_one(client, body);
      });
    for (std::thread& client : clients) client.join();
  }

  void submit_one(http::Client& client, const std::string& body) {
    const Moment before = clock_.steady();
    const auto answer = client.call("POST", "/api/v3/jobs", body);
    const std::chrono::duration<double, std::milli> took = clock_.steady() - before;
    const std::lock_guard lock(mutex_);
    submit_ms_.push_back(took.count());
    if (answer.ok() && answer.value().status == 202) return;
    ++failures_;
    failure_ = answer.ok() ? answer.value().body : answer.error().message;
  }

  /// Of the tasks from that one to before that one, in the order in which they started.
  static double rate(const std::vector<Instant>& starts, std::size_t from, std::size_t to) {
    if (from >= to) return 0;
    const auto took = starts[to - 1] - starts[from];
    return static_cast<double>(to - from) * 1'000 /
           static_cast<double>(std::max<std::int64_t>(took.count(), 1));
  }
  std::uint64_t refused_placements() const {
    std::uint64_t sum = 0;
    for (std::uint32_t n = 1; n <= params_.nodes; ++n)
      for (const auto& refused : cluster_->node(n)->node().status().placements_refused) sum += refused;
    return sum;
  }

  std::string line(Moment start, Moment submitted, Moment started, double rss_before,
                   const KvStore::Counters& before) {
    const double rss = rss_mb();
    std::vector<double> start_ms;
    std::vector<Instant> starts;
    reads().each_task({}, [&](const TaskRecord& task, const JobRecord& job) {
      starts.push_back(task.step(TaskState::started).at);
      start_ms.push_back(static_cast<double>((starts.back() - job.created).count()));
      return true;
    });
    std::sort(starts.begin(), starts.end());
    const auto after = log_counters();
    const double tasks = static_cast<double>(params_.jobs) * params_.tasks_per_job;
    BenchLine out("e2e");
    out.param("nodes", params_.nodes);
    out.param("hosts", params_.hosts);
    out.param("driver", params_.driver);
    out.param("jobs", params_.jobs);
    out.param("tasks_per_job", params_.tasks_per_job);
    out.param("clients", params_.clients);
    out.begin_figures();
    out.figure("tasks_per_s", tasks / seconds_of(started - start));
    out.figure("first_tenth_per_s", rate(starts, 0, starts.size() / 10));
    out.figure("last_tenth_per_s", rate(starts, starts.size() - starts.size() / 10, starts.size()));
    out.figure("seconds", seconds_of(started - start));
    out.figure("submit_seconds", seconds_of(submitted - start));
    out.figure("submit_p50_ms", percentile(submit_ms_, 0.50));
    out.figure("submit_p99_ms", percentile(submit_ms_, 0.99));
    out.figure("start_p50_ms", percentile(start_ms, 0.50));
    out.figure("start_p99_ms", percentile(start_ms, 0.99));
    out.figure("rss_mb", rss);
    out.figure("bytes_per_task", (rss - rss_before) * 1024 * 1024 / (tasks * params_.nodes));
    out.figure("refused_placements", refused_placements());
    out.figure("fsyncs", after.syncs - before.syncs);
    out.figure("bytes", after.bytes_written - before.bytes_written);
    return out.take();
  }

  E2eParams params_;
  ScratchFolder folder_;
  SystemClock clock_;
  std::unique_ptr<embedded::RealCluster> cluster_;
  std::mutex mutex_;
  Await await_{look_at_run_every};
  std::vector<double> submit_ms_;
  std::atomic<std::uint32_t> failures_{0};
  std::string failure_;
};

}  // namespace

Result<std::string> bench_e2e(const E2eParams& params) { return Bench(params).run(); }

}  // namespace troupe::cli
