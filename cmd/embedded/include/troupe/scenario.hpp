#pragma once
// Tests that read as stories: submit, expect states in order, let something fail, let time pass, expect why.

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <troupe/cluster.hpp>

namespace troupe::embedded {

class JobStory;

/// One task: the one at an index of its job that so many others preceded. A value; its Scenario outlives it.
/// Each `expect` waits until it is so, looking from where the one before ended: the states must come in the
/// order in which they are expected, others may lie between. It throws when a later state came instead, or
/// nothing within the story's patience; the message shows the job's timeline across nodes.
class TaskStory {
 public:
  using Where = std::source_location;
  TaskStory& expect(TaskState state, Where where = Where::current());
  TaskStory& expect(TaskState state, Reason reason, Where where = Where::current());
  /// These, in this order, and none between.
  TaskStory& expect_each(std::initializer_list<TaskState> states, Where where = Where::current());
  /// It changes nothing for so long.
  TaskStory& expect_no_change(std::chrono::milliseconds span, Where where = Where::current());
  TaskStory& kill(Where where = Where::current());

  // These wait for what they tell.
  std::string id(Where where = Where::current()) const;
  std::string host(Where where = Where::current()) const;                   ///< where it was launched
  Time entered(TaskState state, Where where = Where::current()) const;      ///< in the cell's time
  Reason reason_of(TaskState state, Where where = Where::current()) const;  ///< why it was entered

  std::uint32_t index() const { return index_; }
  std::uint32_t resubmit() const { return resubmit_; }
  TaskStory next() const;  ///< the task that comes after this one's end

 private:
  friend class JobStory;
  TaskStory(Cluster& cluster, std::chrono::milliseconds patience, std::string job, std::uint32_t index,
            std::uint32_t resubmit);
  Cluster* cluster_;
  std::chrono::milliseconds patience_;
  std::string job_;
  std::uint32_t index_, resubmit_;
  std::optional<TaskState> reached_;
};

/// One job, told alike.
class JobStory {
 public:
  using Where = std::source_location;
  const std::string& id() const { return id_; }
  JobStory& expect(JobState state, Where where = Where::current());
  JobStory& expect(JobState state, Reason reason, Where where = Where::current());
  /// Exactly so many tasks in Started, and no other live ones.
  JobStory& expect_running(std::uint32_t count, Where where = Where::current());
  /// So many tasks were made so far, ended ones included, and no more come within `span`.
  JobStory& expect_tasks_made(std::uint32_t count, std::chrono::milliseconds span,
                              Where where = Where::current());
  JobStory& kill();
  JobStory& resize(std::uint32_t desired);
  TaskStory task(std::uint32_t index = 0, std::uint32_t resubmit = 0) const;
  std::uint32_t tasks_made() const;  ///< as far as the nodes told
  std::string timeline() const;

 private:
  friend class Scenario;
  JobStory(Cluster& cluster, std::chrono::milliseconds patience, std::string id);
  Cluster* cluster_;
  std::chrono::milliseconds patience_;
  std::string id_;
  std::optional<JobState> reached_;
};

/// The narrator. Owner: the test's thread; its Cluster outlives it. Faults and time are the cluster's own
/// calls.
class Scenario {
 public:
  using Where = std::source_location;
  /// `patience`: how long each expectation waits; unset: as long as the cluster's Options say.
  explicit Scenario(Cluster& cluster, std::optional<std::chrono::milliseconds> patience = {});
  JobStory submit(const JobSpec& spec);
  JobStory submit(std::string_view json);
  JobStory job(std::string id) const;
  /// Waits for anything else; `what` is for the message, which shows the end of the whole history.
  Scenario& expect(std::string_view what, const std::function<bool()>& holds, Where where = Where::current());
  /// Nothing was promised in vain so far; the last line of most stories.
  Scenario& expect_no_violation(Where where = Where::current());
  Scenario& run_for(std::chrono::milliseconds span);

 private:
  Cluster* cluster_;
  std::chrono::milliseconds patience_;
};

}  // namespace troupe::embedded
