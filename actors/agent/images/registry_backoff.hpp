#pragma once
// How long a pull goes on asking, and when a registry is left alone. Pure: time and chance are given.

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/base/random.hpp"
#include "storage/base/time.hpp"

namespace troupe::agent {

struct BackoffLimits {
  milliseconds wait_first{200};  ///< doubled with each failure in a row ...
  milliseconds wait_max{10'000};
  milliseconds idle_max{60'000};           ///< without a byte or an answer: given up
  milliseconds pull_max{30 * 60 * 1'000};  ///< for one image, whatever it does
};

/// One pull's patience. A value; the caller locks.
class PullBudget {
 public:
  PullBudget(const BackoffLimits& limits, Moment begun) : limits_(limits), begun_(begun), moved_(begun) {}
  /// Something came: from now on it is as patient as at the beginning.
  void progressed(Moment now) {
    moved_ = now;
    failures_ = 0;
  }
  /// After a failure: how long to wait, at least so long. Half of the wait is chance, so that hosts that
  /// failed together do not come back together. Nothing: the patience would end before, give up now.
  std::optional<milliseconds> wait_for(Moment now, milliseconds at_least, Random& random);
  bool has_progressed() const { return moved_ > begun_; }

 private:
  milliseconds left(Moment now) const;
  BackoffLimits limits_;
  Moment begun_, moved_;
  unsigned failures_ = 0;
};

struct BreakerLimits {
  unsigned failures_max = 5;       ///< in a row
  milliseconds open_first{5'000};  ///< doubled with each probe that fails ...
  milliseconds open_max{2 * 60 * 1'000};
};

/// Keeps many tasks from hammering a registry that is down.
///
///   closed --failures_max in a row--> open --time--> half_open --success--> closed
///                                       ^----------------+ failure
///
/// Half open, one attempt is let through at a time. A value; the caller locks.
class CircuitBreaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };
  explicit CircuitBreaker(const BreakerLimits& limits) : limits_(limits) {}
  /// Nothing: go, and say how it went by exactly one of the three below. Else: not before so long.
  std::optional<milliseconds> admit(Moment now);
  void succeeded();
  void failed(Moment now, Random& random);
  void abandoned() { is_probing_ = false; }  ///< the attempt says nothing about the registry
  State state() const { return state_; }

 private:
  void open(Moment now, Random& random);
  BreakerLimits limits_;
  State state_ = State::closed;
  unsigned failures_ = 0, openings_ = 0;
  bool is_probing_ = false;
  Moment until_{};
};
constexpr milliseconds breaker_probe_wait{500};  ///< for those that meet somebody else's probe
std::string_view state_text(CircuitBreaker::State state);

}  // namespace troupe::agent
