#pragma once
// What tells two replicas apart: a sum over all records of XXH3-64(key, value), kept by apply change by
// change. Order does not matter, so that one change costs one record's hash. Finds damage and bugs, not
// malice.

#include <map>
#include <vector>

#include "storage/kv/kv_store.hpp"
#include "storage/state/keys.hpp"

namespace troupe {

std::uint64_t record_hash(BytesView key, BytesView value);

struct StateHash {
  std::vector<std::uint64_t> shards;  ///< of each: its current and archived records, and the archive's index
  std::uint64_t cell = 0;             ///< everything else, but for the applied position itself
  std::uint64_t total() const;
  friend bool operator==(const StateHash&, const StateHash&) = default;
};

/// As it was at an index that every replica takes one at.
struct HashSample {
  Index index;
  StateHash hash;
};
/// Samples kept for comparing; an older one is not compared any more.
inline constexpr std::size_t hash_samples_max = 8;

/// What a bucket of the archive holds of one shard: so that a start need not read history, and dropping a
/// bucket takes its share away. A sum of what was archived: should an id ever be used again after its end,
/// the record that is overwritten stays in it.
struct ArchiveSum {
  std::uint64_t hash = 0;
  std::uint64_t jobs = 0;
  std::uint64_t tasks = 0;
  static constexpr auto fields() {
    return field_list(field("hash", &ArchiveSum::hash), field("jobs", &ArchiveSum::jobs),
                      field("tasks", &ArchiveSum::tasks));
  }
  friend bool operator==(const ArchiveSum&, const ArchiveSum&) = default;
};
using ArchiveSums = std::map<std::pair<keys::Bucket, ShardId>, ArchiveSum>;

/// Everything anew from the stored records: reads the whole store, history included. Errors: io; corrupt (a
/// record at a place that belongs to no shard).
struct Recomputed {
  StateHash hash;
  ArchiveSums archive;
  std::vector<std::uint64_t> jobs, slots, tasks;  ///< current ones by shard
  std::uint64_t hosts = 0, groups = 0, requests = 0;
};
Result<Recomputed> recompute_hash(const KvStore& store);

}  // namespace troupe
