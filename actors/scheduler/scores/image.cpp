#include <algorithm>

#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {

const Score image_score{
    "image", "Prefers hosts that were given a task with the same image lately: they need not fetch it.",
    [](const Host& host, const Demand& demand) {
      return std::find(host.images.begin(), host.images.end(), demand.image) == host.images.end() ? 0
                                                                                                  : score_max;
    }};

}  // namespace troupe::scheduler
