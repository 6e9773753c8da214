#pragma once
// Where things lie in the state database. Keys are big-endian, so that byte order is number order.
//
//   meta      'c'                                   CellRecord
//             's' shard                             ShardRecord
//             'h' host                              HostRecord
//             'g' name                              GroupRecord
//             'a' name                              GroupCondition
//             'l' scope                             LaunchRecord
//             'p' scope                             PauseRecord
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
//             'v' task                              ArchivedPlace, in place of the above: it was moved to
//                                                   a job of another shard than its id says
//             'k' job created task                  bucket: a job's tasks, oldest first
//             'a' ordinal                           AuditRecord; AuditHead's chain stands for them in the
//             hash
// and in each table, under one zero byte: the applied position.

#include <array>
#include <cstring>
#include <string>

#include "storage/base/check.hpp"
#include "storage/kv/kv_store.hpp"
#include "storage/model/records.hpp"

namespace troupe::keys {

/// A key of bounded length, without a place of its own on the heap: apply makes several for each entry.
class Key {
 public:
  Key() = default;
  explicit Key(char kind) { push_back(kind); }
  void push_back(char byte) {
    TROUPE_CHECK(size_ < bytes_.size());
    bytes_[size_++] = byte;
  }
  void append(BytesView bytes) {
    TROUPE_CHECK(size_ + bytes.size() <= bytes_.size());
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  operator BytesView() const { return {bytes_.data(), size_}; }

 private:
  static constexpr std::size_t bytes_max = 1 + 16 + 8 + 16;  ///< the longest: task_of_job()
  std::array<char, bytes_max> bytes_;
  std::size_t size_ = 0;
};

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
Key audit(std::uint64_t ordinal);
Key archive_sum(Bucket bucket, ShardId shard);
Key shard(ShardId id);
Key host(HostId id);
Bytes group(std::string_view name);
Bytes condition(std::string_view name);
Bytes launches(std::string_view scope);
Bytes pause(std::string_view scope);
Bytes request(std::string_view caller, std::string_view request);

Key job(ShardId shard, const JobId& id);
Key slot(ShardId shard, const JobId& job, SlotNumber number);
Key task(ShardId shard, const TaskId& id);
/// All of one shard's records of a kind ('j', 'l', 't'): [low, high).
Bytes current_low(ShardId shard, char kind);
Bytes current_high(ShardId shard, char kind);

Key archived_job(Bucket bucket, ShardId shard, const JobId& id);
Key archived_task(Bucket bucket, ShardId shard, const TaskId& id);
Key job_bucket(const JobId& id);
Key task_bucket(const TaskId& id);
Key task_place(const TaskId& id);
Key task_of_job(const JobId& job, Index created_at, const TaskId& task);
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
