#pragma once
// The log in memory, as the Raft core sees it.

#include <cstddef>
#include <deque>
#include <vector>

#include "storage/log/log_store.hpp"
#include "storage/raft/types.hpp"

namespace troupe {

/// Recent entries in memory over the log store's older ones. Owned by, and single-threaded with, the Raft
/// core. An entry that is not yet durable is never evicted, so what the store is asked for has been written.
/// Terms of all entries stay in memory as runs (one per election). Survives nothing: rebuilt from the store
/// at start.
class LogCache final : public raft::LogView {
 public:
  static constexpr std::size_t default_bytes_max = std::size_t{16} << 20;

  /// Of a store that was not written to since it was opened.
  explicit LogCache(const LogStore& store, std::size_t bytes_max = default_bytes_max);

  Index first() const override { return edge_.index.next(); }
  Index last() const override { return last_; }
  Term term(Index index) const override;
  std::vector<raft::Entry> slice(Index low, Index high, std::size_t max_bytes) const override;

  void append(const std::vector<raft::Entry>& entries);  ///< behind last(), without a gap
  void truncate_from(Index index);                       ///< above the edge
  /// The store has this entry and all before it. Ignored where another term stands by now: the entry that was
  /// written has been truncated since.
  void durable(Index index, Term term);
  void compact(LogEdge edge);  ///< as LogWrite::compact

  Index durable() const { return durable_; }
  std::size_t bytes() const { return bytes_; }      ///< of the entries in memory
  const LogSizes& sizes() const { return sizes_; }  ///< of the whole log
  /// The first failure to read an older entry; slices were cut short there. The node must stop.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  void evict();
  void restart(LogEdge edge);
  Index cached_first() const { return Index{last_.value + 1 - recent_.size()}; }

  const LogStore& store_;
  const std::size_t bytes_max_;
  LogEdge edge_;
  Index last_;
  Index durable_;
  LogSizes sizes_;
  std::vector<TermRun> runs_;       ///< ascending; none begins behind last_
  std::deque<raft::Entry> recent_;  ///< the newest entries, up to last_
  std::size_t bytes_ = 0;
  mutable std::optional<Error> failure_;
};

}  // namespace troupe
