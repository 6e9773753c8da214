#include "actors/balancer/level_plan.hpp"

#include <algorithm>

namespace troupe {

std::optional<std::uint32_t> next_level(const CellRecord& cell,
                                        std::span<const std::optional<std::uint32_t>> known) {
  const std::uint32_t next = cell.level + 1;
  if (cell.name.empty() || known.empty() || next > cell.policy.level_max) return std::nullopt;
  const auto knows = [next](const auto& level) { return level && *level >= next; };
  return std::ranges::all_of(known, knows) ? std::optional(next) : std::nullopt;
}

}  // namespace troupe
