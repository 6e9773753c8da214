#pragma once
// What must be so, computed anew from nothing but the stored records.

#include <map>
#include <set>

#include "storage/kv/kv_store.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {

class Truth {
 public:
  struct Job {
    JobRecord record;
    std::vector<SlotEntry> slots;
    JobCounts counts;
    RelaunchLimit limit;
    JobView view() const { return {record, slots, counts, limit}; }
  };
  struct Host {
    HostRecord record;
    Resources used;
    std::set<TaskId> tasks;
    std::size_t orders = 0;
    std::uint64_t starting = 0;
  };

  explicit Truth(const KvStore& store);
  std::set<Duty> duties() const;

  CellRecord cell;
  std::map<ShardId, ShardRecord> shards;
  std::map<ShardId, std::uint64_t> hashes;
  std::map<HostId, Host> hosts;
  std::map<std::string, std::pair<GroupRecord, GroupUse>> groups;
  std::map<std::string, GroupCondition> conditions;
  std::map<std::string, PauseRecord, std::less<>> pauses;
  std::map<std::string, std::set<Instant>> waiting_of;  ///< by group: since when
  std::map<JobId, Job> jobs;
  std::map<TaskId, TaskRecord> tasks;
  std::set<Waiting> waiting;
  std::array<std::uint64_t, task_state_count> live_tasks{};
  std::uint64_t wanted_tasks = 0;
  std::uint64_t throttled_jobs = 0;
  std::uint64_t set_aside = 0;
  std::map<std::string, CallerUse> callers;
  AuditHead audit;
  std::size_t requests = 0;

 private:
  void read_meta(const KvStore& store);
  void read_shard(const KvStore& store, ShardId shard);
  void count(const TaskRecord& task);
};

/// Everything that the machine keeps beside its records is as the records say. Fails the running test.
void expect_derived(const StateMachine& machine, const KvStore& store);

}  // namespace troupe
