#include <algorithm>

#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {
namespace {

constexpr std::size_t busy_at = 32;  // launches under way; more count as no worse

}  // namespace

const Score calm_score{"calm", "Prefers hosts with few launches under way.",
                       [](const Host& host, const Demand&) {
                         const std::size_t under_way = std::min(host.in_flight, busy_at);
                         return score_max - static_cast<int>(under_way * score_max / busy_at);
                       }};

}  // namespace troupe::scheduler
