#pragma once
// Makes a command's staged changes true: tables, derived tables, attention index, events and the batch for
// the store. Everything derived follows here, from the record before and the record after, and nowhere else.

#include <absl/container/flat_hash_set.h>

#include <set>

#include "storage/kv/kv_store.hpp"
#include "storage/state/archive.hpp"
#include "storage/state/stage.hpp"

namespace troupe {

/// Lives on the apply thread, for one batch of entries.
class Committer {
 public:
  Committer(Tables& tables, KvBatch& batch, std::vector<Event>& events)
      : tables_(tables), batch_(batch), events_(events) {}

  void commit(Stage& stage);
  /// What is stored once for a whole batch of entries.
  void finish_batch();
  /// After the batch is readable in the store: what it archived leaves memory.
  void forget_archived();
  bool has_archived() const { return !finished_tasks_.empty() || !finished_jobs_.empty(); }

  // ---- also used when loading ----
  static void index_job(Tables& tables, JobEntry& entry);  ///< counts it in the derived tables
  static void index_task(Tables& tables, TaskEntry& entry);
  static void update_job_duty(Tables& tables, JobEntry& entry);
  static void update_task_duty(Tables& tables, TaskEntry& entry, const JobDescriptor& descriptor);
  static void update_host_duty(Tables& tables, HostEntry& entry);
  static void update_group_duty(Tables& tables, const std::string& name);
  static void name_group(Tables& tables, const GroupRecord& group);
  /// Each shard has a copy of the cell's limit of relaunches.
  static void copy_relaunch_limit(Tables& tables);

 private:
  template <class Record>
  void put_meta(BytesView key, const Record& record, std::uint64_t& share);
  template <class Record>
  void put_named(BytesView key, const Record& record, const Record* before);
  /// Under the shard's lock. `share` is the record's in the shard's hash.
  template <class Record>
  void put_current(ShardTables& shard, BytesView key, const Record& record, std::uint64_t& share);
  ArchiveSum& count_archived(ShardTables& shard, const ArchivedShare& share);
  // commit_cell.cpp
  void commit_cell(Stage& stage);
  void commit_shards(Stage& stage);
  void commit_hosts(Stage& stage);
  void commit_groups(Stage& stage);
  void drop_group(const std::string& name);
  void commit_launches(Stage& stage);
  void commit_pause(Stage& stage);
  template <class Records>
  void drop_named(const Bytes& key, const std::string& name, Records& records);
  void refresh_job_duties();
  void refresh_task_and_host_duties();
  void create_job(JobRecord record);
  void commit_task(Change<TaskRecord>& change);
  static void grow_slots(JobEntry& entry, std::uint32_t count);
  void grow(const JobRecord& job);
  void create_task(TaskRecord record);
  void change_task(const TaskRecord& before, TaskRecord after);
  void move_task(const TaskRecord& before, TaskRecord after);
  TaskEntry& bring_task(ShardTables& from, ShardTables& to, TaskRecord record);
  void finish_task(TaskEntry& entry);
  void commit_slot(const SlotChange& change);
  void change_job(const JobRecord& before, JobRecord after);
  void finish_job(JobEntry& entry);
  void store_task(ShardTables& shard, TaskEntry& entry);
  /// Under the shard's lock.
  static void move_duty(ShardTables& shard, std::int64_t& held, Due due, const EntityRef& entity);
  void refresh_duties();
  /// Under the cell's lock. Its duty follows from the task that has waited longest.
  void stop_waiting(GroupEntry& group, const std::string& name, const TaskRecord& task);
  static std::pair<std::int64_t, TaskId> waiting_place(const TaskRecord& task) {
    return {task.step(TaskState::accepted).at.ms, task.id};
  }
  Event& emit(EventKind kind);

  Tables& tables_;
  KvBatch& batch_;
  std::vector<Event>& events_;
  Index index_;
  Instant now_;
  std::uint32_t ordinal_ = 0;
  // tidy: allow replicated because it is only looked up in, never walked
  absl::flat_hash_set<JobId> touched_;
  std::vector<JobId> touched_order_;
  std::vector<HostId> hosts_touched_;
  std::set<std::string> groups_touched_;
  std::vector<JobId> finished_jobs_;
  std::vector<TaskId> finished_tasks_;
  std::set<std::pair<keys::Bucket, ShardId>> sums_touched_;
  void touch(const JobId& id) {
    if (touched_.insert(id).second) touched_order_.push_back(id);
  }
};

}  // namespace troupe
