#pragma once
// The preferences among hosts that take a task, each in a file of its own.

#include <span>
#include <string_view>
#include <vector>

#include "actors/scheduler/inventory.hpp"

namespace troupe::scheduler {

struct Score {
  std::string_view name;      ///< stable
  std::string_view sentence;  ///< for people
  /// 0 to 1,000, the best. Of a host that takes the task now.
  int (*value)(const Host& host, const Demand& demand);
};
inline constexpr int score_max = 1'000;

extern const Score bin_packing_score;
extern const Score spreading_score;
extern const Score soft_constraint_score;
extern const Score neighbour_score;
extern const Score image_score;
extern const Score launch_score;
extern const Score calm_score;
extern const Score gpu_saving_score;

std::span<const Score* const> scores();
/// Those that matter for what a class asks, with their weights.
std::vector<WeighedScore> weighed(const Demand& demand);

}  // namespace troupe::scheduler
