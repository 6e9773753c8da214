#include "actors/scheduler/scores/score.hpp"

#include <algorithm>
#include <array>

namespace troupe::scheduler {
namespace {

constexpr std::array all_scores{
    &bin_packing_score, &spreading_score, &soft_constraint_score, &neighbour_score, &image_score,
    &launch_score,      &calm_score,      &gpu_saving_score,
};

}  // namespace

std::span<const Score* const> scores() { return all_scores; }

std::vector<WeighedScore> weighed(const Demand& demand) {
  std::vector<WeighedScore> list;
  const bool packs = demand.wishes.lean == Lean::pack;
  list.push_back({packs ? &bin_packing_score : &spreading_score, 4});
  // What a user asks for weighs more than all that we prefer ourselves.
  if (!demand.wishes.soft.empty() || demand.wishes.prefers_exclusive)
    list.push_back({&soft_constraint_score, 20});
  const auto is_soft = [](const Relation& relation) { return !relation.is_hard; };
  if (std::any_of(demand.wishes.relations.begin(), demand.wishes.relations.end(), is_soft))
    list.push_back({&neighbour_score, 15});
  if (demand.image != 0) list.push_back({&image_score, 1});
  list.push_back({&launch_score, 6});
  if (!packs) list.push_back({&calm_score, 1});
  if (demand.resources.gpu == 0) list.push_back({&gpu_saving_score, 4});
  return list;
}

}  // namespace troupe::scheduler
