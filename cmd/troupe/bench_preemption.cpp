#include "cmd/troupe/bench_preemption.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "actors/scheduler/engine.hpp"
#include "cmd/troupe/bench_support.hpp"

namespace troupe::cli {
namespace {

constexpr std::int64_t tasks_per_host = 8;
constexpr std::size_t hosts_per_low_job = 10;
constexpr std::uint32_t sizes = 5;  // of hosts; each task is as large as one of those that it may end

class PreemptionRun {
 public:
  PreemptionRun(const placement::Case& what, std::uint64_t seed)
      : what_(what), random_(seed), engine_(lookups()), on_host_(what.hosts + 1) {}

  std::string run() {
    fill();
    submit();
    const Moment begin = clock_.steady();
    while (pass()) {
    }
    const double took = seconds_of(clock_.steady() - begin);
    std::uint64_t below = 0;
    for (const auto& [id, job] : jobs_) below += 2 * job.stay < job.wanted ? 1 : 0;
    BenchLine out("placement");
    out.param("case", what_.name);
    out.param("hosts", what_.hosts);
    out.param("tasks", what_.tasks);
    out.begin_figures();
    out.figure("seconds", took);
    out.figure("placements_per_s", static_cast<double>(placed_) / took);
    out.figure("placed", placed_);
    out.figure("victims", victims_);
    out.figure("victims_per_placement", static_cast<double>(victims_) / static_cast<double>(placed_));
    out.figure("left_waiting", std::uint64_t{engine_.status().queued});
    out.figure("hosts_asked_per_placement", static_cast<double>(asked_) / static_cast<double>(placed_));
    out.figure("jobs_below_availability", below);
    return out.take();
  }

 private:
  struct Job {
    std::uint32_t wanted = 0, stay = 0;
  };

  scheduler::Lookups lookups() {
    scheduler::Lookups all;
    all.running_on = [this](HostId host, std::vector<scheduler::RunningTask>& out) {
      ++asked_;
      out = on_host_.at(host.value);
    };
    all.disruptions_left = [this](const JobId& id) {
      const Job& job = jobs_.at(id);
      const std::uint32_t needed = (job.wanted + 1) / 2;
      return job.stay > needed ? job.stay - needed : 0;
    };
    return all;
  }

  DescriptorPtr part_of(const Resources& total) {
    JobDescriptor d;
    d.capacity_group = "low";
    d.resources = {total.cpu_milli / tasks_per_host, total.memory_mb / tasks_per_host, 1, 1, 0};
    return std::make_shared<const JobDescriptor>(d);
  }
  void fill() {
    std::vector<JobId> ids;
    for (std::size_t n = 0; n <= what_.hosts / hosts_per_low_job; ++n) ids.push_back(random_.uuid<JobId>());
    std::map<std::int64_t, DescriptorPtr> parts;
    Resources all;
    for (std::uint32_t n = 1; n <= what_.hosts; ++n) {
      scheduler::HostFacts host = placement::host_of(n);
      all += host.total;
      DescriptorPtr& part = parts[host.total.cpu_milli * 1'000'000 + host.total.memory_mb];
      if (part == nullptr) part = part_of(host.total);
      for (std::int64_t i = 0; i < tasks_per_host; ++i) {
        const JobId& job = ids[random_.below(ids.size())];
        const Instant since{static_cast<std::int64_t>(random_.below(1'000'000))};
        on_host_[n].push_back({random_.task_of(job), job, Index{1}, part, 0, since});
        ++jobs_[job].wanted, ++jobs_[job].stay;
        host.used += part->resources;
      }
      engine_.upsert_host(host);
    }
    engine_.put_group({"low", Tier::flex, {}, {1, 1, 0, 0, 0}});
    // A Critical group's reservation is its ceiling: all that there is.
    engine_.put_group({"high", Tier::critical, all, {}});
  }
  void submit() {
    std::vector<std::pair<JobId, DescriptorPtr>> jobs;
    for (std::uint32_t n = 0; n < sizes; ++n) {
      JobDescriptor d = *part_of(placement::host_of(n + 1).total);
      d.capacity_group = "high";
      d.hard_constraints["machineType"] = placement::host_of(n + 1).attributes.at("machineType");
      jobs.emplace_back(random_.uuid<JobId>(), std::make_shared<const JobDescriptor>(d));
    }
    for (std::uint32_t n = 0; n < what_.tasks; ++n) {
      const auto& [job, descriptor] = jobs[n % jobs.size()];
      const TaskId task = random_.task_of(job);
      engine_.enqueue({task, job, Index{1}, {Index{2}, n}, descriptor});
      high_.emplace(task, descriptor);
    }
  }
  /// As if the log took each plan at once, and each victim ended at once.
  bool pass() {
    const scheduler::Plan plan = engine_.place(now_, {});
    for (const scheduler::Preemption& preemption : plan.preemptions)
      for (const Victim& victim : preemption.victims) end(preemption.host, victim.task);
    for (const scheduler::Placement& placement : plan.placements) {
      engine_.settle(now_, placement.task, scheduler::Placed{{Index{++index_}}});
      // They stay: nobody may end them, and who looks at the host sees them.
      on_host_.at(placement.host.value)
          .push_back({placement.task, placement.job, Index{1}, high_.at(placement.task), 0, now_});
      ++placed_;
    }
    return !plan.placements.empty() || !plan.preemptions.empty() || plan.more;
  }
  void end(HostId host, const TaskId& task) {
    auto& there = on_host_.at(host.value);
    const auto victim = std::find_if(there.begin(), there.end(),
                                     [&](const scheduler::RunningTask& one) { return one.task == task; });
    engine_.task_leaving(task);
    engine_.task_ended({task, victim->job, host, victim->descriptor->resources, {Index{++index_}}});
    --jobs_.at(victim->job).stay;
    there.erase(victim);
    ++victims_;
  }

  const placement::Case& what_;
  Random random_;
  SystemClock clock_;
  std::map<JobId, Job> jobs_;
  scheduler::Engine engine_;
  std::vector<std::vector<scheduler::RunningTask>> on_host_;
  std::map<TaskId, DescriptorPtr> high_;
  Instant now_{2'000'000};
  std::uint64_t index_ = 1, placed_ = 0, victims_ = 0, asked_ = 0;
};

}  // namespace

std::string bench_preemption(const placement::Case& what, std::uint64_t seed) {
  return PreemptionRun(what, seed).run();
}

}  // namespace troupe::cli
