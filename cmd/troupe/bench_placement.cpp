#include "cmd/troupe/bench_placement.hpp"

#include <fstream>
#include <map>
#include <set>
#include <vector>

#include "actors/bench/placement_cases.hpp"
#include "actors/bench/placement_trace.hpp"
#include "actors/scheduler/engine.hpp"
#include "cmd/troupe/bench_preemption.hpp"
#include "cmd/troupe/bench_support.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint32_t tasks_per_churn = 250;  // So many churns for a case's tasks.

/// One case from the first task to the last, and what each part of it took.
class PlacementRun {
 public:
  PlacementRun(const placement::Case& what, std::uint64_t seed)
      : what_(what), random_(seed), work_(placement::workload_of(what, random_)) {}

  void run() {
    for (std::uint32_t n = 1; n <= what_.hosts; ++n) engine_.upsert_host(placement::host_of(n));
    const Moment begin = clock_.steady();
    for (std::uint32_t n = 0; n < what_.tasks; ++n) submit(n);
    queueing_ = clock_.steady() - begin;
    run_passes();
    for (std::uint32_t n = 0; what_.ends_per_pass > 0 && n < what_.tasks / tasks_per_churn; ++n) {
      churn();
      run_passes();
    }
    measure_explain();
  }

  std::string line() {
    BenchLine out("placement");
    out.param("case", what_.name);
    out.param("hosts", what_.hosts);
    out.param("tasks", what_.tasks);
    out.begin_figures();
    out.figure("placements_per_s", static_cast<double>(placed_) / seconds_of(placing_));
    out.figure("with_queueing_per_s", static_cast<double>(placed_) / seconds_of(placing_ + queueing_));
    out.figure("first_tenth_per_s", rate(0, passes_.size() / 10));
    out.figure("last_tenth_per_s", rate(passes_.size() - passes_.size() / 10, passes_.size()));
    out.figure("placed", placed_);
    out.figure("left_waiting", std::uint64_t{engine_.status().queued});
    out.figure("hosts_used", std::uint64_t{hosts_used_.size()});
    out.figure("evaluations_per_placement",
               static_cast<double>(engine_.status().evaluations) / static_cast<double>(placed_));
    out.figure("explain_ms", explain_ms_);
    out.figure("rss_mb", rss_mb());
    return out.take();
  }

 private:
  struct Pass {
    std::size_t placed = 0;
    std::chrono::nanoseconds took{0};
  };
  struct Running {
    TaskId task;
    JobId job;
    HostId host;
    DescriptorPtr descriptor;
  };

  void submit(std::uint32_t number) {
    const bool is_unplaceable = number % 100 < what_.unplaceable_percent;
    const auto& jobs = is_unplaceable ? work_.unplaceable : work_.jobs;
    const auto& [job, descriptor] = jobs[number % jobs.size()];
    const TaskId task = random_.task_of(job);
    if (what_.ends_per_pass > 0) descriptors_.emplace(task, descriptor);
    engine_.enqueue({task, job, Index{1}, {Index{2}, ++submitted_}, descriptor});
  }

  void run_passes() {
    while (pass()) {
    }
  }
  /// False: nothing more fits.
  bool pass() {
    const Moment begin = clock_.steady();
    const scheduler::Plan plan = engine_.place(now_, {});
    for (const scheduler::Placement& placement : plan.placements)
      engine_.settle(now_, placement.task, scheduler::Placed{{Index{++index_}}});
    const auto took = clock_.steady() - begin;
    placing_ += took;
    placed_ += plan.placements.size();
    if (!plan.placements.empty()) passes_.push_back({plan.placements.size(), took});
    for (const scheduler::Placement& placement : plan.placements) note(placement);
    return plan.more;
  }
  void note(const scheduler::Placement& placement) {
    hosts_used_.insert(placement.host);
    if (what_.ends_per_pass == 0) return;
    const auto known = descriptors_.find(placement.task);
    running_.push_back({placement.task, placement.job, placement.host, known->second});
    descriptors_.erase(known);
  }
  /// Some tasks end, as many come, and some hosts drain or return.
  void churn() {
    const Moment begin = clock_.steady();
    for (std::uint32_t n = 0; n < what_.ends_per_pass && !running_.empty(); ++n) {
      std::swap(running_[random_.below(running_.size())], running_.back());
      const Running& ends = running_.back();
      engine_.task_ended({ends.task, ends.job, ends.host, ends.descriptor->resources, {Index{++index_}}});
      running_.pop_back();
      submit(submitted_);
    }
    for (std::uint32_t n = 0; n < what_.host_changes_per_pass; ++n) {
      auto host = placement::host_of(static_cast<std::uint32_t>(1 + random_.below(what_.hosts)));
      host.phase = random_.chance(10) ? HostPhase::draining : HostPhase::active;
      engine_.upsert_host(host);
    }
    placing_ += clock_.steady() - begin;
  }
  /// Of a task that no host can take, among all that still wait.
  void measure_explain() {
    constexpr int times = 5;
    JobDescriptor large = *work_.jobs.front().second;
    large.resources.cpu_milli = 300'000;
    const JobId job = random_.uuid<JobId>();
    const TaskId task = random_.task_of(job);
    engine_.enqueue(
        {task, job, Index{1}, {Index{2}, ++submitted_}, std::make_shared<const JobDescriptor>(large)});
    engine_.place(now_, {});
    const Moment begin = clock_.steady();
    for (int n = 0; n < times; ++n) engine_.explain(task);
    explain_ms_ = seconds_of(clock_.steady() - begin) * 1'000 / times;
  }
  double rate(std::size_t from, std::size_t to) const {
    std::size_t placed = 0;
    std::chrono::nanoseconds took{0};
    for (std::size_t n = from; n < to; ++n) placed += passes_[n].placed, took += passes_[n].took;
    return took.count() == 0 ? 0 : static_cast<double>(placed) / seconds_of(took);
  }

  const placement::Case& what_;
  Random random_;
  placement::Workload work_;
  SystemClock clock_;
  scheduler::Engine engine_;
  Instant now_{1'000};
  std::uint64_t index_ = 1;
  std::uint32_t submitted_ = 0;
  std::map<TaskId, DescriptorPtr> descriptors_;  ///< of waiting tasks, where some end
  std::vector<Running> running_;
  std::set<HostId> hosts_used_;
  std::vector<Pass> passes_;
  std::chrono::nanoseconds queueing_{0};
  std::chrono::nanoseconds placing_{0};
  std::uint64_t placed_ = 0;
  double explain_ms_ = 0;
};

Result<std::string> make_trace(const PlacementParams& params) {
  constexpr std::uint32_t usual_nodes = 1'200, usual_pods = 8'000;  // About as many as the recorded one has.
  const placement::Trace trace =
      placement::make_trace(params.hosts != 0 ? params.hosts : usual_nodes,
                            params.tasks != 0 ? params.tasks : usual_pods, params.seed);
  for (const auto& [name, text] : {std::pair{"/nodes.csv", placement::nodes_csv(trace)},
                                   std::pair{"/pods.csv", placement::pods_csv(trace)}}) {
    std::ofstream file(params.make_trace + name, std::ios::binary);
    if (!(file << text)) return Error{ErrorCode::io, "cannot write " + params.make_trace + name};
  }
  return std::string();
}

Result<std::string> run_trace(const PlacementParams& params) {
  const auto trace = placement::read_trace(params.trace);
  if (!trace.ok()) return trace.error();
  const SystemClock clock;
  const Moment begin = clock.steady();
  const placement::TraceOutcome ours = placement::replay_engine(trace.value());
  const double took = seconds_of(clock.steady() - begin);
  const placement::TraceOutcome best_fit = placement::replay_best_fit(trace.value());
  BenchLine out("placement");
  out.param("trace", params.trace);
  out.param("hosts", std::uint64_t{trace.value().nodes.size()});
  out.param("tasks", std::uint64_t{trace.value().pods.size()});
  out.begin_figures();
  out.figure("placements_per_s", static_cast<double>(ours.placed) / took);
  out.figure("placed", std::uint64_t{ours.placed});
  out.figure("placed_at_once", std::uint64_t{ours.placed_at_once});
  out.figure("placed_with_gpu", std::uint64_t{ours.placed_with_gpu});
  out.figure("fullest_permille", static_cast<std::uint64_t>(ours.share_milli));
  out.figure("best_fit_placed", std::uint64_t{best_fit.placed});
  out.figure("best_fit_placed_at_once", std::uint64_t{best_fit.placed_at_once});
  out.figure("best_fit_placed_with_gpu", std::uint64_t{best_fit.placed_with_gpu});
  out.figure("best_fit_fullest_permille", static_cast<std::uint64_t>(best_fit.share_milli));
  return out.take();
}

}  // namespace

std::string placement_case_list() {
  std::string list = "Cases:\n";
  for (const placement::Case& what : placement::cases())
    list += "  " + what.name + ": " + what.sentence + '\n';
  return list;
}

Result<std::string> bench_placement(const PlacementParams& params) {
  if (!params.make_trace.empty()) return make_trace(params);
  if (!params.trace.empty()) return run_trace(params);
  std::string lines;
  for (placement::Case what : placement::cases()) {
    if (params.name != "all" && params.name != what.name) continue;
    if (params.hosts != 0) what.hosts = params.hosts;
    if (params.tasks != 0) what.tasks = params.tasks;
    if (!lines.empty()) lines += '\n';
    if (what.preempts) {
      lines += bench_preemption(what, params.seed);
      continue;
    }
    PlacementRun run(what, params.seed);
    run.run();
    lines += run.line();
  }
  if (lines.empty()) return Error{ErrorCode::invalid_argument, "there is no case " + params.name};
  return lines;
}

}  // namespace troupe::cli
