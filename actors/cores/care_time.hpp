#pragma once
// How long a node has cared for what it owns, and so could hear the agents' reports about it.

#include "storage/base/time.hpp"

namespace troupe::cores {

/// Owner: the directory. Pure.
///
/// A short gap stops the count but keeps it: agents repeat what nobody heard as soon as they are heard again.
/// Were it begun anew each time, leases that come and go would put off what is overdue for ever.
class CareTime {
 public:
  static constexpr milliseconds short_gap_max{10'000};

  void resume(Instant now) {
    const bool goes_on = paused_.is_set() && now - paused_ <= short_gap_max;
    since_ = goes_on ? since_ + (now - paused_) : now;
  }
  void pause(Instant now) { paused_ = now; }
  /// While not paused: the moment from which on it would have had to care without a gap, to have cared for as
  /// long.
  Instant since() const { return since_; }

 private:
  Instant since_;
  Instant paused_;
};

}  // namespace troupe::cores
