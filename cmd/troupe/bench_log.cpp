#include "cmd/troupe/bench_log.hpp"

#include <fmt/core.h>

#include <thread>

#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/bench_apply.hpp"
#include "cmd/troupe/bench_floor.hpp"
#include "cmd/troupe/bench_log_node.hpp"
#include "cmd/troupe/bench_support.hpp"

namespace troupe::cli {
namespace {

constexpr milliseconds look_at_log_every{5};
constexpr milliseconds log_patience{60'000};
constexpr int floor_samples = 50;  // of syncs and of round trips, before and after each load
constexpr int slices = 10;

class LogBench {
 public:
  explicit LogBench(const LogParams& params) : params_(params) {}

  Result<std::string> run() {
    if (params_.processes != 1 && params_.processes != params_.nodes)
      return Error{ErrorCode::invalid_argument, "--processes is 1 or as many as --nodes"};
    if (auto started = start_nodes(); !started.ok()) return started.error();
    bench::Load prepare;
    prepare.kind = bench::Load::Kind::prepare;
    prepare.transitions = transitions();
    if (auto prepared = load(prepare); !prepared.ok()) return prepared.error();
    if (auto floor = measure_floor(); !floor.ok()) return floor.error();
    auto before = all();
    if (!before.ok()) return before.error();
    auto commits = load_commits();
    if (!commits.ok()) return commits.error();
    auto after = all();
    if (!after.ok()) return after.error();
    if (auto floor = measure_floor(); !floor.ok()) return floor.error();
    auto reads = load({bench::Load::Kind::read, params_.in_flight, span(), {}});
    if (!reads.ok()) return reads.error();
    auto equal = agree();
    if (!equal.ok()) return equal.error();
    nodes_.clear();
    auto apply = time_apply(folder_.path() + "/apply", transitions(), params_.apply_transitions);
    if (!apply.ok()) return apply.error();
    return line(before.value(), after.value(), commits.value(), reads.value(), apply.value(), equal.value());
  }

 private:
  using Answers = std::vector<LogAnswer>;

  milliseconds span() const { return milliseconds(params_.seconds * 1000); }
  bench::TransitionConfig transitions() const {
    bench::TransitionConfig config;
    config.width = params_.transitions_per_command;
    config.slots_per_job = std::max(64U, config.width);
    // Twice as many units as are under way: each command finds an idle one at random.
    config.tasks = std::max(params_.live_tasks, 2 * params_.in_flight * config.width);
    config.seed = params_.seed;
    return config;
  }

  Result<void> start_nodes() {
    LogNodeSpec spec;
    // As in an embedded cluster: one worker per node where several share a process.
    spec.threads = params_.processes == 1 && params_.nodes > 1 ? 1 : 2;
    for (std::uint32_t n = 1; n <= params_.nodes; ++n) {
      auto port = embedded::free_port();
      if (!port.ok()) return port.error();
      spec.peers.push_back("127.0.0.1:" + std::to_string(port.value()));
    }
    for (std::uint32_t n = 1; n <= params_.nodes; ++n) {
      spec.self = n;
      spec.data = folder_.path() + "/node-" + std::to_string(n);
      auto node = params_.processes == 1 ? open_log_node(spec) : spawn_log_node(spec);
      if (!node.ok()) return node.error();
      nodes_.push_back(std::move(node).value());
    }
    return {};
  }

  Result<Answers> all() {
    Answers answers;
    for (const auto& node : nodes_) {
      auto answer = node->ask({});
      if (!answer.ok()) return answer.error();
      if (!answer.value().error.empty()) return Error{ErrorCode::internal, answer.value().error};
      answers.push_back(std::move(answer).value());
    }
    return answers;
  }

  /// On the leader, whoever that is by then.
  Result<bench::LoadFigures> load(const bench::Load& load) {
    Result<Answers> answers = Answers{};
    std::size_t leader = nodes_.size();
    const auto found = [&] {
      answers = all();
      if (!answers.ok()) return true;
      for (std::size_t n = 0; n < answers.value().size(); ++n)
        if (answers.value()[n].leads) leader = n;
      return leader < nodes_.size();
    };
    const bool in_time = await_.until(found, log_patience);
    if (!answers.ok()) return answers.error();
    if (!in_time) return Error{ErrorCode::unavailable, "no leader was elected"};
    // The load knows its cell only where it was prepared.
    if (load.kind == bench::Load::Kind::prepare) prepared_on_ = leader;
    auto answer = nodes_[prepared_on_]->ask({load});
    if (!answer.ok()) return answer.error();
    if (!answer.value().error.empty()) return Error{ErrorCode::internal, answer.value().error};
    return answer.value().load;
  }

  /// A single writer is held against disk and link, which change from second to second: they take turns.
  Result<bench::LoadFigures> load_commits() {
    if (params_.in_flight > 1) return load({bench::Load::Kind::commit, params_.in_flight, span(), {}});
    bench::LoadFigures sum;
    std::vector<double> p50s, p99s;
    for (int n = 0; n < slices; ++n) {
      auto slice = load({bench::Load::Kind::commit, 1, span() / slices, {}});
      if (!slice.ok()) return slice;
      sum.done += slice.value().done;
      sum.took_us += slice.value().took_us;
      sum.max_us = std::max(sum.max_us, slice.value().max_us);
      p50s.push_back(static_cast<double>(slice.value().p50_us));
      p99s.push_back(static_cast<double>(slice.value().p99_us));
      if (auto floor = measure_floor(); !floor.ok()) return floor.error();
    }
    sum.p50_us = static_cast<std::uint64_t>(percentile(p50s, 0.5));
    sum.p99_us = static_cast<std::uint64_t>(percentile(p99s, 0.5));
    return sum;
  }

  Result<void> measure_floor() {
    auto syncs = time_syncs(folder_.path(), floor_samples);
    if (!syncs.ok()) return syncs.error();
    auto trips = time_round_trips(floor_samples);
    if (!trips.ok()) return trips.error();
    sync_us_.insert(sync_us_.end(), syncs.value().begin(), syncs.value().end());
    trip_us_.insert(trip_us_.end(), trips.value().begin(), trips.value().end());
    return {};
  }

  /// Waits until all have applied everything.
  Result<Answers> agree() {
    Result<Answers> answers = Answers{};
    const auto settled = [&] {
      answers = all();
      if (!answers.ok()) return true;
      std::uint64_t commit = 0;
      for (const LogAnswer& answer : answers.value()) commit = std::max(commit, answer.commit);
      return std::ranges::all_of(answers.value(),
                                 [&](const LogAnswer& answer) { return answer.applied == commit; });
    };
    const bool in_time = await_.until(settled, log_patience);
    if (!answers.ok()) return answers.error();
    if (!in_time) return Error{ErrorCode::unavailable, "the replicas did not catch up"};
    for (const LogAnswer& answer : answers.value())
      if (answer.hash != answers.value().front().hash)
        return Error{ErrorCode::internal,
                     "the replicas' states differ at index " + std::to_string(answer.applied)};
    return answers;
  }

  std::string line(const Answers& before, const Answers& after, const bench::LoadFigures& commits,
                   const bench::LoadFigures& reads, const ApplyFigures& apply, const Answers& end) {
    BenchLine out("log");
    out.param("nodes", params_.nodes);
    out.param("in_flight", params_.in_flight);
    out.param("processes", params_.processes);
    out.param("transitions_per_command", params_.transitions_per_command);
    out.param("live_tasks", transitions().tasks);
    out.param("seconds", params_.seconds);
    out.begin_figures();
    const auto rate = [](const bench::LoadFigures& load) {
      return static_cast<double>(load.done) * 1e6 /
             static_cast<double>(std::max<std::uint64_t>(1, load.took_us));
    };
    out.figure("commits_per_s", rate(commits));
    out.figure("transitions_per_s", rate(commits) * params_.transitions_per_command);
    out.figure("reads_per_s", rate(reads));
    out.figure("apply_us", apply.cpu_us);
    out.figure("p50_us", commits.p50_us);
    out.figure("p99_us", commits.p99_us);
    std::uint64_t syncs = 0, bytes = 0, cpu = 0;
    for (std::size_t n = 0; n < after.size(); ++n) {
      syncs += after[n].syncs - before[n].syncs;
      bytes += after[n].bytes_written - before[n].bytes_written;
      if (n == 0 || params_.processes > 1) cpu += after[n].cpu_us - before[n].cpu_us;
    }
    out.figure("fsyncs", syncs);
    out.figure("bytes", bytes);
    out.figure("max_us", commits.max_us);
    out.figure("cpu_us_per_commit",
               static_cast<double>(cpu) / static_cast<double>(std::max<std::uint64_t>(1, commits.done)));
    out.figure("read_p50_us", reads.p50_us);
    out.figure("read_p99_us", reads.p99_us);
    out.figure("apply_group_p50_ms", apply.group_p50_ms);
    out.figure("apply_group_p999_ms", apply.group_p999_ms);
    out.figure("apply_group_max_ms", apply.group_max_ms);
    out.figure("disk_sync_p50_us", percentile(sync_us_, 0.5));
    out.figure("link_round_trip_p50_us", percentile(trip_us_, 0.5));
    std::vector<std::string> hashes;
    for (const LogAnswer& answer : end) hashes.push_back(answer.hash);
    out.texts("state_hashes", hashes);
    return out.take();
  }

  const LogParams params_;
  ScratchFolder folder_;
  Await await_{look_at_log_every};
  std::vector<std::unique_ptr<LogBenchNode>> nodes_;
  std::size_t prepared_on_ = 0;
  std::vector<double> sync_us_, trip_us_;
};

}  // namespace

Result<std::string> bench_log(const LogParams& params) { return LogBench(params).run(); }

}  // namespace troupe::cli
