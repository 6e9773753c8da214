// Two who place the pods of a trace: the engine, and best fit, which everybody knows.

#include <algorithm>
#include <limits>
#include <list>
#include <map>
#include <set>

#include "actors/bench/placement_trace.hpp"
#include "actors/scheduler/engine.hpp"
#include "storage/base/random.hpp"

namespace troupe::placement {
namespace {

constexpr std::int64_t whole_share = 1'000;

/// Of cpu, memory and gpu alike, in thousandths of `of`.
std::int64_t share_of(const Resources& amount, const Resources& of) {
  std::int64_t sum = 0, kinds = 0;
  for (const auto member : {&Resources::cpu_milli, &Resources::memory_mb, &Resources::gpu}) {
    if (of.*member == 0) continue;
    ++kinds;
    sum += amount.*member * whole_share / (of.*member);
  }
  return kinds == 0 ? 0 : sum / kinds;
}

bool has_model(const TraceNode& node, const TracePod& pod) {
  return pod.models.empty() ||
         std::find(pod.models.begin(), pod.models.end(), node.model) != pod.models.end();
}

class EnginePlacer final : public TracePlacer {
 public:
  explicit EnginePlacer(const Trace& trace) : trace_(trace), on_(trace.pods.size()) {
    for (std::size_t n = 0; n < trace.nodes.size(); ++n) {
      scheduler::HostFacts host;
      host.id = HostId{static_cast<std::uint32_t>(n + 1)};
      host.name = trace.nodes[n].name;
      host.total = trace.nodes[n].total;
      host.as_of = {Index{1}};
      host.eligibility = Index{1};
      host.connected = true;
      host.drivers = {"sim"};
      host.attributes = {{"model", trace.nodes[n].model}};
      engine_.upsert_host(host);
    }
  }
  void ask(std::size_t pod) override {
    JobDescriptor d;
    d.resources = trace_.pods[pod].resources;
    if (!trace_.pods[pod].models.empty()) {
      std::string list;
      for (const std::string& model : trace_.pods[pod].models) list += (list.empty() ? "" : ", ") + model;
      d.hard_constraints["expression"] = "model in (" + list + ")";
    }
    const TaskId task = random_.task_of(job_);
    tasks_.emplace(pod, task);
    pods_.emplace(task, pod);
    engine_.enqueue({task,
                     job_,
                     Index{1},
                     {Index{2}, static_cast<std::uint32_t>(pod)},
                     std::make_shared<const JobDescriptor>(std::move(d))});
  }
  std::vector<std::size_t> place() override {
    std::vector<std::size_t> placed;
    for (bool more = true; more;) {
      const scheduler::Plan plan = engine_.place(now_, {});
      more = plan.more;
      for (const scheduler::Placement& placement : plan.placements) {
        engine_.settle(now_, placement.task, scheduler::Placed{{Index{++index_}}});
        const std::size_t pod = pods_.at(placement.task);
        on_[pod] = placement.host;
        placed.push_back(pod);
      }
    }
    return placed;
  }
  void end(std::size_t pod) override {
    const TaskId task = tasks_.at(pod);
    if (on_[pod].value == 0)
      engine_.forget(task);
    else
      engine_.task_ended({task, job_, on_[pod], trace_.pods[pod].resources, {Index{++index_}}});
  }

 private:
  const Trace& trace_;
  Random random_{1};
  JobId job_ = random_.uuid<JobId>();
  scheduler::Engine engine_;
  std::vector<HostId> on_;
  std::map<std::size_t, TaskId> tasks_;
  std::map<TaskId, std::size_t> pods_;
  Instant now_{1'000};
  std::uint64_t index_ = 1;
};

class BestFitPlacer final : public TracePlacer {
 public:
  explicit BestFitPlacer(const Trace& trace) : trace_(trace), on_(trace.pods.size(), nowhere) {
    for (const TraceNode& node : trace.nodes) free_.push_back(node.total);
  }
  void ask(std::size_t pod) override { asked_.push_back(pod); }
  std::vector<std::size_t> place() override {
    std::vector<std::size_t> placed;
    for (const std::size_t node : freed_)
      for (auto at = waiting_.begin(); at != waiting_.end();) {
        const std::size_t pod = *at;
        if (!may_take(node, pod)) {
          ++at;
          continue;
        }
        at = waiting_.erase(at);
        put(pod, node, placed);
      }
    freed_.clear();
    for (const std::size_t pod : asked_)
      if (const std::size_t node = best(pod); node != nowhere)
        put(pod, node, placed);
      else
        waiting_.push_back(pod);
    asked_.clear();
    return placed;
  }
  void end(std::size_t pod) override {
    if (on_[pod] == nowhere) {
      waiting_.remove(pod);
      return;
    }
    free_[on_[pod]] += trace_.pods[pod].resources;
    freed_.insert(on_[pod]);
  }

 private:
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();
  bool may_take(std::size_t node, std::size_t pod) const {
    return trace_.pods[pod].resources.fits_into(free_[node]) &&
           has_model(trace_.nodes[node], trace_.pods[pod]);
  }
  std::size_t best(std::size_t pod) const {
    std::size_t found = nowhere;
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (std::size_t node = 0; node < free_.size(); ++node) {
      if (!may_take(node, pod)) continue;
      Resources left = free_[node];
      left -= trace_.pods[pod].resources;
      const std::int64_t share = share_of(left, trace_.nodes[node].total);
      if (share < least) found = node, least = share;
    }
    return found;
  }
  void put(std::size_t pod, std::size_t node, std::vector<std::size_t>& placed) {
    free_[node] -= trace_.pods[pod].resources;
    on_[pod] = node;
    placed.push_back(pod);
  }

  const Trace& trace_;
  std::vector<Resources> free_;
  std::vector<std::size_t> on_;
  std::vector<std::size_t> asked_;
  std::list<std::size_t> waiting_;
  std::set<std::size_t> freed_;
};

}  // namespace

TraceOutcome replay(const Trace& trace, TracePlacer& placer) {
  TraceOutcome out;
  Resources all, used;
  for (const TraceNode& node : trace.nodes) all += node.total;
  std::vector<bool> is_placed(trace.pods.size());
  std::set<std::pair<Instant, std::size_t>> ends;
  const auto place = [&](std::size_t asking) {
    for (const std::size_t pod : placer.place()) {
      is_placed[pod] = true;
      used += trace.pods[pod].resources;
      ++out.placed;
      if (trace.pods[pod].resources.gpu > 0) ++out.placed_with_gpu;
      if (pod == asking) ++out.placed_at_once;
    }
    out.share_milli = std::max(out.share_milli, share_of(used, all));
  };
  for (std::size_t pod = 0; pod < trace.pods.size(); ++pod) {
    for (; !ends.empty() && ends.begin()->first <= trace.pods[pod].begin; ends.erase(ends.begin())) {
      const std::size_t ended = ends.begin()->second;
      if (is_placed[ended]) used -= trace.pods[ended].resources;
      placer.end(ended);
      place(trace.pods.size());
    }
    placer.ask(pod);
    if (trace.pods[pod].end.is_set()) ends.insert({trace.pods[pod].end, pod});
    place(pod);
  }
  return out;
}

TraceOutcome replay_engine(const Trace& trace) {
  EnginePlacer placer(trace);
  return replay(trace, placer);
}

TraceOutcome replay_best_fit(const Trace& trace) {
  BestFitPlacer placer(trace);
  return replay(trace, placer);
}

}  // namespace troupe::placement
