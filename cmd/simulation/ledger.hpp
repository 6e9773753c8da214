#pragma once
// What the nodes of a simulated cell made true, written down from outside and judged as it happens.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cmd/embedded/sim_tap.hpp"
#include "cmd/simulation/marks.hpp"
#include "storage/model/outcome.hpp"
#include "storage/state/reads.hpp"

namespace troupe::simulation {

/// A task as the events told it.
struct TaskStory {
  JobId job;
  TaskState state = TaskState::accepted;
  HostId host;  ///< once launched
  bool kill_asked = false;
  bool archived = false;
  DescriptorPtr descriptor;
};
struct JobStory {
  JobState state = JobState::accepted;
  bool archived = false;
};

/// Keeps its own books from the events alone and compares: every node tells the same events at the same
/// positions; jobs and tasks move along their drawings; no former owner's command and no former session's
/// report is taken; no host is given more than it has, as it said last; what is Started was launched on its
/// host; nothing is told to stop that nobody ended. One thread; outlives its cluster.
class Ledger final : public embedded::SimObserver {
 public:
  using Complain = std::function<void(const std::string& what)>;
  /// `told` hears each event of a job, task or host at its first telling; may be empty.
  explicit Ledger(Complain complain, std::function<void(const Event&)> told = {});
  ~Ledger() override;

  ApplyObserver* node_starts(std::uint32_t node) override;
  void host_launches(const std::string& host, const agent::ContainerSpec& spec) override;
  void host_stops(const std::string& host, const TaskId& task) override;

  Index last() const { return last_; }  ///< applied by the first node
  const std::map<EventId, Event>& events() const { return events_; }
  const std::map<TaskId, TaskStory>& tasks() const { return tasks_; }
  const std::map<JobId, JobStory>& jobs() const { return jobs_; }
  const std::map<HostId, Resources>& booked() const { return booked_; }
  const std::string& host_name(HostId host) const;  ///< empty: nobody registered it
  std::uint64_t transitions() const { return transitions_; }
  std::uint64_t waiting() const;  ///< tasks in Accepted
  const Marks& marks() const { return marks_; }
  Marks& marks() { return marks_; }

 private:
  class Ear;
  void decided(const Command& command, const Outcome& outcome);
  void check_fences(const Command& command, const Outcome& outcome);
  void follow_fences(const Command& command, const Outcome& outcome);
  void applied(const std::string& node, const Applied& applied);
  void hear(const Event& event);
  void hear_job(const Event& event);
  void hear_task(const Event& event);
  void move_task(TaskStory& story, const Event& event);
  void take(const TaskStory& story, const Event& event);
  void note_host(const RegisterHost& host, const Outcome& outcome);

  Complain complain_;
  std::function<void(const Event&)> told_;
  std::vector<std::unique_ptr<Ear>> ears_;  ///< of all lives of all nodes
  std::map<EventId, Event> events_;
  std::map<JobId, JobStory> jobs_;
  std::map<TaskId, TaskStory> tasks_;
  std::map<HostId, Resources> booked_;
  std::map<HostId, std::map<Index, Resources>> sizes_;  ///< from when on
  std::map<HostId, std::string> names_;
  std::set<std::pair<TaskId, std::string>> launched_;  ///< on which host
  std::map<ShardId, Epoch> epochs_;                    ///< by the moves that were taken
  std::map<HostId, SessionId> sessions_;               ///< likewise
  Index last_;
  Index decided_;
  std::uint64_t transitions_ = 0;
  Marks marks_;
};

}  // namespace troupe::simulation
