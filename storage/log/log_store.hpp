#pragma once
// The replicated log of one node on its key-value store: entries under their index, and one head record.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/kv/kv_store.hpp"
#include "storage/log/log_sizes.hpp"
#include "storage/raft/types.hpp"

namespace troupe {

/// The position before the first entry: where a snapshot ends. {0, 0} for a log that has everything.
struct LogEdge {
  Index index;
  Term term;
  static constexpr auto fields() {
    return field_list(field("index", &LogEdge::index), field("term", &LogEdge::term));
  }
  friend bool operator==(const LogEdge&, const LogEdge&) = default;
};

/// What a log knows about itself; written with every group, so that a lost tail is noticed.
struct LogHead {
  raft::HardState hard;
  raft::Membership membership;  ///< as of the edge; empty before the first compaction
  LogEdge edge;
  LogEdge tail;  ///< the last entry; equals the edge when empty
  static constexpr auto fields() {
    return field_list(field("hard", &LogHead::hard), field("membership", &LogHead::membership),
                      field("edge", &LogHead::edge), field("tail", &LogHead::tail));
  }
  friend bool operator==(const LogHead&, const LogHead&) = default;
};

/// One step's changes, made durable together. Order within: compact, truncate_from, append.
struct LogWrite {
  std::optional<raft::HardState> hard;
  std::optional<raft::Membership> membership;  ///< as of the edge: with compact
  /// Entries up to and including the edge go. Where the log has no such entry (its end is before, or another
  /// term stands there) all entries go: the log restarts behind a snapshot.
  std::optional<LogEdge> compact;
  std::optional<Index> truncate_from;  ///< this entry and all behind it go
  std::vector<raft::Entry> append;     ///< indexes without a gap
  std::uint64_t ticket = 0;            ///< ascending; names the write when it is done
  std::size_t bytes() const;           ///< what it counts against limits
};

/// A run of entries of one term.
struct TermRun {
  Index first;
  Term term;
};

/// Thread-safe: one thread writes (the log writer), any may read. What write() returned ok for survives a
/// crash. Every record carries an XXH3 checksum, and its index against a record at a wrong place.
class LogStore {
  friend class LogContinuity;

 public:
  /// Position of a table in the store's list; open the store with `tables()`.
  static constexpr Table entries_table = 0, meta_table = 1;
  static std::vector<std::string> tables() { return {"entries", "meta"}; }

  /// Reads the whole log once. Error corrupt, saying what and where, for a gap, a bad checksum, a term that
  /// goes back or a missing tail: such a node must not vote; it rejoins as a learner. The store must outlive
  /// the log.
  static Result<std::unique_ptr<LogStore>> open(KvStore& store);

  LogHead head() const;  ///< as of the last finished write
  /// Of the entries found at open, ascending; what an in-memory term index starts from.
  const std::vector<TermRun>& term_runs_at_open() const { return found_.runs; }
  const LogSizes& sizes_at_open() const { return found_.sizes; }
  const std::vector<raft::Entry>& configs_at_open() const { return found_.configs; }

  /// All writes of the group in one synced batch. Errors: io, and every later write then fails too. Gaps are
  /// bugs.
  Result<void> write(std::span<const LogWrite> group);
  /// Entries of [low, high), at least one if there is one, then up to max_bytes. Errors: io, corrupt (also
  /// for a gap).
  Result<std::vector<raft::Entry>> read(Index low, Index high, std::size_t max_bytes) const;
  /// Gives the disk space of compacted entries back. Up to 50 ms: not on the writer's thread. Errors: io.
  Result<void> free_space();

 private:
  struct Found {
    std::vector<TermRun> runs;
    LogSizes sizes;
    std::vector<raft::Entry> configs;  ///< entries that change the membership
  };
  LogStore(KvStore& store, LogHead head, Found found);

  KvStore& store_;
  const Found found_;         ///< at open
  mutable std::mutex mutex_;  ///< guards head_
  LogHead head_;
};

}  // namespace troupe
