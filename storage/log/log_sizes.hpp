#pragma once
// How many bytes lie in which part of the log, without remembering every entry.

#include <cstddef>
#include <cstdint>
#include <deque>

#include "storage/base/id.hpp"

namespace troupe {

/// Blocks of neighbouring entries and their bytes (raft::Entry::bytes). Exact at the ends of blocks; inside a
/// block entries count alike. Memory: a block per block_bytes of log. A value, single-threaded.
class LogSizes {
 public:
  static constexpr std::size_t block_bytes = std::size_t{64} << 10;

  explicit LogSizes(Index edge = {}) : edge_(edge) {}
  void append(Index index, std::size_t bytes);  ///< behind the last one, without a gap
  void truncate_from(Index index);
  void compact(Index edge);  ///< up to and including; beyond the end: the log restarts there

  std::uint64_t total() const { return total_; }
  std::uint64_t behind(Index index) const;  ///< of the entries after this one
  /// The lowest index behind which, up to and including `to`, lie at most so many bytes.
  Index reaching_back(Index to, std::uint64_t bytes) const;

 private:
  struct Block {
    Index last;
    std::uint64_t bytes = 0;
  };
  Index before(std::size_t block) const { return block == 0 ? edge_ : blocks_[block - 1].last; }
  /// Of a block's bytes, those of entries after `index`, which lies in it or just before it.
  std::uint64_t part_behind(std::size_t block, Index index) const;

  Index edge_;
  std::deque<Block> blocks_;
  std::uint64_t total_ = 0;
};

}  // namespace troupe
