#include "cmd/troupe/bench_failing.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "actors/scheduler/scheduler_actor.hpp"
#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/bench_submitter.hpp"
#include "cmd/troupe/bench_support.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds cell_patience{120'000};
constexpr milliseconds submit_timeout{60'000};
constexpr milliseconds look_every{5};
constexpr std::uint32_t submitters = 4;
constexpr std::size_t tasks_of_job_max = 100'000;
/// A token is taken when a task is made; between that and its launch others may pass it.
constexpr std::int64_t slack_ms = 1'000;

enum class Kind : std::uint8_t { batch, service };

std::string failing_job(const FailingParams& params, Kind kind) {
  const std::string work =
      kind == Kind::batch
          ? fmt::format(R"("batch":{{"size":{},"runtimeLimitSec":86400,)", params.tasks_per_job)
          : fmt::format(R"("service":{{"capacity":{{"min":0,"desired":{0},"max":{0}}},)",
                        params.tasks_per_job);
  return R"({"owner":{"teamEmail":"bench@example.com"},"applicationName":"failing","attributes":{"troupe.sim":"exit=1"},)"
         R"("container":{"entryPoint":["/bin/true"],"resources":{"cpu":0.1,"memoryMB":16,"diskMB":1}},)" +
         work + R"("retryPolicy":{"immediate":{"retries":100000}}}})";
}

/// Of one healthy task, milliseconds in the cell's time.
struct Start {
  double submitted_at = 0;  ///< since the first of its load
  double made = 0;          ///< from the job's submission to the task
  double placed = 0;        ///< from there to Launched
  double started = 0;       ///< from there to Started
  double all() const { return made + placed + started; }
};

double percentile_of(const std::vector<Start>& starts, double share,
                     const std::function<double(const Start&)>& figure) {
  std::vector<double> values;
  for (const Start& start : starts) values.push_back(figure(start));
  return percentile(values, share);
}

/// How the healthy ones started, in one half of a trial.
struct Half {
  double p50_ms = 0, p99_ms = 0, made_p99_ms = 0, placed_p99_ms = 0, started_p99_ms = 0;
  Half() = default;
  explicit Half(const std::vector<Start>& starts)
      : p50_ms(percentile_of(starts, 0.50, [](const Start& s) { return s.all(); })),
        p99_ms(percentile_of(starts, 0.99, [](const Start& s) { return s.all(); })),
        made_p99_ms(percentile_of(starts, 0.99, [](const Start& s) { return s.made; })),
        placed_p99_ms(percentile_of(starts, 0.99, [](const Start& s) { return s.placed; })),
        started_p99_ms(percentile_of(starts, 0.99, [](const Start& s) { return s.started; })) {}
};

struct Trial {
  Half quiet, beside;
  std::uint64_t launches = 0, launches_per_s_max = 0, violations = 0, throttled = 0;
  double ratio() const { return quiet.p99_ms > 0 ? beside.p99_ms / quiet.p99_ms : 0; }
};

/// Jobs at an even pace from threads of its own, whatever the answers take.
class HealthyLoad {
 public:
  HealthyLoad(const embedded::RealCluster& cluster, const FailingParams& params)
      : params_(params), begin_(clock_.steady()) {
    for (std::uint32_t n = 0; n < submitters; ++n)
      threads_.emplace_back([this, n, port = cluster.http_port(n % params.nodes + 1)] { run(n, port); });
  }
  /// The jobs, once all were submitted.
  std::vector<JobId> end() {
    for (std::thread& thread : threads_) thread.join();
    return std::move(jobs_);
  }

 private:
  void run(std::uint32_t first, std::uint16_t port) {
    Random random = Random::from_system();
    auto client = client_of(port, submit_timeout);
    const std::string body = one_task_job(milliseconds(100));
    const std::uint32_t all = params_.healthy_per_s * params_.seconds;
    for (std::uint32_t n = first; n < all; n += submitters) {
      const Moment due =
          begin_ + std::chrono::nanoseconds(std::uint64_t{1'000'000'000} * n / params_.healthy_per_s);
      Await(milliseconds(1)).until([&] { return clock_.steady() >= due; }, cell_patience);
      const auto made = submit(client, body, fresh_key(random));
      if (!made.ok()) continue;  // Whoever is refused is missed below.
      const std::lock_guard lock(mutex_);
      jobs_.push_back(parse_uuid<JobId>(made.value()).value());
    }
  }

  const FailingParams& params_;
  const SystemClock clock_;
  const Moment begin_;
  std::mutex mutex_;
  std::vector<JobId> jobs_;
  std::vector<std::thread> threads_;
};

class FailingBench {
 public:
  explicit FailingBench(const FailingParams& params) : params_(params) {}

  Result<Trial> run() {
    if (auto started = start(); !started.ok()) return started.error();
    Trial trial;
    if (auto warm = healthy(std::min(params_.seconds, 3U), nullptr); !warm.ok()) return warm.error();
    auto quiet = healthy(params_.seconds, nullptr);
    if (!quiet.ok()) return quiet.error();
    std::vector<JobId> failing;
    auto beside = healthy(params_.seconds, &failing);
    if (!beside.ok()) return beside.error();
    if (failing.size() != params_.jobs)
      return Error{ErrorCode::unavailable, fmt::format("only {} failing jobs were taken", failing.size())};
    trial.quiet = Half(quiet.value());
    trial.beside = Half(beside.value());
    trial.throttled = reads().cell().throttled_jobs;
    count_launches(failing, trial);
    return trial;
  }

 private:
  const Reads& reads() const { return cluster_->node(1)->node().reads(); }
  bool await(const std::function<bool()>& done) { return await_.until(done, cell_patience); }

  Result<void> start() {
    embedded::RealOptions options;
    options.nodes = params_.nodes;
    options.hosts = params_.hosts;
    options.driver = "sim";
    options.data = folder_.path();
    options.settings.set(crash_launches_per_s, params_.crash_launches_per_s);
    // Room for all of them at once and the healthy ones: nobody waits for a host.
    const std::int64_t per_host = std::int64_t{params_.jobs} * params_.tasks_per_job / params_.hosts + 100;
    options.host_resources = room_for(per_host);
    auto cluster = embedded::RealCluster::start(std::move(options));
    if (!cluster.ok()) return cluster.error();
    cluster_ = std::move(cluster).value();
    if (!await([&] { return reads().cell().hosts_connected == params_.hosts; }))
      return Error{ErrorCode::unavailable, "the hosts did not connect"};
    if (!await([&] { return has_budgets(reads().cell().record); }))
      return Error{ErrorCode::unavailable, "the cell did not reach the feature level of budgets"};
    return {};
  }

  /// With `failing` the others are submitted at the beginning.
  Result<std::vector<Start>> healthy(std::uint32_t seconds, std::vector<JobId>* failing) {
    FailingParams params = params_;
    params.seconds = seconds;
    HealthyLoad load(*cluster_, params);
    if (failing != nullptr) *failing = submit_failing();
    const std::vector<JobId> jobs = load.end();
    if (jobs.size() < std::size_t{params.healthy_per_s} * seconds)
      return Error{ErrorCode::unavailable, fmt::format("only {} healthy jobs were taken", jobs.size())};
    std::vector<Start> starts;
    for (const JobId& job : jobs) {
      std::optional<Start> start;
      if (!await([&] { return (start = start_of(job)).has_value(); }))
        return Error{ErrorCode::outcome_unknown, "a healthy task did not start"};
      starts.push_back(*start);
    }
    double first = starts.empty() ? 0 : starts.front().submitted_at;
    for (const Start& start : starts) first = std::min(first, start.submitted_at);
    for (Start& start : starts) start.submitted_at -= first;
    return starts;
  }

  /// Of a job of one task, once that has ended; `submitted_at` since the epoch.
  std::optional<Start> start_of(const JobId& id) const {
    const auto job = reads().archived_job(id);
    const auto tasks = reads().archived_tasks_of(id, 1);
    if (!job.ok() || !job.value() || !tasks.ok() || tasks.value().empty()) return std::nullopt;
    const TaskRecord& task = tasks.value().front();
    const auto at = [&](TaskState state) { return static_cast<double>(task.step(state).at.ms); };
    const auto created = static_cast<double>(job.value()->record.created.ms);
    return Start{created, at(TaskState::accepted) - created,
                 at(TaskState::launched) - at(TaskState::accepted),
                 at(TaskState::started) - at(TaskState::launched)};
  }

  std::vector<JobId> submit_failing() {
    std::atomic<std::uint32_t> next{0};
    std::mutex mutex;
    std::vector<JobId> jobs;
    std::vector<std::thread> clients;
    for (std::uint32_t c = 0; c < submitters; ++c)
      clients.emplace_back([&, port = cluster_->http_port(c % params_.nodes + 1)] {
        Random random = Random::from_system();
        auto client = client_of(port, submit_timeout);
        for (std::uint32_t n = next++; n < params_.jobs; n = next++) {
          const auto made = submit(client, failing_job(params_, n % 2 == 0 ? Kind::batch : Kind::service),
                                   fresh_key(random));
          if (!made.ok()) continue;
          const std::lock_guard lock(mutex);
          jobs.push_back(parse_uuid<JobId>(made.value()).value());
        }
      });
    for (std::thread& client : clients) client.join();
    return jobs;
  }

  std::vector<std::int64_t> launches_of(const JobId& job) const {
    std::vector<std::int64_t> at;
    const auto add = [&](const TaskRecord& task) {
      if (const Instant launched = task.step(TaskState::launched).at; launched.is_set())
        at.push_back(launched.ms);
    };
    if (const auto ended = reads().archived_tasks_of(job, tasks_of_job_max); ended.ok())
      for (const TaskRecord& task : ended.value()) add(task);
    reads().with_job(job, [&](const JobView& view) {
      for (const SlotEntry& slot : view.slots)
        if (slot.live != nullptr) add(*slot.live);
    });
    std::sort(at.begin(), at.end());
    return at;
  }

  /// No window of a job has more than its first launches, its burst and what the rate lets through in it.
  void count_launches(const std::vector<JobId>& jobs, Trial& trial) const {
    const CellPolicy policy = reads().cell().record.policy;
    const double per_ms = static_cast<double>(policy.relaunches_per_minute * params_.tasks_per_job) / 60'000;
    const auto most =
        static_cast<double>(2 * std::uint64_t{params_.tasks_per_job} + policy.relaunch_burst + 1);
    std::map<std::int64_t, std::uint64_t> by_second;
    for (const JobId& job : jobs) {
      const auto at = launches_of(job);
      trial.launches += at.size();
      for (const std::int64_t ms : at) ++by_second[ms / 1'000];
      for (std::size_t from = 0; from < at.size(); ++from)
        for (std::size_t to = from; to < at.size(); ++to)
          if (static_cast<double>(to - from + 1) >
              most + static_cast<double>(at[to] - at[from] + slack_ms) * per_ms)
            ++trial.violations;
    }
    for (const auto& [second, count] : by_second)
      trial.launches_per_s_max = std::max(trial.launches_per_s_max, count);
  }

  const FailingParams& params_;
  ScratchFolder folder_;
  std::unique_ptr<embedded::RealCluster> cluster_;
  Await await_{look_every};
};

double median_of(const std::vector<Trial>& trials, const std::function<double(const Trial&)>& figure) {
  std::vector<double> values;
  for (const Trial& trial : trials) values.push_back(figure(trial));
  return percentile(values, 0.50);
}

std::string line_of(const FailingParams& params, const std::vector<Trial>& trials) {
  BenchLine out("failing");
  out.param("nodes", params.nodes);
  out.param("hosts", params.hosts);
  out.param("jobs", params.jobs);
  out.param("tasks_per_job", params.tasks_per_job);
  out.param("healthy_per_s", params.healthy_per_s);
  out.param("seconds", params.seconds);
  out.param("trials", params.trials);
  out.param("crash_launches_per_s", params.crash_launches_per_s);
  out.begin_figures();
  const auto figure = [&](std::string_view name, const std::function<double(const Trial&)>& of) {
    out.figure(name, median_of(trials, of));
  };
  figure("start_p99_rate", [](const Trial& t) { return t.ratio(); });
  const auto half = [&](std::string_view name, const Half Trial::*of, const double Half::*value) {
    figure(name, [=](const Trial& t) { return t.*of.*value; });
  };
  half("quiet_start_p50_ms", &Trial::quiet, &Half::p50_ms);
  half("quiet_start_p99_ms", &Trial::quiet, &Half::p99_ms);
  half("quiet_made_p99_ms", &Trial::quiet, &Half::made_p99_ms);
  half("quiet_placed_p99_ms", &Trial::quiet, &Half::placed_p99_ms);
  half("quiet_started_p99_ms", &Trial::quiet, &Half::started_p99_ms);
  half("start_p50_ms", &Trial::beside, &Half::p50_ms);
  half("start_p99_ms", &Trial::beside, &Half::p99_ms);
  half("made_p99_ms", &Trial::beside, &Half::made_p99_ms);
  half("placed_p99_ms", &Trial::beside, &Half::placed_p99_ms);
  half("started_p99_ms", &Trial::beside, &Half::started_p99_ms);
  figure("launches", [](const Trial& t) { return static_cast<double>(t.launches); });
  figure("launches_per_s_max", [](const Trial& t) { return static_cast<double>(t.launches_per_s_max); });
  figure("jobs_throttled", [](const Trial& t) { return static_cast<double>(t.throttled); });
  std::uint64_t violations = 0;
  for (const Trial& trial : trials) violations += trial.violations;
  out.figure("windows_over_budget", violations);
  return out.take();
}

}  // namespace

Result<std::string> bench_failing(const FailingParams& params) {
  std::vector<Trial> trials;
  for (std::uint32_t n = 0; n < params.trials; ++n) {
    auto trial = FailingBench(params).run();
    if (!trial.ok()) return trial.error();
    trials.push_back(trial.value());
  }
  return line_of(params, trials);
}

}  // namespace troupe::cli
