#pragma once

#include <set>

#include "actors/scheduler/engine.hpp"
#include "storage/base/random.hpp"

namespace troupe::test {

inline DescriptorPtr job_like(Resources resources) {
  JobDescriptor d;
  d.resources = resources;
  return std::make_shared<const JobDescriptor>(std::move(d));
}
inline DescriptorPtr with_constraints(const DescriptorPtr& from, StringMap hard) {
  JobDescriptor d = *from;
  d.hard_constraints = std::move(hard);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

/// An engine and short words for telling it things. All tasks belong to one job unless said otherwise.
struct EngineStory {
  scheduler::Engine engine;
  Random random{1};
  JobId job = random.uuid<JobId>();
  std::uint64_t created = 0;

  scheduler::HostFacts facts(std::uint32_t id, Resources total, Resources used = {}, Index as_of = Index{1}) {
    scheduler::HostFacts host;
    host.id = HostId{id};
    host.name = "host-" + std::to_string(id);
    host.total = total;
    host.used = used;
    host.as_of = as_of;
    host.eligibility = Index{1};
    host.connected = true;
    host.drivers = {"process"};
    return host;
  }
  scheduler::HostFacts host(std::uint32_t id, Resources total, Resources used = {}, Index as_of = Index{1}) {
    auto made = facts(id, total, used, as_of);
    engine.upsert_host(made);
    return made;
  }
  TaskId task(const DescriptorPtr& descriptor, Tier tier = Tier::flex, std::uint32_t priority = 0) {
    const TaskId id = random.task_of(job);
    engine.enqueue(
        {id, job, Index{1}, {Index{2}, static_cast<std::uint32_t>(++created)}, descriptor, tier, priority});
    return id;
  }
  scheduler::Plan place() { return engine.place(Instant{}, {}); }
};

}  // namespace troupe::test
