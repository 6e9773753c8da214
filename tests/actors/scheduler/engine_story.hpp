#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "actors/scheduler/engine.hpp"
#include "storage/base/random.hpp"

namespace troupe::test {

/// So many cpus, with 100 MB each.
inline Resources units(std::int64_t count) { return {1'000 * count, 100 * count, 0, 0, 0}; }
inline DescriptorPtr job_like(Resources resources) {
  JobDescriptor d;
  d.resources = resources;
  return std::make_shared<const JobDescriptor>(std::move(d));
}
inline DescriptorPtr service_like(Resources resources) {
  JobDescriptor d;
  d.resources = resources;
  d.kind = ServiceSpec{};
  return std::make_shared<const JobDescriptor>(std::move(d));
}
inline DescriptorPtr with_constraints(const DescriptorPtr& from, StringMap hard, StringMap soft = {}) {
  JobDescriptor d = *from;
  d.hard_constraints = std::move(hard);
  d.soft_constraints = std::move(soft);
  return std::make_shared<const JobDescriptor>(std::move(d));
}
inline DescriptorPtr in_group(const DescriptorPtr& from, std::string group) {
  JobDescriptor d = *from;
  d.capacity_group = std::move(group);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

/// An engine and short words for telling it things. All tasks belong to one job unless said otherwise.
struct EngineStory {
  scheduler::Engine engine;
  Random random{1};
  JobId job = random.uuid<JobId>();
  std::uint64_t created = 0;
  Instant now{1'000};

  scheduler::HostFacts facts(std::uint32_t id, Resources total, Resources used = {},
                             EventId as_of = {Index{1}}) {
    scheduler::HostFacts host;
    host.id = HostId{id};
    host.name = "host-" + std::to_string(id);
    host.total = total;
    host.used = used;
    host.as_of = as_of;
    host.eligibility = Index{1};
    host.connected = true;
    host.drivers = {"sim"};
    return host;
  }
  scheduler::HostFacts host(std::uint32_t id, Resources total, Resources used = {},
                            EventId as_of = {Index{1}}) {
    auto made = facts(id, total, used, as_of);
    engine.upsert_host(made);
    return made;
  }
  TaskId task(const DescriptorPtr& descriptor, std::uint32_t priority = 0) {
    return task_of(job, descriptor, priority);
  }
  TaskId task_of(JobId whose, const DescriptorPtr& descriptor, std::uint32_t priority = 0) {
    const TaskId id = random.task_of(whose);
    engine.enqueue(
        {id, whose, Index{1}, {Index{2}, static_cast<std::uint32_t>(++created)}, descriptor, priority});
    return id;
  }
  std::vector<TaskId> tasks(const DescriptorPtr& descriptor, int count) {
    std::vector<TaskId> all;
    for (int n = 0; n < count; ++n) all.push_back(task(descriptor));
    return all;
  }
  scheduler::Plan place() { return engine.place(now, {}); }
  /// Places all that fit; how many tasks each host got, by its number.
  std::map<std::uint32_t, int> place_counted() {
    std::map<std::uint32_t, int> counts;
    for (const auto& placement : place().placements) ++counts[placement.host.value];
    return counts;
  }
  void settle(TaskId task, const std::variant<scheduler::Placed, scheduler::Refused>& outcome) {
    engine.settle(now, task, outcome);
  }
  void end(TaskId task, std::uint32_t host, const DescriptorPtr& descriptor, std::uint64_t at) {
    engine.task_ended({task, job, HostId{host}, descriptor->resources, {Index{at}}});
  }
};

}  // namespace troupe::test
