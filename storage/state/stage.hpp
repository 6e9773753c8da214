#pragma once
// One command's changes, beside the tables until the command is through: a poisoned or refused command leaves
// no trace.

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/outcome.hpp"
#include "storage/state/tables.hpp"

namespace troupe {

/// Raised inside apply for what follows from state and command alone. The command's changes are dropped and
/// the entity is set aside, on all replicas alike.
struct Poison {
  EntityRef entity;
  std::string why;
};

/// A record as it was and as the command wants it.
template <class Record>
struct Change {
  std::optional<Record> before;  ///< nullopt: created by this command
  Record after;
};

struct SlotChange {
  JobId job;
  SlotRecord before;
  SlotRecord after;
};

/// Which of a command's changes is an entity's. Most commands change one or two entities: those are looked
/// through.
template <class Id>
class ChangeIndex {
 public:
  std::optional<std::size_t> find(const Id& id) const {
    if (ids_.size() > few) {
      const auto found = places_.find(id);
      return found == places_.end() ? std::nullopt : std::optional(found->second);
    }
    for (std::size_t n = 0; n < ids_.size(); ++n)
      if (ids_[n] == id) return n;
    return std::nullopt;
  }
  /// Its place is behind all others; it has none yet.
  void add(const Id& id) {
    ids_.push_back(id);
    if (ids_.size() <= few) return;
    for (std::size_t n = places_.size(); n < ids_.size(); ++n) places_.emplace(ids_[n], n);
  }

 private:
  static constexpr std::size_t few = 8;
  absl::InlinedVector<Id, 2> ids_;
  // tidy: allow replicated because it is only looked up in, never walked
  absl::flat_hash_map<Id, std::size_t> places_;
};

/// Lives for one command, on the apply thread. Pointers stay valid until the next call that stages.
class Stage {
 public:
  Stage(const Tables& tables, Index index, Instant now) : tables_(tables), index_(index), now_(now) {}

  Index index() const { return index_; }
  Instant now() const { return now_; }
  const CellRecord& cell() const { return cell_ ? *cell_ : tables_.cell.record; }
  const Tables& tables() const { return tables_; }

  /// Current truth of live entities, the command's own changes included; nullptr if there is none or it is
  /// finished.
  const JobRecord* job(const JobId& id) const;
  const TaskRecord* task(const TaskId& id) const;
  const SlotRecord* slot(const JobId& job, SlotNumber number) const;
  const HostRecord* host(HostId id) const;
  /// Of an existing group, an empty one if nothing was ever said of it; nullopt: no such group.
  std::optional<GroupCondition> condition(std::string_view name) const;
  std::optional<GroupCondition> condition(const EntityRef& group) const;
  const JobEntry* job_entry(const JobId& id) const;  ///< as before the command
  Resources free_on(HostId id) const;                ///< after the command's own placements
  const ShardRecord& shard(ShardId id) const;        ///< the shard must exist

  /// For changing: the entity must exist. Sets version to this index.
  JobRecord& edit_job(const JobId& id);
  TaskRecord& edit_task(const TaskId& id);
  SlotRecord& edit_slot(const JobId& job, SlotNumber number);
  HostRecord& edit_host(HostId id);
  CellRecord& edit_cell();

  /// As edit_slot; a slot that its job will have by this command is made.
  SlotRecord& open_slot(const JobId& job, SlotNumber number);

  JobRecord& create_job(JobRecord record);
  TaskRecord& create_task(TaskRecord record);
  HostRecord& create_host(HostRecord record);
  void put_group(GroupRecord record) { groups_.push_back(std::move(record)); }
  void drop_group(std::string name) { dropped_groups_.push_back(std::move(name)); }
  /// Sets version to this index.
  void put_condition(GroupCondition condition);
  /// What is kept of a scope's launches (keys: launches_of_host() and its like), an empty one if nothing is.
  const LaunchRecord& launches(const std::string& scope) const;
  LaunchRecord& edit_launches(const std::string& scope);
  /// nullopt: it is resumed.
  void put_pause(SchedulingScope scope, std::optional<PauseRecord> pause) {
    pause_.emplace(std::move(scope), std::move(pause));
  }
  /// Placements of this command.
  std::uint64_t launched_in(const std::string& scope) const;
  void count_launch(const std::string& scope) { ++launched_[scope]; }
  void uncount_launch(const std::string& scope) { --launched_[scope]; }
  void put_shard(ShardRecord record) { shards_.push_back(record); }
  void use_on(HostId host, const Resources& amount) { uses_[host] += amount; }

 private:
  friend class Committer;
  const Tables& tables_;
  Index index_;
  Instant now_;
  std::vector<Change<JobRecord>> jobs_;
  absl::InlinedVector<Change<TaskRecord>, 1> tasks_;
  absl::InlinedVector<SlotChange, 1> slots_;
  std::vector<Change<HostRecord>> hosts_;
  std::vector<GroupRecord> groups_;
  std::vector<std::string> dropped_groups_;
  std::vector<GroupCondition> conditions_;
  std::vector<ShardRecord> shards_;
  absl::btree_map<HostId, Resources> uses_;
  std::map<std::string, LaunchRecord> launches_;
  std::map<std::string, std::uint64_t> launched_;
  std::optional<std::pair<SchedulingScope, std::optional<PauseRecord>>> pause_;
  std::optional<CellRecord> cell_;
  ChangeIndex<JobId> job_at_;
  ChangeIndex<TaskId> task_at_;
  ChangeIndex<std::pair<JobId, SlotNumber>> slot_at_;
  ChangeIndex<HostId> host_at_;
};

}  // namespace troupe
