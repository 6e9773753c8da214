#pragma once
// Placement as one would explain it: every host asked, every task counted, nothing remembered. Slow, obvious,
// and what the engine is held against.

#include <map>
#include <vector>

#include "actors/scheduler/facts.hpp"

namespace troupe::test {

struct ReferenceTask {
  JobId job;
  DescriptorPtr descriptor;
  HostId host;  ///< 0: it waits
};

class ReferenceEngine {
 public:
  std::map<HostId, scheduler::HostFacts> hosts;
  std::map<TaskId, ReferenceTask> tasks;

  bool may_run(const ReferenceTask& task, const scheduler::HostFacts& host) const;
  bool fits_anywhere(const ReferenceTask& task) const;
  Resources used(HostId host) const;

 private:
  bool facts_allow(const ReferenceTask& task, const scheduler::HostFacts& host) const;
  bool neighbours_allow(const ReferenceTask& task, const scheduler::HostFacts& host) const;
  /// Tasks of the job in that place.
  int count(const JobId& job, const std::string& place, const std::string& value) const;
  int least(const ReferenceTask& task, const std::string& place) const;
};

}  // namespace troupe::test
