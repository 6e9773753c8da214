#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {

const Score soft_constraint_score{
    "softConstraints", "Prefers hosts that keep most of the job's soft constraints.",
    [](const Host& host, const Demand& demand) {
      const Wishes& wishes = demand.wishes;
      std::size_t asked = wishes.soft.size();
      std::size_t kept = 0;
      for (const Needs& soft : wishes.soft) kept += all_hold(host.facts, soft) ? 1 : 0;
      if (wishes.prefers_exclusive) {
        ++asked;
        kept += host.is_untouched() ? 1 : 0;
      }
      return asked == 0 ? score_max : static_cast<int>(kept * score_max / asked);
    }};

}  // namespace troupe::scheduler
