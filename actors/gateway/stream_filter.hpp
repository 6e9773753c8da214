#pragma once

#include <set>

#include "net/api/query.hpp"
#include "storage/state/reads.hpp"

namespace troupe::gateway {

/// Which events one stream tells: those of the jobs and tasks that its criteria name. A job that was told
/// once is told to its end, though its attributes may have changed meanwhile; of a task that is named its
/// job's own events come too. Owner: the stream.
class StreamFilter {
 public:
  enum class Tells : std::uint8_t {
    new_ones,  ///< what matches; a snapshot comes first
    all,       ///< a resumed stream may have told of any job: what it told is not known here
  };

  explicit StreamFilter(api::Criteria criteria) : criteria_(std::move(criteria)) {}
  /// False: everything passes.
  static bool narrows(const api::Criteria& criteria) { return !(criteria == api::Criteria{}); }

  /// Finds the jobs of the tasks that are named.
  void begin(const Reads& reads, Tells tells);
  bool wants(const JobRecord& job);
  bool wants_task(const TaskId& task) const {
    return criteria_.tasks.empty() || criteria_.tasks.contains(task);
  }
  bool wants(const Event& event, const Reads& reads);

 private:
  bool matches_job(const JobId& id, const JobDescriptor* descriptor, const Reads& reads) const;
  bool remembers() const { return !criteria_.attributes.empty(); }

  api::Criteria criteria_;
  std::set<JobId> of_tasks_;  ///< jobs of the tasks that are named
  std::set<JobId> told_;      ///< live; kept only where a change could make a job match no more
};

}  // namespace troupe::gateway
