#pragma once

#include <algorithm>

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::test {

/// An engine that may preempt, and the tasks that run: what the state would know.
struct PreemptionStory : EngineStory {
  struct Running {
    scheduler::RunningTask facts;
    HostId host;
  };
  std::map<TaskId, Running> running;
  std::map<JobId, std::uint32_t> left;  ///< disruptions; of others as many as one likes
  std::map<HostId, Resources> totals;
  std::map<TaskId, DescriptorPtr> waiting;
  std::size_t looks = 0;
  std::uint64_t index = 10;

  PreemptionStory() {
    scheduler::Lookups lookups;
    lookups.running_on = [this](HostId host, std::vector<scheduler::RunningTask>& out) {
      ++looks;
      for (const auto& [id, task] : running)
        if (task.host == host) out.push_back(task.facts);
    };
    lookups.disruptions_left = [this](const JobId& whose) {
      const auto found = left.find(whose);
      return found == left.end() ? UINT32_MAX : found->second;
    };
    lookups.places_of = [this](const JobId& whose) {
      std::vector<scheduler::Lookups::Place> places;
      for (const auto& [id, task] : running)
        if (task.facts.job == whose) places.emplace_back(id, task.host);
      return places;
    };
    engine = scheduler::Engine(std::move(lookups));
  }

  void add_host(std::uint32_t id, Resources total) {
    totals[HostId{id}] = total;
    show(HostId{id});
  }
  void show(HostId id) {
    Resources used;
    for (const auto& [task, run] : running)
      if (run.host == id) used += run.facts.descriptor->resources;
    host(id.value, totals.at(id), used, {Index{index}});
  }
  /// A task that has been running for so long.
  TaskId run(std::uint32_t host, const DescriptorPtr& descriptor, milliseconds age = milliseconds(0),
             std::uint32_t priority = 0, JobId whose = {}) {
    const TaskId id = random.task_of(whose.is_nil() ? job : whose);
    running[id] = {{id, whose.is_nil() ? job : whose, Index{7}, descriptor, priority, now - age},
                   HostId{host}};
    ++index;
    show(HostId{host});
    return id;
  }
  TaskId wait(const DescriptorPtr& descriptor, std::uint32_t priority = 0) {
    const TaskId id = task(descriptor, priority);
    waiting[id] = descriptor;
    return id;
  }
  /// All tasks of a job that start at once.
  std::vector<TaskId> gang(std::uint32_t size, const DescriptorPtr& descriptor, std::uint32_t priority = 0) {
    const JobId whose = random.uuid<JobId>();
    std::vector<TaskId> ids;
    for (std::uint32_t n = 0; n < size; ++n) {
      ids.push_back(random.task_of(whose));
      waiting[ids.back()] = descriptor;
      engine.enqueue({ids.back(),
                      whose,
                      Index{1},
                      {Index{2}, static_cast<std::uint32_t>(++created)},
                      descriptor,
                      priority,
                      size});
    }
    return ids;
  }
  void group(const std::string& name, Tier tier, Resources reservation) {
    Resources used, leaving;
    for (const auto& [id, task] : running) {
      if (task.facts.descriptor->capacity_group != name) continue;
      used += task.facts.descriptor->resources;
      if (task.facts.is_leaving) leaving += task.facts.descriptor->resources;
    }
    engine.put_group({name, tier, reservation, used, leaving});
  }
  /// As if the log had taken them.
  void take(const scheduler::Plan& plan) {
    for (const auto& placement : plan.placements) {
      running[placement.task] = {
          {placement.task, placement.job, Index{7}, waiting.at(placement.task), 0, now}, placement.host};
      waiting.erase(placement.task);
      settle(placement.task, scheduler::Placed{{Index{++index}}});
    }
    for (const auto& preemption : plan.preemptions)
      for (const Victim& victim : preemption.victims) {
        running.at(victim.task).facts.is_leaving = true;
        const Running& there = running.at(victim.task);
        engine.task_leaving(victim.task, there.host, there.facts.descriptor->resources);
      }
  }
  void end(TaskId id) {
    const Running gone = running.at(id);
    running.erase(id);
    engine.task_ended({id, gone.facts.job, gone.host, gone.facts.descriptor->resources, {Index{++index}}});
  }
  std::vector<TaskId> victims_of(const scheduler::Plan& plan) const {
    std::vector<TaskId> all;
    for (const auto& preemption : plan.preemptions)
      for (const Victim& victim : preemption.victims) all.push_back(victim.task);
    return all;
  }
};

}  // namespace troupe::test
