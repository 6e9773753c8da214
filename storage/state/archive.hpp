#pragma once
// What has ended: in RocksDB only, by the day of its end, so that history weighs nothing on a failover.

#include <optional>
#include <vector>

#include "storage/kv/kv_store.hpp"
#include "storage/model/records.hpp"

namespace troupe {

struct ArchivedJob {
  JobRecord record;
  std::vector<SlotRecord> slots;
  static constexpr auto fields() {
    return field_list(field("record", &ArchivedJob::record), field("slots", &ArchivedJob::slots));
  }
};

/// What moving a record to the archive added to the state's hash, and in which bucket.
struct ArchivedShare {
  std::uint32_t bucket = 0;
  std::uint64_t hash = 0;
};
/// Adds to a batch what moving a record to the archive takes; the current record's erasure is the caller's.
ArchivedShare archive_task(KvBatch& batch, ShardId shard, const TaskRecord& task);
ArchivedShare archive_job(KvBatch& batch, ShardId shard, const ArchivedJob& job);

/// Reads of the archive. Errors: io, corrupt. nullopt: nothing there.
Result<std::optional<ArchivedJob>> archived_job(const KvStore& store, ShardId shard, const JobId& id);
Result<std::optional<TaskRecord>> archived_task(const KvStore& store, ShardId shard, const TaskId& id);
/// A job's ended tasks, oldest first, at most `limit`.
Result<std::vector<TaskRecord>> archived_tasks_of(const KvStore& store, ShardId shard, const JobId& job,
                                                  std::size_t limit);

}  // namespace troupe
