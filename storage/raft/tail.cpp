#include "storage/raft/tail.hpp"

#include <algorithm>
#include <iterator>

#include "storage/raft/mutant.hpp"

namespace troupe::raft {

Index Tail::view_last() const {
  const Index last = view_->last();
  return truncate_from_ ? std::min(last, Index{truncate_from_->value - 1}) : last;
}

Index Tail::last() const { return pending_.empty() ? view_last() : pending_.back().index; }

Term Tail::term(Index index) const {
  if (pending_.empty() || index < pending_.front().index) return view_->term(index);
  return pending_[index.value - pending_.front().index.value].term;
}

bool Tail::matches(Index index, Term wanted) const {
  return index.next() >= first() && index <= last() && term(index) == wanted;
}

std::vector<Entry> Tail::slice(Index low, Index high, std::size_t max_bytes) const {
  std::vector<Entry> out;
  const Index in_view = std::min(high, view_last().next());
  if (low < in_view) out = view_->slice(low, in_view, max_bytes);
  if (low < in_view && Index{low.value + out.size()} < in_view) return out;
  std::size_t bytes = 0;
  for (const Entry& entry : out) bytes += entry.bytes();
  for (const Entry& entry : pending_) {
    if (entry.index < low) continue;
    if (entry.index >= high) break;
    bytes += entry.bytes();
    if (!out.empty() && bytes > max_bytes) break;
    out.push_back(entry);
  }
  return out;
}

void Tail::append(Entry entry) {
  TROUPE_RAFT_CHECK(entry.index == last().next());
  pending_.push_back(std::move(entry));
}

void Tail::truncate(Index from) {
  TROUPE_RAFT_CHECK(from >= first());
  std::erase_if(pending_, [&](const Entry& entry) { return entry.index >= from; });
  if (from <= view_last()) truncate_from_ = from;
  const Index kept{from.value - 1};
  durable_ = std::min(durable_, kept);
  // A write on its way may hold the truncated entries; its completion must not count for their successors.
  if (mutated(Mutant::stale_persist)) return;
  for (Write& write : writes_) write.last = std::min(write.last, kept);
}

void Tail::restarted(Index edge) {
  TROUPE_RAFT_CHECK(!pending());
  durable_ = std::min(std::max(durable_, edge), last());
  if (mutated(Mutant::snapshot_keeps_writes)) return;
  for (Write& write : writes_) write.last = std::min(write.last, last());
}

void Tail::hand_out(Ready& ready) {
  ready.truncate_from = truncate_from_;
  ready.append = std::move(pending_);
  truncate_from_.reset();
  pending_.clear();
  if (!ready.writes()) return;
  const Index last = ready.append.empty() ? Index{} : ready.append.back().index;
  writes_.push_back({ready.number, last, ready.hard});
}

std::optional<HardState> Tail::persisted(std::uint64_t number) {
  std::optional<HardState> hard;
  while (!writes_.empty() && writes_.front().number <= number) {
    durable_ = std::max(durable_, std::min(writes_.front().last, last()));
    if (mutated(Mutant::persist_counts_all)) durable_ = view_last();
    if (writes_.front().hard) hard = writes_.front().hard;
    writes_.pop_front();
  }
  return hard;
}

}  // namespace troupe::raft
