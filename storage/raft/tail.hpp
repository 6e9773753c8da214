#pragma once
// The log as the core knows it: the view, and on top of it what waits for the next Ready.

#include <deque>
#include <optional>

#include "storage/raft/ready.hpp"

namespace troupe::raft {

/// A view with a pending truncation and pending entries on top, and what of it is durable.
/// A copyable value apart from the view.
class Tail {
 public:
  explicit Tail(const LogView& view) : view_(&view), durable_(view.last()) {}

  Index first() const { return view_->first(); }
  Index last() const;
  Term term(Index index) const;  ///< of [first()-1, last()]
  Term last_term() const { return term(last()); }
  bool matches(Index index, Term wanted) const;
  std::vector<Entry> slice(Index low, Index high, std::size_t max_bytes) const;  ///< as LogView::slice

  void append(Entry entry);
  void truncate(Index from);  ///< from and all after it

  /// The view has been reset behind a snapshot that ends at `edge`; nothing may be pending.
  void restarted(Index edge);

  bool pending() const { return truncate_from_ || !pending_.empty(); }
  /// Moves what is pending into the Ready, and remembers the write until persisted.
  void hand_out(Ready& ready);
  /// The write's hard state, if the latest one done had any.
  std::optional<HardState> persisted(std::uint64_t number);
  Index durable() const { return durable_; }

 private:
  friend struct CoreAccess;  ///< see core.hpp
  struct Write {
    std::uint64_t number = 0;
    Index last;  ///< durable when done; lowered by truncations since
    std::optional<HardState> hard;
  };
  Index view_last() const;  ///< of the view's part that still counts

  const LogView* view_;
  std::optional<Index> truncate_from_;
  std::vector<Entry> pending_;
  std::deque<Write> writes_;
  Index durable_;
};

}  // namespace troupe::raft
