#pragma once
// What an agent knows about its tasks, and what of it must survive.

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/agent/protocol.hpp"

namespace troupe::agent {

/// One change of the agent's journal; no value: erase.
struct JournalChange {
  Bytes key;
  std::optional<Bytes> value;
  friend bool operator==(const JournalChange&, const JournalChange&) = default;
};
using JournalChanges = std::vector<JournalChange>;

//   live ──> ended ──> settled        A refused launch is settled from the start.
enum class TaskPhase : std::uint8_t {
  live,     ///< accepted; its driver has it
  ended,    ///< its end is to be reported until it is acknowledged
  settled,  ///< acknowledged; remembered so that a late order does not start it again
};
constexpr TaskPhase max_value(TaskPhase) { return TaskPhase::settled; }

/// The journaled part. Appended to at its end only.
struct TaskRecord {
  ContainerSpec spec;
  TaskPhase phase = TaskPhase::live;
  std::optional<TaskReport> end;    ///< of ended and settled ones
  std::uint64_t settled_order = 0;  ///< of settled ones: the lowest is forgotten first
  static constexpr auto fields() {
    return field_list(field("spec", &TaskRecord::spec), field("phase", &TaskRecord::phase),
                      field("end", &TaskRecord::end), field("settled_order", &TaskRecord::settled_order));
  }
  friend bool operator==(const TaskRecord&, const TaskRecord&) = default;
};

struct KnownTask {
  TaskRecord record;
  TaskReport latest;            ///< what would be reported now
  bool is_with_driver = false;  ///< launched in this life of the agent, or adopted by it
};

/// Pure; owned by the agent core. Each change appends to a JournalChanges, to be durable before what depends
/// on it.
class TaskBook {
 public:
  explicit TaskBook(std::size_t settled_max) : settled_max_(settled_max) {}

  /// Errors: corrupt.
  Result<void> restore(BytesView key, BytesView value);
  static bool is_task_key(BytesView key);

  KnownTask* find(const TaskId& task);
  KnownTask& accept(const ContainerSpec& spec, Instant wall, JournalChanges& journal);
  /// A task that a driver brought but no journal: reported like any other, so that the cell decides.
  KnownTask& found(const TaskId& task, Instant wall, JournalChanges& journal);
  void end(KnownTask& task, const TaskReport& end, JournalChanges& journal);
  /// Forgets the oldest settled one beyond the limit.
  void settle(KnownTask& task, JournalChanges& journal);
  /// Remembers an end without ever having run the task.
  KnownTask& end_unrun(const ContainerSpec& spec, const TaskReport& end, JournalChanges& journal);

  /// Ascending by id: what is sent must not depend on hashing.
  std::map<TaskId, KnownTask>& all() { return tasks_; }
  const std::map<TaskId, KnownTask>& all() const { return tasks_; }
  std::size_t count(TaskPhase phase) const { return counts_[static_cast<std::size_t>(phase)]; }

 private:
  void save(const KnownTask& task, JournalChanges& journal) const;
  void move(KnownTask& task, TaskPhase phase);

  std::size_t settled_max_;
  std::map<TaskId, KnownTask> tasks_;
  std::map<std::uint64_t, TaskId> settled_;
  std::uint64_t next_settled_ = 1;
  std::size_t counts_[3] = {};
};

}  // namespace troupe::agent
