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
/// Where the record of an ended task lies that its id alone does not lead to.
struct ArchivedPlace {
  std::uint32_t bucket = 0;
  ShardId shard;
  static constexpr auto fields() {
    return field_list(field("bucket", &ArchivedPlace::bucket), field("shard", &ArchivedPlace::shard));
  }
};
enum class Route : std::uint8_t {
  by_id,     ///< the task's id says its job's shard
  by_place,  ///< it was moved there
};
/// Adds to a batch what moving a record to the archive takes; the current record's erasure is the caller's.
/// The shard is the job's.
ArchivedShare archive_task(KvBatch& batch, ShardId shard, const TaskRecord& task, Route route);
ArchivedShare archive_job(KvBatch& batch, ShardId shard, const ArchivedJob& job);

/// Reads of the archive. Errors: io, corrupt. nullopt: nothing there.
Result<std::optional<ArchivedJob>> archived_job(const KvStore& store, ShardId shard, const JobId& id);
/// `shard` is what the id says; of a moved task the index knows better.
Result<std::optional<TaskRecord>> archived_task(const KvStore& store, ShardId shard, const TaskId& id);
/// A job's ended tasks, oldest first, at most `limit`.
Result<std::vector<TaskRecord>> archived_tasks_of(const KvStore& store, ShardId shard, const JobId& job,
                                                  std::size_t limit);

}  // namespace troupe
