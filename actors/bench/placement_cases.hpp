#pragma once
// Inventories and workloads for measuring placement: those of the Kubernetes scheduler's benchmark, and ours.

#include <functional>
#include <string>
#include <vector>

#include "actors/scheduler/facts.hpp"
#include "storage/base/random.hpp"

namespace troupe::placement {

/// One measurable situation. All its tasks are generated from one seed.
struct Case {
  std::string name;
  std::string sentence;
  std::uint32_t hosts = 5'000;
  std::uint32_t tasks = 50'000;
  std::uint32_t unplaceable_percent = 0;  ///< of the tasks, mixed in
  std::uint32_t ends_per_pass = 0;  ///< churn: placed tasks that end, and as many that come, after each pass
  std::uint32_t host_changes_per_pass = 0;
  std::uint32_t jobs = 1'000;
  /// The job's descriptor, by its number; jobs take turns.
  std::function<void(JobDescriptor&, std::uint32_t job, Random&)> shape;
  bool preempts = false;  ///< the hosts are full, and each task needs another one ended
};
const std::vector<Case>& cases();
const Case* find_case(const std::string& name);

scheduler::HostFacts host_of(std::uint32_t number);

/// The descriptors of a case's jobs, at sizes that fill its hosts to `fill_percent`.
struct Workload {
  std::vector<std::pair<JobId, DescriptorPtr>> jobs;
  std::vector<std::pair<JobId, DescriptorPtr>> unplaceable;
};
Workload workload_of(const Case& what, Random& random);

}  // namespace troupe::placement
