#include <algorithm>

#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {

const Score gpu_saving_score{"gpuSaving", "Keeps hosts with free gpus for tasks that ask for some.",
                             [](const Host& host, const Demand&) {
                               const std::int64_t total = host.facts.total.gpu;
                               if (total <= 0) return score_max;
                               const std::int64_t left = std::clamp<std::int64_t>(host.free().gpu, 0, total);
                               return score_max - static_cast<int>(left * score_max / total);
                             }};

}  // namespace troupe::scheduler
