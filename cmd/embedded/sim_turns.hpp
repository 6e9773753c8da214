#pragma once
// When a simulated actor system has its turn.

#include <algorithm>
#include <optional>

#include "actors/runtime/actor_host.hpp"
#include "storage/base/time.hpp"

namespace troupe::embedded {

/// Keeps an actor system's clock: of dozens of systems few have anything to do at an instant, and the clocks
/// of the others follow when they have. A frozen one has no turn; a slow one has none for a while after each.
class SimTurns {
 public:
  SimTurns() = default;
  SimTurns(ActorHost& actors, Moment now) : actors_(&actors), at_(now), due_(now) {}

  void freeze() { frozen_ = true; }
  void thaw() { frozen_ = false; }
  bool is_frozen() const { return frozen_; }
  void slow_down(std::chrono::nanoseconds by) { pause_ = by, turn_ = at_ + by; }

  /// Handles everything that can be handled now, at most so many messages; how many it was.
  std::uint64_t take(Moment now, std::uint64_t most) {
    if (actors_ == nullptr || frozen_ || (is_slow() && now < turn_)) return 0;
    if (!actors_->has_work() && (!due_ || *due_ > now)) return 0;
    actors_->advance(now - at_);
    at_ = now;
    std::uint64_t steps = 0;
    while (steps < most && actors_->step()) ++steps;
    const auto wait = actors_->next_timer();
    due_ = wait ? std::optional(now + *wait) : std::nullopt;
    if (is_slow()) turn_ = now + pause_;
    return steps;
  }
  /// When a turn will be of use, of one that take() has just left and that heard nothing since.
  std::optional<Moment> next_due() const {
    if (actors_ == nullptr || frozen_) return std::nullopt;
    if (!is_slow()) return actors_->has_work() ? at_ : due_;
    if (actors_->has_work()) return turn_;
    return due_ ? std::optional(std::max(*due_, turn_)) : std::nullopt;
  }

 private:
  bool is_slow() const { return pause_.count() > 0; }

  ActorHost* actors_ = nullptr;
  Moment at_;                  ///< of its clock
  std::optional<Moment> due_;  ///< its next timer
  std::chrono::nanoseconds pause_{0};
  Moment turn_;  ///< of a slow one: not before
  bool frozen_ = false;
};

}  // namespace troupe::embedded
