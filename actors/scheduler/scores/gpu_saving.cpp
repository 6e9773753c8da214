#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {

const Score gpu_saving_score{
    "gpuSaving", "Keeps hosts with gpus for tasks that ask for some.",
    [](const Host& host, const Demand&) { return host.facts.total.gpu == 0 ? score_max : 0; }};

}  // namespace troupe::scheduler
