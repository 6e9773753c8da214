#pragma once
// The current state in memory, on every node alike, and what is derived from it so that a new leader or owner
// rebuilds nothing. Written by the apply thread alone; each shard and the cell's part have a lock of their
// own for readers.

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "storage/model/outcome.hpp"
#include "storage/raft/types.hpp"
#include "storage/state/duties.hpp"
#include "storage/state/slab.hpp"
#include "storage/state/state_hash.hpp"
#include "storage/state/views.hpp"

namespace troupe {

/// Not in the attention index.
inline constexpr std::int64_t no_duty = INT64_MAX;

struct TaskEntry {
  TaskRecord record;
  std::int64_t due_ms = no_duty;
  std::uint64_t hash = 0;  ///< its share in the shard's hash
  const TaskId& id() const { return record.id; }
};

struct JobEntry {
  JobRecord record;
  std::vector<SlotEntry> slots;
  JobCounts counts;
  std::int64_t due_ms = no_duty;
  std::uint64_t hash = 0;
  const JobId& id() const { return record.id; }
  JobView view(const RelaunchLimit& limit) const { return {record, slots, counts, limit}; }
};

struct Duty {
  Instant due;
  EntityRef entity;
  friend auto operator<=>(const Duty&, const Duty&) = default;
};

/// Oldest first; ties by id.
template <class Id>
using CreationOrder = absl::btree_set<std::pair<std::int64_t, Id>>;

struct ShardTables {
  mutable std::shared_mutex mutex;
  Slab<JobEntry, JobId> jobs;
  Slab<TaskEntry, TaskId> tasks;
  absl::btree_set<Duty> attention;
  CreationOrder<JobId> job_order;
  CreationOrder<TaskId> task_order;
  RelaunchLimit relaunch_limit;  ///< the cell's: readers of a shard do not hold the cell's lock
  ShardRecord record;
  std::uint64_t record_hash = 0;  ///< the record's share in the cell's hash; 0: not stored yet
  std::uint64_t hash = 0;         ///< as StateHash::shards: the same on every node at the same index
};

struct HostEntry {
  HostRecord record;
  Resources used;
  absl::btree_set<TaskId> tasks;  ///< live, placed here
  std::size_t orders = 0;         ///< of those, Launched or KillInitiated
  std::uint64_t starting = 0;     ///< of those, Launched or StartInitiated
  EventId as_of;  ///< of the last change of `used`, while this process lives: dates every copy of it
  std::int64_t due_ms = no_duty;
  std::uint64_t hash = 0;  ///< the record's share in the cell's hash
};

struct GroupEntry {
  GroupUse use;
  absl::btree_set<std::pair<std::int64_t, TaskId>> waiting;  ///< (ms since when, task)
  std::int64_t due_ms = no_duty;
  Instant waiting_since() const { return waiting.empty() ? Instant{} : Instant{waiting.begin()->first}; }
};

/// The scopes of launch limits.
inline constexpr std::string_view cell_launches = "cell";
inline std::string launches_of_group(std::string_view name) { return "group/" + std::string(name); }
inline std::string launches_of_host(HostId id) { return "host/" + to_text(id); }
std::optional<HostId> host_of_launches(std::string_view scope);
/// Says how long the host rests, and that it is tried with one launch at a time until enough have gone well.
void let_rest(LaunchStanding& host, const CellPolicy& policy, HostId id);

/// A task that waits to be placed; the scheduler's queue in the order of creation.
struct Waiting {
  Index created_at;
  SlotNumber slot;
  TaskId task;
  friend auto operator<=>(const Waiting&, const Waiting&) = default;
};

struct CellTables {
  mutable std::shared_mutex mutex;
  CellRecord record;
  absl::btree_map<HostId, HostEntry> hosts;
  std::map<std::string, HostId, std::less<>> host_names;
  std::map<std::string, GroupRecord, std::less<>> groups;
  std::map<std::string, GroupCondition, std::less<>> conditions;  ///< of some groups
  std::map<std::string, LaunchRecord, std::less<>> launches;      ///< by launches_of_host() and its like
  std::map<std::string, PauseRecord, std::less<>> pauses;         ///< by SchedulingScope::text()
  // tidy: allow replicated because it is only looked up in, never walked
  absl::flat_hash_map<std::string, RequestRecord> requests;              ///< by keys::request
  absl::btree_set<std::pair<std::int64_t, std::string>> request_expiry;  ///< (ms, key)
  AuditHead audit;
  std::uint64_t audit_hash = 0;                ///< its share in the hash below
  std::optional<raft::Membership> membership;  ///< as the last applied configuration entry gave it
  std::uint64_t hash = 0;  ///< as StateHash::cell, but without the cell's own record, which changes always
  // Derived, never stored:
  absl::btree_set<Waiting> waiting;
  std::map<std::string, GroupEntry, std::less<>> group_entries;  ///< also of names that no group has
  std::map<std::string, CallerUse, std::less<>> callers;         ///< of those with a live job
  std::map<EntityRef, std::string> group_names;
  std::map<std::string, JobId, std::less<>> unique_names;
  std::uint64_t live_jobs = 0;
  std::uint64_t throttled_jobs = 0;  ///< of those
  std::uint64_t set_aside = 0;       ///< live entities of all kinds
  std::uint64_t wanted_tasks = 0;    ///< sum of desired over live jobs
  std::array<std::uint64_t, task_state_count> live_tasks{};
};

/// Under the cell's lock, when a live entity's record changes; null: it does not live before, or afterwards.
template <class Record>
void count_set_aside(CellTables& cell, const Record* before, const Record* after) {
  if (before != nullptr && !before->set_aside.empty()) --cell.set_aside;
  if (after != nullptr && !after->set_aside.empty()) ++cell.set_aside;
}

/// Live tasks whose job is of another shard than their id says: they were moved to it. A lock of its own,
/// under which nothing else is taken.
class MovedTasks {
 public:
  std::optional<ShardId> find(const TaskId& id) const {
    if (count_.load(std::memory_order_acquire) == 0) return std::nullopt;
    const std::shared_lock lock(mutex_);
    const auto found = shards_.find(id);
    return found == shards_.end() ? std::nullopt : std::optional(found->second);
  }
  void put(const TaskId& id, ShardId shard) {
    const std::unique_lock lock(mutex_);
    shards_[id] = shard;
    moves_.fetch_add(1, std::memory_order_acq_rel);
    count_.store(shards_.size(), std::memory_order_release);
  }
  void erase(const TaskId& id) {
    const std::unique_lock lock(mutex_);
    shards_.erase(id);
    count_.store(shards_.size(), std::memory_order_release);
  }
  std::size_t size() const { return count_.load(std::memory_order_acquire); }
  /// Grows with every put: whether a task changed its shard meanwhile.
  std::uint64_t moves() const { return moves_.load(std::memory_order_acquire); }

 private:
  mutable std::shared_mutex mutex_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> moves_{0};
  // tidy: allow replicated because it is only looked up in, never walked
  absl::flat_hash_map<TaskId, ShardId> shards_;
};

struct Tables {
  CellTables cell;
  std::vector<std::unique_ptr<ShardTables>> shards;  ///< by number; empty before bootstrap
  MovedTasks moved;                                  ///< derived, never stored
  // Of the apply thread alone:
  ArchiveSums archive_sums;
  std::uint64_t hash_sum = 0;  ///< of all shards and the cell's, so that a batch need not add them up

  ShardTables& shard(ShardId id) { return *shards.at(id.value); }
  const ShardTables& shard(ShardId id) const { return *shards.at(id.value); }
  template <class Tag>
  ShardId shard_id(const Uuid<Tag>& id) const {
    // Not the cell's record: readers of a shard do not hold the cell's lock.
    return shard_of(id, static_cast<std::uint16_t>(shards.size()));
  }
  /// Its job's: nearly always what the id says.
  ShardId shard_id(const TaskId& id) const { return moved.find(id).value_or(home_of(id)); }
  ShardId home_of(const TaskId& id) const { return shard_of(id, static_cast<std::uint16_t>(shards.size())); }
  /// Under the shard's lock.
  void shift_hash(ShardTables& shard, std::uint64_t by) {
    shard.hash += by;
    hash_sum += by;
  }
  /// Under the cell's lock.
  void shift_cell_hash(std::uint64_t by) {
    cell.hash += by;
    hash_sum += by;
  }
  void make_shards(std::uint16_t count) {
    for (std::uint16_t n = 0; n < count; ++n) {
      shards.push_back(std::make_unique<ShardTables>());
      shards.back()->record.id = ShardId{n};
    }
  }
};

}  // namespace troupe
