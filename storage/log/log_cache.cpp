#include "storage/log/log_cache.hpp"

#include <algorithm>

namespace troupe {

LogCache::LogCache(const LogStore& store, std::size_t bytes_max)
    : store_(store), bytes_max_(bytes_max), sizes_(store.sizes_at_open()), runs_(store.term_runs_at_open()) {
  const LogHead head = store.head();
  edge_ = head.edge;
  last_ = durable_ = head.tail.index;
  // A store that was written to since it was opened knows other terms than these.
  TROUPE_CHECK(runs_.empty()
                   ? last_ == edge_.index
                   : runs_.front().first == edge_.index.next() && runs_.back().term == head.tail.term);
}

Term LogCache::term(Index index) const {
  TROUPE_CHECK(index >= edge_.index && index <= last_);
  if (index == edge_.index) return edge_.term;
  const auto behind = std::upper_bound(runs_.begin(), runs_.end(), index,
                                       [](Index wanted, const TermRun& run) { return wanted < run.first; });
  TROUPE_CHECK(behind != runs_.begin());
  return std::prev(behind)->term;
}

std::vector<raft::Entry> LogCache::slice(Index low, Index high, std::size_t max_bytes) const {
  TROUPE_CHECK(low >= first() && high <= last_.next());
  std::vector<raft::Entry> entries;
  if (low >= high) return entries;
  std::size_t bytes = 0;
  if (low < cached_first()) {
    const Index stored_end = std::min(high, cached_first());
    auto stored = store_.read(low, stored_end, max_bytes);
    if (!stored.ok()) {
      if (!failure_) failure_ = stored.error();
      return entries;
    }
    entries = std::move(stored).value();
    low.value += entries.size();
    if (low < stored_end) return entries;
    for (const raft::Entry& entry : entries) bytes += entry.bytes();
  }
  for (; low < high; low = low.next()) {
    const raft::Entry& entry = recent_[low.value - cached_first().value];
    bytes += entry.bytes();
    if (!entries.empty() && bytes > max_bytes) break;
    entries.push_back(entry);
  }
  return entries;
}

void LogCache::append(const std::vector<raft::Entry>& entries) {
  for (const raft::Entry& entry : entries) {
    TROUPE_CHECK(entry.index == last_.next() && entry.term >= term(last_));
    if (runs_.empty() || runs_.back().term != entry.term) runs_.push_back({entry.index, entry.term});
    recent_.push_back(entry);
    bytes_ += entry.bytes();
    sizes_.append(entry.index, entry.bytes());
    last_ = entry.index;
  }
  evict();
}

void LogCache::truncate_from(Index index) {
  TROUPE_CHECK(index > edge_.index);
  if (index > last_) return;
  sizes_.truncate_from(index);
  while (!recent_.empty() && recent_.back().index >= index) {
    bytes_ -= recent_.back().bytes();
    recent_.pop_back();
  }
  while (!runs_.empty() && runs_.back().first >= index) runs_.pop_back();
  last_ = Index{index.value - 1};
  durable_ = std::min(durable_, last_);
}

void LogCache::durable(Index index, Term written) {
  if (index <= durable_ || index > last_ || term(index) != written) return;
  durable_ = index;
  evict();
}

void LogCache::compact(LogEdge edge) {
  if (edge.index <= edge_.index) return;
  if (edge.index > last_ || term(edge.index) != edge.term) return restart(edge);
  sizes_.compact(edge.index);
  while (!recent_.empty() && recent_.front().index <= edge.index) {
    bytes_ -= recent_.front().bytes();
    recent_.pop_front();
  }
  // The run that reaches over the edge now begins behind it.
  while (runs_.size() > 1 && runs_[1].first <= edge.index.next()) runs_.erase(runs_.begin());
  if (edge.index == last_)
    runs_.clear();
  else
    runs_.front().first = std::max(runs_.front().first, edge.index.next());
  edge_ = edge;
  durable_ = std::max(durable_, edge.index);
}

void LogCache::restart(LogEdge edge) {
  recent_.clear();
  runs_.clear();
  bytes_ = 0;
  sizes_ = LogSizes(edge.index);
  edge_ = edge;
  last_ = durable_ = edge.index;
}

void LogCache::evict() {
  while (bytes_ > bytes_max_ && !recent_.empty() && recent_.front().index <= durable_) {
    bytes_ -= recent_.front().bytes();
    recent_.pop_front();
  }
}

}  // namespace troupe
