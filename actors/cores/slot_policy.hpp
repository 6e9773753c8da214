#pragma once
// What becomes of one slot: pure rules of Titus (reference: resubmission and the failing job limiter).

#include <optional>
#include <span>
#include <vector>

#include "storage/state/duties.hpp"

namespace troupe::cores {

inline constexpr milliseconds retry_delay_min{1'000};
inline constexpr milliseconds retry_delay_cap{24 * 3'600'000};

/// Of a slot in SlotState::ended.
struct SlotDecision {
  SlotState to = SlotState::waiting;  ///< waiting, done or failed
  Instant retry_at;                   ///< waiting
  milliseconds delay{0};              ///< waiting: what the next one grows from
};
/// Nothing: leave it as it is (a service's surplus slot).
std::optional<SlotDecision> decide_ended(const JobDescriptor& job, const Capacity& capacity,
                                         const SlotRecord& slot);

/// Tasks that ended by their own fault so far, the last one included, may be followed by another?
bool may_retry(const JobDescriptor& job, const SlotRecord& slot);
milliseconds retry_delay(const RetryPolicy& policy, const SlotRecord& slot);

/// The live tasks to kill so that a service shrinks to its desired size: those of slots numbered >= desired
/// that are not being killed already, in Titus' order (Accepted, then Launched and StartInitiated, then
/// Started; the oldest first). Slots are positional, so Titus' choice among *all* tasks is reduced to an
/// order among the surplus ones.
std::vector<TaskId> choose_victims(const JobView& view, std::size_t count_max);

}  // namespace troupe::cores
