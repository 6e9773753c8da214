#pragma once
// Reading the state, from any thread, beside apply. Each call locks one shard, or the cell's part, for one
// record or one page; calls must not be nested. A page over all shards is not one consistent cut.

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "storage/kv/kv_store.hpp"
#include "storage/state/archive.hpp"
#include "storage/state/tables.hpp"

namespace troupe {

/// A task with what belongs to it, copied.
struct TaskFacts {
  TaskRecord record;
  DescriptorPtr descriptor;
};

/// A task that the scheduler should place.
struct WaitingTask {
  Waiting place;  ///< its place in the queue
  JobId job;
  Index version;
  DescriptorPtr descriptor;
};

/// A host as the scheduler and the API see it.
struct HostFacts {
  HostRecord record;
  Resources used;
  std::size_t tasks = 0;
  EventId as_of;  ///< every task event of this host up to here is in `used`, and none after it
  LaunchStanding launches{};
  std::optional<PauseRecord> pause{};  ///< of its scheduling
};

/// The page starts behind this position; unset: at the beginning.
template <class Id>
struct PageStart {
  std::int64_t created_ms = INT64_MIN;
  Id id;
};

struct CellFigures {
  CellRecord record;
  std::uint64_t live_jobs = 0;
  std::uint64_t wanted_tasks = 0;
  std::array<std::uint64_t, task_state_count> live_tasks{};
  std::size_t waiting = 0;
  std::size_t hosts = 0;
  std::size_t hosts_connected = 0;
  std::size_t requests = 0;
  std::uint64_t throttled_jobs = 0;    ///< live ones whose relaunches wait for their budget
  std::optional<PauseRecord> pause{};  ///< of all scheduling
  std::uint64_t set_aside = 0;         ///< live entities of all kinds
};

class Reads {
 public:
  Reads(const Tables& tables, const KvStore& store) : tables_(tables), store_(store) {}

  // ---- entities ----
  /// False if there is no such live job. The view is valid inside the call.
  bool with_job(const JobId& id, const std::function<void(const JobView&)>& use) const;
  std::optional<TaskFacts> task(const TaskId& id) const;
  std::optional<HostView> host(HostId id) const;
  std::optional<HostId> host_id(std::string_view name) const;
  std::vector<HostFacts> hosts() const;
  std::optional<HostFacts> host_facts(HostId id) const;
  std::vector<std::pair<GroupRecord, GroupUse>> groups() const;
  bool is_anybody_leaving() const;  ///< a placed task in KillInitiated
  std::optional<GroupView> group(std::string_view name) const;
  std::vector<GroupView> group_views() const;
  std::optional<std::string> group_name(const EntityRef& group) const;  ///< nullopt: no such group
  CellFigures cell() const;                                             ///< walks the hosts
  CellRecord cell_record() const;
  std::uint32_t level() const;      ///< the cell's feature level
  std::uint64_t set_aside() const;  ///< live entities that are, of all kinds
  LaunchStanding cell_launches() const;
  /// Of the cell and of groups, by SchedulingScope::text(); a host's is in its facts.
  std::map<std::string, PauseRecord, std::less<>> wide_pauses() const;
  CallerUse caller_use(std::string_view caller) const;  ///< nothing: no live job of this caller
  ShardRecord shard(ShardId id) const;                  ///< owner 0 before bootstrap
  ShardId shard_of(const EntityRef& entity) const;      ///< who owns it cares for it; 0 before bootstrap
  std::vector<ShardRecord> shards() const;
  std::uint64_t shard_hash(ShardId id) const;
  std::uint16_t shard_count() const;  ///< 0 before bootstrap

  // ---- lists, in the order of creation ----
  /// Calls `use` for jobs behind `start` until it returns false. Takes a page's lock per shard, then merges.
  void each_job(PageStart<JobId> start, const std::function<bool(const JobView&)>& use) const;
  void each_task(PageStart<TaskId> start,
                 const std::function<bool(const TaskRecord&, const JobRecord&)>& use) const;

  /// Calls `use` for every live task, in no order, until it returns false: a million in a tenth of a second.
  /// A shard is locked for some hundred tasks at a time. False: some went to jobs of other shards meanwhile,
  /// and may have been met twice or not at all.
  bool scan_tasks(const std::function<bool(const TaskRecord&, const JobRecord&)>& use) const;
  std::size_t task_count() const;
  std::size_t tasks_up_to(PageStart<TaskId> last) const;  ///< live ones, in the order of creation

  // ---- for owners and the scheduler ----
  std::vector<Duty> duties(ShardId shard, Instant until, std::size_t limit) const;
  std::vector<Duty> all_duties(ShardId shard) const;
  std::vector<WaitingTask> waiting(std::size_t limit) const;
  std::optional<WaitingTask> waiting_task(const TaskId& id) const;  ///< nullopt: not Accepted any more
  std::vector<HostId> hosts_of(ShardId shard) const;

  // ---- archive: blocking reads of RocksDB, microseconds each ----
  Result<std::optional<ArchivedJob>> archived_job(const JobId& id) const;
  Result<std::optional<TaskRecord>> archived_task(const TaskId& id) const;
  Result<std::vector<TaskRecord>> archived_tasks_of(const JobId& job, std::size_t limit) const;

  // ---- audit ----
  AuditHead audit_head() const;
  /// Entries from this ordinal on, oldest first. Errors: io, corrupt. Reads RocksDB.
  Result<std::vector<AuditRecord>> audit(std::uint64_t from, std::size_t limit) const;

 private:
  bool has_shards() const;
  // Under the cell's lock:
  GroupView view_of(const GroupRecord& record) const;
  HostFacts facts_of(const HostEntry& entry) const;
  std::optional<PauseRecord> pause_of(const SchedulingScope& scope) const;
  LaunchStanding standing_of(const HostEntry& entry) const;
  LaunchStanding standing_of(std::string_view scope, const LaunchLimit& limit, std::uint64_t under_way) const;
  const Tables& tables_;
  const KvStore& store_;
};

}  // namespace troupe
