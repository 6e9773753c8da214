#include "cmd/troupe/bench_submitter.hpp"

#include <fmt/core.h>

#include "cmd/troupe/cli_value.hpp"

namespace troupe::cli {

void Acknowledged::add(const std::string& key, const std::string& job) {
  const std::lock_guard lock(mutex_);
  jobs_[key] = job;
}

std::map<std::string, std::string> Acknowledged::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(jobs_, {});
}

std::string one_task_job(milliseconds run) {
  return fmt::format(
      R"({{"owner":{{"teamEmail":"bench@example.com"}},"applicationName":"bench","attributes":{{"troupe.sim":"run={}ms"}},)"
      R"("container":{{"entryPoint":["/bin/true"],"resources":{{"cpu":0.1,"memoryMB":16,"diskMB":1}}}},)"
      R"("batch":{{"size":1,"runtimeLimitSec":86400,"retryPolicy":{{"immediate":{{"retries":0}}}}}}}})",
      run.count());
}

Resources room_for(std::int64_t tasks) {
  return {
      .cpu_milli = tasks * 150, .memory_mb = tasks * 24, .disk_mb = tasks * 2, .network_mbps = 0, .gpu = 0};
}

Result<std::string> submit(http::Client& client, const std::string& body, const std::string& key) {
  auto answer = client.call("POST", "/api/v3/jobs", body,
                            {{"content-type", "application/json"}, {"idempotency-key", key}});
  if (!answer.ok()) return answer.error();
  if (answer.value().status != 202) {
    const bool unknown = answer.value().status == 504;
    return Error{unknown ? ErrorCode::outcome_unknown : ErrorCode::unavailable, answer.value().body};
  }
  auto parsed = json::parse(answer.value().body);
  if (!parsed.ok()) return parsed.error();
  return text_at(parsed.value(), "id");
}

std::string fresh_key(Random& random) { return "bench-" + to_text(random.uuid<JobId>()); }

http::Client client_of(std::uint16_t port, milliseconds timeout) {
  http::ClientConfig config;
  config.port = port;
  config.timeout = timeout;
  return http::Client(config);
}

SteadyLoad::SteadyLoad(const std::vector<std::uint16_t>& ports, milliseconds pause,
                       Acknowledged& acknowledged)
    : pause_(pause), acknowledged_(acknowledged) {
  for (const std::uint16_t port : ports) threads_.emplace_back([this, port] { run(port); });
}

SteadyLoad::~SteadyLoad() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
}

std::vector<double> SteadyLoad::take_ms() {
  const std::lock_guard lock(mutex_);
  return std::exchange(took_ms_, {});
}

void SteadyLoad::run(std::uint16_t port) {
  constexpr milliseconds timeout{15'000};
  Random random = Random::from_system();
  Await pacing(pause_);
  const SystemClock clock;
  auto client = std::make_unique<http::Client>(client_of(port, timeout));
  const std::string body = one_task_job(milliseconds(200));
  while (!stopping_) {
    const std::string key = fresh_key(random);
    const Moment begin = clock.steady();
    auto job = submit(*client, body, key);
    if (job.ok()) {
      acknowledged_.add(key, job.value());
      const std::lock_guard lock(mutex_);
      took_ms_.push_back(seconds_of(clock.steady() - begin) * 1000);
    } else {
      client = std::make_unique<http::Client>(client_of(port, timeout));
    }
    bool waited = false;
    pacing.until([&] { return std::exchange(waited, true); }, pause_ * 2);
  }
}

}  // namespace troupe::cli
