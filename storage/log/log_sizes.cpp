#include "storage/log/log_sizes.hpp"

#include <algorithm>

#include "storage/base/check.hpp"

namespace troupe {

void LogSizes::append(Index index, std::size_t bytes) {
  TROUPE_CHECK(index == (blocks_.empty() ? edge_ : blocks_.back().last).next());
  if (blocks_.empty() || blocks_.back().bytes >= block_bytes) blocks_.push_back({index, 0});
  blocks_.back().last = index;
  blocks_.back().bytes += bytes;
  total_ += bytes;
}

std::uint64_t LogSizes::part_behind(std::size_t block, Index index) const {
  const std::uint64_t count = blocks_[block].last.value - before(block).value;
  const std::uint64_t behind = blocks_[block].last.value - index.value;
  return blocks_[block].bytes / count * behind + blocks_[block].bytes % count * behind / count;
}

void LogSizes::truncate_from(Index index) {
  while (!blocks_.empty() && blocks_.back().last >= index) {
    const std::size_t block = blocks_.size() - 1;
    const Index kept{index.value - 1};
    const bool whole = before(block) >= kept;
    const std::uint64_t gone = whole ? blocks_.back().bytes : part_behind(block, kept);
    total_ -= gone;
    if (!whole) {
      blocks_.back() = {kept, blocks_.back().bytes - gone};
      return;
    }
    blocks_.pop_back();
  }
}

void LogSizes::compact(Index edge) {
  if (edge <= edge_) return;
  while (!blocks_.empty() && blocks_.front().last <= edge) {
    total_ -= blocks_.front().bytes;
    edge_ = blocks_.front().last;
    blocks_.pop_front();
  }
  if (!blocks_.empty()) {
    const std::uint64_t left = part_behind(0, edge);
    total_ -= blocks_.front().bytes - left;
    blocks_.front().bytes = left;
  }
  edge_ = edge;
}

std::uint64_t LogSizes::behind(Index index) const {
  std::uint64_t bytes = 0;
  for (std::size_t block = blocks_.size(); block-- > 0 && blocks_[block].last > index;)
    bytes += before(block) >= index ? blocks_[block].bytes : part_behind(block, index);
  return bytes;
}

Index LogSizes::reaching_back(Index to, std::uint64_t bytes) const {
  std::uint64_t sum = 0;
  for (std::size_t block = blocks_.size(); block-- > 0;) {
    if (before(block) >= to) continue;
    const std::uint64_t all = blocks_[block].bytes - (blocks_[block].last > to ? part_behind(block, to) : 0);
    const Index last = std::min(blocks_[block].last, to);
    const std::uint64_t count = last.value - before(block).value;
    if (sum + all > bytes) return Index{last.value - (bytes - sum) * count / all};
    sum += all;
  }
  return edge_;
}

}  // namespace troupe
