#include "actors/balancer/level_plan.hpp"

#include <algorithm>

#include "storage/model/command.hpp"

namespace troupe {
namespace {

bool all_know(std::span<const std::optional<std::uint32_t>> known, std::uint32_t wanted) {
  return !known.empty() &&
         std::ranges::all_of(known, [wanted](const auto& level) { return level && *level >= wanted; });
}

}  // namespace

std::optional<std::uint32_t> next_level(const CellRecord& cell,
                                        std::span<const std::optional<std::uint32_t>> known) {
  const std::uint32_t next = cell.level + 1;
  if (cell.name.empty() || next > cell.policy.level_max) return std::nullopt;
  return all_know(known, next) ? std::optional(next) : std::nullopt;
}

bool may_bootstrap(const CellPolicy& policy, std::span<const std::optional<std::uint32_t>> known) {
  const std::uint32_t of_any_policy = level_needed(SetPolicy{});
  const std::uint32_t needed = level_needed(SetPolicy{policy});
  return needed <= of_any_policy || all_know(known, needed);
}

}  // namespace troupe
