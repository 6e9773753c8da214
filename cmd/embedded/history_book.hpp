#pragma once
// What the nodes of a cluster tell of their cell, put together; and the faults between.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/json/value.hpp"
#include "storage/base/time.hpp"
#include "storage/model/outcome.hpp"
#include "storage/model/state.hpp"

namespace troupe::embedded {

/// One line of a history.
struct BookEntry {
  EventId id;  ///< unset of a fault or note
  Instant at;
  std::uint64_t told_by = 0;  ///< bit n: node n
  std::string kind, job, task, text;
};

// Said in full: the public headers have states and reasons of the same names.

/// How a task or a job went, from its first state to its last.
struct TaskTrack {
  struct Step {
    troupe::TaskState state = troupe::TaskState::accepted;
    troupe::Reason reason = troupe::Reason::none;
    Instant at;
  };
  std::string id, job, host;
  std::uint32_t index = 0, resubmit = 0;
  std::vector<Step> steps;  ///< in order
  const Step* find(troupe::TaskState state) const;
};
struct JobTrack {
  struct Step {
    troupe::JobState state = troupe::JobState::accepted;
    troupe::Reason reason = troupe::Reason::none;
    Instant at;
  };
  std::vector<Step> steps;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> tasks;  ///< by index and resubmit
};

/// How a job's tasks stand.
struct JobStanding {
  std::uint32_t made = 0, live = 0, started = 0;
};

/// Reads the nodes' streams of server-sent events. A node that comes back goes on after its last event; where
/// it cannot (it got a snapshot), what the others told stands. Thread-safe.
class HistoryBook {
 public:
  explicit HistoryBook(std::size_t entries_max) : entries_max_(entries_max) {}

  // ---- written by worlds ----
  /// Of a node's stream that begins: the id to resume from, empty at first.
  std::string begin_stream(std::uint32_t node);
  void hear(std::uint32_t node, std::string_view chunk);
  void add_line(std::string kind, Instant at, std::string text);
  /// Of a task as the API shows it: states that no node told. A fault may have swallowed their events.
  void complete(const json::Value& task);
  /// Until something is added, or `at_most` passed.
  void await_change(milliseconds at_most);

  // ---- read ----
  std::vector<BookEntry> entries(std::string_view entity) const;
  std::optional<TaskTrack> task(std::string_view id) const;
  std::optional<TaskTrack> task(std::string_view job, std::uint32_t index, std::uint32_t resubmit) const;
  std::vector<JobTrack::Step> job_steps(std::string_view id) const;  ///< empty: it is not known
  JobStanding standing(std::string_view job) const;
  std::uint64_t changes() const;  ///< grows with each entry

 private:
  struct Stream {
    std::string partial, last_id;
  };
  void frame(std::uint32_t node, std::string_view text);
  void event(std::uint32_t node, EventId id, const json::Value& data);
  void track(const BookEntry& entry, const json::Value& data);
  void fill_in(const json::Value& task);
  void insert(EventId order, BookEntry entry);
  TaskTrack& track_of(const std::string& id);

  const std::size_t entries_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint32_t, Stream> streams_;
  /// Faults and notes stand behind the last event known when they were called: with its id, and a number.
  std::map<std::pair<EventId, std::uint64_t>, BookEntry> entries_;
  std::uint64_t lines_ = 0, changes_ = 0;
  std::map<std::string, TaskTrack, std::less<>> tasks_;
  std::map<std::string, JobTrack, std::less<>> jobs_;
  std::deque<std::string> task_order_;
};

}  // namespace troupe::embedded
