#pragma once
// Apply alone: one replica's state machine over real RocksDB.

#include "actors/bench/transition_core.hpp"
#include "storage/base/result.hpp"

namespace troupe::cli {

struct ApplyFigures {
  double cpu_us = 0;  ///< per transition: decode, apply, write, flush and compaction; all threads
  double group_p50_ms = 0;
  double group_p999_ms = 0;
  double group_max_ms = 0;
};

/// Applies this many transitions in groups of 64 commands, back to back, then flushes. Errors: io.
Result<ApplyFigures> time_apply(const std::string& folder, const bench::TransitionConfig& config,
                                std::uint64_t transitions);

}  // namespace troupe::cli
