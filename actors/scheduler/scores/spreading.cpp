#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {

const Score spreading_score{
    "spreading", "Prefers hosts that have much free, so that tasks disturb each other least.",
    [](const Host& host, const Demand& demand) { return score_max - bin_packing_score.value(host, demand); }};

}  // namespace troupe::scheduler
