#pragma once
// What the nodes of a simulated cell made true, written down from outside and judged as it happens.

#include <absl/container/btree_map.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cmd/embedded/sim_tap.hpp"
#include "cmd/judges/marks.hpp"
#include "storage/model/outcome.hpp"
#include "storage/state/reads.hpp"

namespace troupe::judges {

/// A task as the events told it.
struct TaskStory {
  JobId job;
  TaskState state = TaskState::accepted;
  HostId host;  ///< once launched
  bool kill_asked = false;
  bool archived = false;
  DescriptorPtr descriptor;
};
/// Of a host: its live tasks, and of these Launched or KillInitiated.
struct Placed {
  std::size_t tasks = 0, orders = 0;
};
struct JobStory {
  JobState state = JobState::accepted;
  bool archived = false;
};

/// Keeps its own books from the events alone and compares: every node tells the same events at the same
/// positions; jobs and tasks move along their drawings; no former owner's command and no former session's
/// report is taken; no host is given more than it has, as it said last; what is Started was launched on its
/// host; nothing is told to stop that nobody ended; a task is ended for another of its group only by a higher
/// priority. One thread; outlives its cluster.
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
  /// The next event behind that id; nullptr: none yet. `hint` makes asking for one after another cheap; begin
  /// with 0.
  const Event* event_after(EventId id, std::size_t& hint) const;
  const absl::btree_map<TaskId, TaskStory>& tasks() const { return tasks_; }
  const absl::btree_map<JobId, JobStory>& jobs() const { return jobs_; }
  const std::map<HostId, Resources>& booked() const { return booked_; }
  Placed placed(HostId host) const;
  std::uint64_t live_jobs() const { return live_jobs_; }
  const std::string& host_name(HostId host) const;  ///< empty: nobody registered it
  std::uint64_t transitions() const { return transitions_; }
  std::uint64_t waiting() const { return waiting_; }  ///< tasks in Accepted
  const Marks& marks() const { return marks_; }
  Marks& marks() { return marks_; }

 private:
  class Ear;
  void decided(const Command& command, const Outcome& outcome);
  void check_fences(const Command& command, const Outcome& outcome);
  void follow_fences(const Command& command, const Outcome& outcome);
  void check_preemption(const Command& command, const Outcome& outcome);
  void applied(const std::string& node, const Applied& applied, std::size_t& hint);
  const Event* find_event(EventId id, std::size_t& hint) const;
  void hear(const Event& event);
  void hear_job(const Event& event);
  void hear_move(const Event& event);
  void hear_task(const Event& event);
  void move_task(TaskStory& story, const Event& event);
  void take(const TaskStory& story, const Event& event);
  void count_placed(const TaskStory& story, int by);
  void note_host(const RegisterHost& host, const Outcome& outcome);

  Complain complain_;
  std::function<void(const Event&)> told_;
  std::vector<std::unique_ptr<Ear>> ears_;  ///< of all lives of all nodes
  std::deque<Event> events_;                ///< by id
  absl::btree_map<JobId, JobStory> jobs_;
  absl::btree_map<TaskId, TaskStory> tasks_;
  std::map<HostId, Resources> booked_;
  std::map<HostId, Placed> placed_;
  std::map<HostId, std::map<Index, Resources>> sizes_;  ///< from when on
  std::map<HostId, std::string> names_;
  std::set<std::pair<TaskId, std::string>> launched_;  ///< on which host
  std::map<ShardId, Epoch> epochs_;                    ///< by the moves that were taken
  std::map<HostId, SessionId> sessions_;               ///< likewise
  Index last_;
  Index decided_;
  std::uint64_t transitions_ = 0;
  std::uint64_t waiting_ = 0;
  std::uint64_t live_jobs_ = 0;
  Marks marks_;
};

}  // namespace troupe::judges
