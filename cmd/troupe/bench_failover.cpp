#include "cmd/troupe/bench_failover.hpp"

#include <fmt/core.h>

#include "actors/runtime/actor_host.hpp"
#include "cmd/embedded/real_agent.hpp"
#include "cmd/troupe/bench_cell.hpp"
#include "cmd/troupe/bench_submitter.hpp"
#include "cmd/troupe/bench_watched_jobs.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "cmd/troupe/fill.hpp"
#include "cmd/troupe/node_files.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint32_t nodes = 3;
constexpr milliseconds trial_patience{30'000};
constexpr milliseconds settling{1'000};     ///< after a mended fault
constexpr std::size_t looked_up_max = 200;  ///< acknowledged submits, each trial

/// The first answer of a write sent after the fault, and the first task of those writes to be Started.
struct AfterFault {
  std::mutex mutex;
  double answer_ms = 0;
  double started_ms = 0;
};

class FailoverBench {
 public:
  explicit FailoverBench(const FailoverParams& params) : params_(params) {}

  Result<std::string> run() {
    if (auto begun = begin(); !begun.ok()) return begun.error();
    {
      std::vector<std::uint16_t> ports;
      for (std::uint32_t n = 0; n < 4; ++n) ports.push_back(cell_->http_port(n % nodes + 1));
      const SteadyLoad load(ports, submit_pause, acknowledged_);
      for (std::uint32_t n = 0; n < params_.trials; ++n)
        if (auto done = trial(); !done.ok()) return done.error();
    }
    return line();
  }

 private:
  Result<void> begin() {
    auto folder = filled_folder(params_.folder, {.folder = scratch_.path() + "/cell",
                                                 .live_tasks = params_.live_tasks,
                                                 .archived_tasks = params_.archived_tasks,
                                                 .nodes = nodes});
    if (!folder.ok()) return folder.error();
    folder_ = std::move(folder).value();
    if (auto known = parse_settings(params_.settings); !known.ok()) return known.error();
    auto cell = BenchCell::make(folder_, nodes, params_.kind == "partition" ? Roads::proxied : Roads::direct,
                                {}, params_.settings);
    if (!cell.ok()) return cell.error();
    cell_ = std::move(cell).value();
    for (std::uint32_t n = 1; n <= nodes; ++n)
      if (auto started = cell_->start(n); !started.ok()) return started;
    if (!cell_->await_serving(cell_patience))
      return Error{ErrorCode::unavailable, "the cell did not serve in time"};
    if (auto agents = start_agents(); !agents.ok()) return agents;
    if (params_.victim != "owner") return {};
    watched_ = std::make_unique<WatchedJobs>(*cell_);
    return watched_->create();
  }

  Result<void> start_agents() {
    actors_ = ActorHost::with_threads(1);
    const auto io = std::make_shared<net::IoThread>();
    for (std::uint32_t n = 1; n <= params_.hosts; ++n) {
      embedded::RealAgentConfig config;
      config.agent.host = "sim-" + std::to_string(n);
      config.agent.host_group = "sim";
      config.agent.resources = {
          .cpu_milli = 1'000'000, .memory_mb = 1'000'000, .disk_mb = 1'000'000, .network_mbps = 0, .gpu = 0};
      config.agent.link.back_off_max = milliseconds(500);
      config.agent.link.dial_max = milliseconds(1'000);
      config.agent.link.greet_max = milliseconds(3'000);
      for (std::uint32_t k = 0; k < nodes; ++k) {
        const std::uint32_t node = (n + k) % nodes + 1;
        config.agent.bootstrap.push_back(fmt::format("{}@127.0.0.1:{}", node, cell_->peer_port(node)));
      }
      config.cell = "troupe";
      config.driver = "sim";
      config.io_thread = io;
      auto agent = embedded::RealAgent::start(*actors_, std::move(config));
      if (!agent.ok()) return agent.error();
      agents_.push_back(std::move(agent).value());
    }
    const bool connected = await_.until([&] { return has_all_hosts(1); }, cell_patience);
    return connected ? Result<void>() : Error{ErrorCode::unavailable, "the hosts did not connect"};
  }

  bool has_all_hosts(std::uint32_t node) const {
    auto client = client_of(cell_->http_port(node), milliseconds(5'000));
    const auto said = get_json(client, "/api/v3/cell");
    return said.ok() &&
           static_cast<std::uint64_t>(integer_at(said.value(), "hostsConnected")) >= params_.hosts;
  }

  Result<void> trial() {
    std::uint32_t victim = 0;
    const auto is_ready = [&] {
      victim = choose_victim();
      return victim != 0 && has_all_hosts(victim) &&
             (watched_ == nullptr || watched_->are_shards_spread(cell_->http_port(victim)));
    };
    // Twice: one fault at a time, and the hosts follow their shards a little later.
    for (const milliseconds pause : {settling, milliseconds(0)}) {
      if (!await_.until(is_ready, cell_patience))
        return Error{ErrorCode::unavailable,
                     "the cell found no leader, no owner beside it, or not all hosts"};
      await_.until([] { return false; }, pause);
    }
    if (watched_ != nullptr)
      if (auto prepared = watched_->prepare(victim); !prepared.ok()) return prepared;
    const Moment fault = clock_.steady();
    inject(victim);
    auto measured = params_.victim == "owner" ? watch_entities(victim, fault) : watch_writes(victim, fault);
    if (auto mended = mend(victim); !mended.ok()) return mended;
    if (!measured.ok()) return measured;
    return look_up();
  }

  std::uint32_t choose_victim() {
    const std::uint32_t leader = cell_->leader();
    if (leader == 0 || params_.victim == "leader") return leader;
    for (std::uint32_t n = 1; n <= nodes; ++n)
      if (n != leader && watched_->owned_by(n, cell_->http_port(leader)) > 0) return n;
    return 0;
  }

  void inject(std::uint32_t victim) {
    if (params_.kind == "kill")
      cell_->kill(victim);
    else if (params_.kind == "stop")
      cell_->stop(victim);
    else
      cell_->cut_off(victim);
  }

  Result<void> mend(std::uint32_t victim) {
    if (params_.kind == "kill") {
      if (auto started = cell_->start(victim); !started.ok()) return started;
    } else if (params_.kind == "stop") {
      cell_->resume(victim);
    } else {
      cell_->heal(victim);
    }
    if (!cell_->await_serving(cell_patience)) return Error{ErrorCode::unavailable, "the cell did not heal"};
    return {};
  }

  Result<void> watch_writes(std::uint32_t victim, Moment fault) {
    AfterFault after;
    std::vector<std::thread> writers;
    for (std::uint32_t n = 1; n <= nodes; ++n)
      if (n != victim)
        writers.emplace_back([&, port = cell_->http_port(n)] { write_until_started(port, fault, after); });
    for (std::thread& writer : writers) writer.join();
    if (after.answer_ms == 0) return Error{ErrorCode::unavailable, "no write was answered after the fault"};
    times_ms_.push_back(after.answer_ms);
    if (after.started_ms > 0) started_ms_.push_back(after.started_ms);
    return {};
  }

  double since(Moment fault) const { return seconds_of(clock_.steady() - fault) * 1000; }

  void write_until_started(std::uint16_t port, Moment fault, AfterFault& after) {
    Random random = Random::from_system();
    Await pacing(milliseconds(2));
    http::Client client = client_of(port, milliseconds(10'000));
    const std::string body = one_task_job(milliseconds(60'000));
    std::string job;
    pacing.until(
        [&] {
          const std::string key = fresh_key(random);
          auto answer = submit(client, body, key);
          if (!answer.ok()) return false;
          job = answer.value();
          acknowledged_.add(key, job);
          return true;
        },
        trial_patience);
    if (job.empty()) return;
    keep_first(after, after.answer_ms, since(fault));
    const std::string counts = "/api/v3/jobs/" + job + "?consistency=stale";
    const bool started = pacing.until(
        [&] {
          auto said = get_json(client, counts);
          return said.ok() && integer_at(said.value(), "summary/tasks/started") == 1;
        },
        trial_patience);
    if (started) keep_first(after, after.started_ms, since(fault));
    (void)client.call("DELETE", "/api/v3/jobs/" + job);
  }

  static void keep_first(AfterFault& after, double& first, double ms) {
    const std::lock_guard lock(after.mutex);
    if (first == 0 || ms < first) first = ms;
  }

  Result<void> watch_entities(std::uint32_t victim, Moment fault) {
    if (!watched_->change(victim))
      return Error{ErrorCode::unavailable, "a resize after the fault was refused"};
    if (!await_.until([&] { return watched_->is_cared_for(victim); }, trial_patience))
      return Error{ErrorCode::unavailable, "some entities of the victim were not cared for in time"};
    times_ms_.push_back(since(fault));
    return {};
  }

  /// Is what was promised still there, and once?
  Result<void> look_up() {
    auto client = client_of(cell_->http_port(cell_->leader() == 1 ? 2 : 1), milliseconds(10'000));
    std::size_t left = looked_up_max;
    for (const auto& [key, job] : acknowledged_.take()) {
      if (left-- == 0) break;
      ++looked_up_;
      // The cell may be between two leaders again: only a plain answer tells.
      int status = 0;
      await_.until(
          [&, target = "/api/v3/jobs/" + job] {
            auto answer = client.call("GET", target);
            status = answer.ok() ? static_cast<int>(answer.value().status) : 0;
            return status == 200 || status == 404;
          },
          trial_patience);
      if (status != 200)
        return Error{ErrorCode::internal,
                     fmt::format("acknowledged job {} is looked up with status {}", job, status)};
    }
    return {};
  }

  std::string line() {
    BenchLine out("failover");
    out.param("kind", params_.kind);
    out.param("victim", params_.victim);
    out.param("trials", params_.trials);
    out.param("live_tasks", params_.live_tasks);
    out.param("archived_tasks", params_.archived_tasks);
    out.begin_figures();
    out.figures("trials_ms", times_ms_);
    out.figure("p50_ms", percentile(times_ms_, 0.5));
    out.figure("p99_ms", percentile(times_ms_, 0.99));
    out.figure("max_ms", percentile(times_ms_, 1));
    out.figure("first_start_p50_ms", percentile(started_ms_, 0.5));
    out.figure("first_start_p99_ms", percentile(started_ms_, 0.99));
    out.figure("acknowledged_looked_up", looked_up_);
    return out.take();
  }

  const FailoverParams params_;
  ScratchFolder scratch_;
  std::string folder_;
  SystemClock clock_;
  Await await_{milliseconds(3)};
  std::unique_ptr<BenchCell> cell_;
  std::unique_ptr<ActorHost> actors_;
  std::vector<std::unique_ptr<embedded::RealAgent>> agents_;
  std::unique_ptr<WatchedJobs> watched_;
  Acknowledged acknowledged_;
  std::vector<double> times_ms_, started_ms_;
  std::uint64_t looked_up_ = 0;
};

}  // namespace

Result<std::string> bench_failover(const FailoverParams& params) { return FailoverBench(params).run(); }

}  // namespace troupe::cli
