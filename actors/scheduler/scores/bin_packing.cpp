#include <algorithm>

#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {
namespace {

/// Thousandths of one resource that are taken when the task is there; 1,000 of what the host has none of.
std::int64_t taken(std::int64_t total, std::int64_t free, std::int64_t need) {
  return total <= 0 ? score_max : (total - free + need) * score_max / total;
}

}  // namespace

const Score bin_packing_score{
    "binPacking", "Fills hosts that are in use already, so that others stay empty for large tasks.",
    [](const Host& host, const Demand& demand) {
      const Resources& total = host.facts.total;
      const Resources free = host.free();
      const auto cpu = taken(total.cpu_milli, free.cpu_milli, demand.resources.cpu_milli);
      const auto memory = taken(total.memory_mb, free.memory_mb, demand.resources.memory_mb);
      if (total.gpu <= 0) return static_cast<int>(std::clamp<std::int64_t>((cpu + memory) / 2, 0, score_max));
      const auto gpu = taken(total.gpu, free.gpu, demand.resources.gpu);
      return static_cast<int>(std::clamp<std::int64_t>((cpu + memory + gpu) / 3, 0, score_max));
    }};

}  // namespace troupe::scheduler
