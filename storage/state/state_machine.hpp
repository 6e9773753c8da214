#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <span>

#include "storage/kv/kv_store.hpp"
#include "storage/model/outcome.hpp"
#include "storage/raft/types.hpp"
#include "storage/state/apply_guard.hpp"
#include "storage/state/position.hpp"
#include "storage/state/reads.hpp"

namespace troupe {

/// The replicated state of one node: tables in memory, their copy in the state database, and apply over both.
///
/// apply() belongs to one thread; reads() to all. What survives a crash is what the store has flushed: all
/// tables at one applied index; the rest is replayed from the log.
class StateMachine {
 public:
  /// Loads the current tables, whatever history there is. `store` must be opened with keys::table_names() and
  /// outlive this. Errors: io; corrupt (a record that does not decode or contradicts another, tables at
  /// different applied indexes, a hash that is not the stored one): repair from a peer; unavailable (the
  /// cell's feature level is above this build's): upgrade this node.
  static Result<std::unique_ptr<StateMachine>> open(KvStore& store, StateOptions options = {});

  /// Entries follow the applied one without a gap; a bug otherwise. One batch for the store, which then is
  /// readable. Any error means that this node must stop, and that nothing of these entries is acknowledged:
  /// unavailable (an unknown command number, or a feature level that this build does not know: upgrade this
  /// node), io (the disk), corrupt (an entry that does
  /// not decode, or this node's state differs from that of a majority: repair it from a peer).
  Result<Applied> apply(std::span<const raft::Entry> entries);

  /// The feature level that this build knows. Any thread.
  std::uint32_t level_known() const { return options_.level_known; }
  Index applied() const { return applied_; }
  Term applied_term() const { return applied_term_; }
  const Reads& reads() const { return reads_; }
  /// The applied index that a crash right now would come back to: the log may be cut up to there.
  Result<Index> flushed() const;
  /// As of the applied index; nullopt: no configuration entry was ever applied. Apply thread.
  const std::optional<raft::Membership>& membership() const { return tables_.cell.membership; }
  /// Of everything at the applied index. Apply thread.
  StateHash hash() const;
  const ArchiveSums& archive_sums() const { return tables_.archive_sums; }  ///< Apply thread.
  /// The last one taken, for proposing as CheckState. Any thread.
  std::optional<HashSample> newest_sample() const;
  /// Reports of other nodes whose hash differed, since open: a human must look. Any thread.
  std::uint64_t differing_reports() const { return differing_reports_; }

 private:
  StateMachine(KvStore& store, StateOptions options)
      : store_(store), options_(std::move(options)), reads_(tables_, store) {}
  Result<void> load();
  Result<void> load_position();
  Result<void> load_meta();
  Result<void> check_level() const;
  Result<void> load_hosts();
  Result<void> load_requests();
  Result<void> load_archive_sums();
  Result<void> load_shards();
  Result<void> check_hash() const;
  Result<void> load_shard(ShardTables& shard);
  Result<void> load_jobs(ShardTables& shard);
  Result<void> load_slots(ShardTables& shard);
  Result<void> load_tasks(ShardTables& shard);
  /// The batch so far, with its position; then it is empty and what it archived is out of memory.
  Result<void> write(KvBatch& batch, class Committer& committer);
  void pass_time(Instant stamp, KvBatch& batch);
  /// Names as new an id whose entity ended in this batch.
  bool reuses_ended(const Command& command) const;
  /// Creates a job whose id an ended one has. Error: io.
  Result<bool> names_archived(const Command& command) const;
  Result<void> apply_entry(const raft::Entry& entry, class Committer& committer, Applied& out,
                           KvBatch& batch);
  void apply_command(const Command& command, const raft::Entry& entry, class Committer& committer,
                     Outcome& outcome);
  void expire_requests(KvBatch& batch);
  bool answer_from_table(const Command& command, Outcome& outcome) const;
  bool requests_full(const Command& command, Outcome& outcome) const;
  void remember(const Command& command, const Outcome& outcome, KvBatch& batch);
  /// An entry of the audit, if somebody asked for this.
  void audit(const Command& command, const raft::Entry& entry, const Outcome& outcome, KvBatch& batch);
  template <class Record>
  void store_meta(BytesView key, const Record& record, KvBatch& batch);
  Result<void> apply_membership(const raft::Entry& entry, KvBatch& batch);
  const SkippedEntry* skipped(const raft::Entry& entry) const;
  Outcome skip(const SkippedEntry& skipped, KvBatch& batch);
  void take_sample();
  /// Error corrupt: a majority agrees on another state than this one's.
  Result<void> examine(const CheckState& report);

  KvStore& store_;
  const StateOptions options_;
  Tables tables_;
  Reads reads_;
  Index applied_;
  Term applied_term_;
  std::optional<std::uint64_t> stored_hash_;  ///< as found at open
  mutable std::mutex samples_mutex_;          ///< guards samples_
  std::deque<HashSample> samples_;            ///< oldest first
  /// By sampled index: what nodes reported that was not this node's hash.
  std::map<Index, std::map<NodeId, StateHash>> differing_;
  std::atomic<std::uint64_t> differing_reports_{0};
};

/// What a SkippedEntry names its entry by.
std::uint64_t entry_hash(const raft::Entry& entry);

}  // namespace troupe
