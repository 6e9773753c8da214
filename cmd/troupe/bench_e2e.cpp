#include "cmd/troupe/bench_e2e.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "cmd/embedded/cluster.hpp"
#include "net/json/writer.hpp"

namespace troupe::cli {
namespace {

constexpr std::chrono::minutes patience{10};
constexpr milliseconds look_every{
    5};  // A bench has no event to await across replicas; this is its resolution.

double rss_mb() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

std::string descriptor(const E2eParams& params) {
  return fmt::format(
      R"({{"owner":{{"teamEmail":"bench@example.com"}},"applicationName":"bench","attributes":{{"troupe.sim":"run=forever"}},)"
      R"("container":{{"entryPoint":["/bin/true"],"resources":{{"cpu":0.1,"memoryMB":16,"diskMB":1}}}},)"
      R"("batch":{{"size":{},"runtimeLimitSec":86400,"retryPolicy":{{"immediate":{{"retries":0}}}}}}}})",
      params.tasks_per_job);
}

double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(std::floor(share * static_cast<double>(values.size()))))];
}

/// A folder that goes with it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe-bench-XXXXXX").string();
    path_ = mkdtemp(pattern.data()) != nullptr ? pattern : "";
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

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
    options.host_resources = {.cpu_milli = per_host * 150,
                              .memory_mb = per_host * 24,
                              .disk_mb = per_host * 2,
                              .network_mbps = 0,
                              .gpu = 0};
    auto cluster = embedded::Cluster::start(std::move(options));
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

  bool await(const std::function<bool()>& done) {
    const Moment end = clock_.steady() + patience;
    std::unique_lock lock(mutex_);
    while (!done()) {
      if (clock_.steady() > end) return false;
      never_.wait_for(lock, look_every);
    }
    return true;
  }

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

  std::string line(Moment start, Moment submitted, Moment started, double rss_before,
                   const KvStore::Counters& before) {
    std::vector<double> start_ms;
    reads().each_task({}, [&](const TaskRecord& task, const JobRecord& job) {
      start_ms.push_back(static_cast<double>((task.step(TaskState::started).at - job.created).count()));
      return true;
    });
    const auto after = log_counters();
    const double tasks = static_cast<double>(params_.jobs) * params_.tasks_per_job;
    const auto seconds = [](std::chrono::nanoseconds span) {
      return std::chrono::duration<double>(span).count();
    };
    const double rss = rss_mb();
    json::Writer w;
    w.begin_object();
    w.key("bench"), w.text("e2e");
    w.key("params");
    w.begin_object();
    w.key("nodes"), w.uint(params_.nodes);
    w.key("hosts"), w.uint(params_.hosts);
    w.key("driver"), w.text(params_.driver);
    w.key("jobs"), w.uint(params_.jobs);
    w.key("tasks_per_job"), w.uint(params_.tasks_per_job);
    w.key("clients"), w.uint(params_.clients);
    w.end_object();
    w.key("figures");
    w.begin_object();
    const auto figure = [&](std::string_view name, double value) {
      w.key(name);
      w.real(std::round(value * 100) / 100);
    };
    figure("tasks_per_s", tasks / seconds(started - start));
    figure("seconds", seconds(started - start));
    figure("submit_seconds", seconds(submitted - start));
    figure("submit_p50_ms", percentile(submit_ms_, 0.50));
    figure("submit_p99_ms", percentile(submit_ms_, 0.99));
    figure("start_p50_ms", percentile(start_ms, 0.50));
    figure("start_p99_ms", percentile(start_ms, 0.99));
    figure("rss_mb", rss);
    figure("bytes_per_task", (rss - rss_before) * 1024 * 1024 / (tasks * params_.nodes));
    w.key("fsyncs"), w.uint(after.syncs - before.syncs);
    w.key("bytes"), w.uint(after.bytes_written - before.bytes_written);
    w.end_object();
    w.end_object();
    return w.take();
  }

  E2eParams params_;
  ScratchFolder folder_;
  SystemClock clock_;
  std::unique_ptr<embedded::Cluster> cluster_;
  std::mutex mutex_;
  std::condition_variable never_;
  std::vector<double> submit_ms_;
  std::atomic<std::uint32_t> failures_{0};
  std::string failure_;
};

}  // namespace

Result<std::string> bench_e2e(const E2eParams& params) { return Bench(params).run(); }

}  // namespace troupe::cli
