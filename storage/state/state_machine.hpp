#pragma once

#include <memory>
#include <span>

#include "storage/kv/kv_store.hpp"
#include "storage/model/outcome.hpp"
#include "storage/raft/types.hpp"
#include "storage/state/reads.hpp"

namespace troupe {

/// The replicated state of one node: tables in memory, their copy in the state database, and apply over both.
///
/// apply() belongs to one thread; reads() to all. What survives a crash is what the store has flushed: all
/// tables at one applied index; the rest is replayed from the log.
class StateMachine {
 public:
  /// Loads the current tables. `store` must be opened with keys::table_names() and outlive this.
  /// Errors: io; corrupt (a record that does not decode, or tables at different applied indexes).
  static Result<std::unique_ptr<StateMachine>> open(KvStore& store);

  /// Entries follow the applied one without a gap; a bug otherwise. One batch for the store, which then is
  /// readable. Errors: corrupt, unavailable (an unknown command number), io: this node must stop; nothing of
  /// it is acknowledged.
  Result<Applied> apply(std::span<const raft::Entry> entries);

  Index applied() const { return applied_; }
  Term applied_term() const { return applied_term_; }
  const Reads& reads() const { return reads_; }
  /// The applied index that a crash right now would come back to: the log may be cut up to there.
  Result<Index> flushed() const;

 private:
  explicit StateMachine(KvStore& store) : store_(store), reads_(tables_, store) {}
  Result<void> load();
  Result<void> load_applied();
  Result<void> load_meta();
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

  KvStore& store_;
  Tables tables_;
  Reads reads_;
  Index applied_;
  Term applied_term_;
};

}  // namespace troupe
