#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {

const Score launch_score{
    "launches", "Prefers hosts on which tasks have started well lately.",
    [](const Host& host, const Demand&) { return score_max / static_cast<int>(1 + host.trouble); }};

}  // namespace troupe::scheduler
