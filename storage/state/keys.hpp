#pragma once
// Where things lie in the state database. Keys are big-endian, so that byte order is number order.
//
//   meta      'c'                                   CellRecord
//             's' shard                             ShardRecord
//             'h' host                              HostRecord
//             'g' name                              GroupRecord
//             'a' name                              GroupCondition
//             'r' caller 0 request                  RequestRecord
//             'm'                                   raft::Membership as of the applied index
//             'k' index                             Index: an entry that an operator had skipped
//             'u'                                   AuditHead
//             'b' bucket shard                      ArchiveSum: of what the bucket holds of the shard
//   current   shard 'j' job                         JobRecord
//             shard 'l' job slot                    SlotRecord
//             shard 't' task                        TaskRecord
//   archived  bucket shard 'j' job                  ArchivedJob
//             bucket shard 't' task                 TaskRecord
//   index     'j' job                               bucket
//             't' task                              bucket
//             'k' job created task                  bucket: a job's tasks, oldest first
//             'a' ordinal                           AuditRecord; AuditHead's chain stands for them in the
//             hash
// and in each table, under one zero byte: the applied position.

#include <string>

#include "storage/kv/kv_store.hpp"
#include "storage/model/records.hpp"

namespace troupe::keys {

inline constexpr Table meta = 0;
inline constexpr Table current = 1;
inline constexpr Table archived = 2;
inline constexpr Table index = 3;
/// In the order of the numbers above, for opening a store.
std::vector<std::string> table_names();
/// Written by apply and read by a restart: memory has what a lookup would find.
std::vector<Table> unread_tables();

/// Days since 1970, by the time of the end: whole buckets are dropped when they are old.
using Bucket = std::uint32_t;
Bucket bucket_of(Instant finished);

Bytes applied();
Bytes cell();
Bytes membership();
Bytes skipped(Index entry);
Bytes audit_head();
Bytes audit(std::uint64_t ordinal);
Bytes archive_sum(Bucket bucket, ShardId shard);
Bytes shard(ShardId id);
Bytes host(HostId id);
Bytes group(std::string_view name);
Bytes condition(std::string_view name);
Bytes request(std::string_view caller, std::string_view request);

Bytes job(ShardId shard, const JobId& id);
Bytes slot(ShardId shard, const JobId& job, SlotNumber number);
Bytes task(ShardId shard, const TaskId& id);
/// All of one shard's records of a kind ('j', 'l', 't'): [low, high).
Bytes current_low(ShardId shard, char kind);
Bytes current_high(ShardId shard, char kind);

Bytes archived_job(Bucket bucket, ShardId shard, const JobId& id);
Bytes archived_task(Bucket bucket, ShardId shard, const TaskId& id);
Bytes job_bucket(const JobId& id);
Bytes task_bucket(const TaskId& id);
Bytes task_of_job(const JobId& job, Index created_at, const TaskId& task);
/// [low, high) of a job's tasks in the index.
Bytes tasks_of_job_low(const JobId& job);
Bytes tasks_of_job_high(const JobId& job);

/// Of a key of the kind 'b'; nullopt: it is none.
std::optional<std::pair<Bucket, ShardId>> archive_sum_place(BytesView key);
/// The keys of one meta kind: [low, high).
Bytes meta_low(char kind);
Bytes meta_high(char kind);
/// Error: corrupt.
Result<TaskId> task_of_index_key(BytesView key);

}  // namespace troupe::keys
