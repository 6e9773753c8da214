#pragma once
// Time. State time is stamped by the leader and never goes back; monotonic time is local and for timers.

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace troupe {

using std::chrono::milliseconds;

/// Milliseconds since 1970 UTC, as stamped by the leader (state time) or read from a host (information only).
struct Instant {
  std::int64_t ms = 0;
  friend auto operator<=>(const Instant&, const Instant&) = default;
  bool is_set() const { return ms != 0; }
};
/// Saturates: limits come from users and operators, and "for ever" must not wrap into the past.
inline Instant operator+(Instant at, milliseconds wait) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(at.ms, wait.count(), &sum)) return {sum};
  return {wait.count() > 0 ? INT64_MAX : INT64_MIN};
}
inline Instant operator-(Instant at, milliseconds wait) {
  std::int64_t rest = 0;
  if (!__builtin_sub_overflow(at.ms, wait.count(), &rest)) return {rest};
  return {wait.count() > 0 ? INT64_MIN : INT64_MAX};
}
inline milliseconds operator-(Instant a, Instant b) { return milliseconds(a.ms - b.ms); }

/// A point of this process's steady clock, in nanoseconds since some start. Never compared between processes.
struct Moment {
  std::int64_t ns = 0;
  friend auto operator<=>(const Moment&, const Moment&) = default;
};
inline Moment operator+(Moment at, std::chrono::nanoseconds wait) { return {at.ns + wait.count()}; }
inline std::chrono::nanoseconds operator-(Moment a, Moment b) {
  return std::chrono::nanoseconds(a.ns - b.ns);
}

/// The time seam. The simulator has its own; everything else asks this one. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant wall() const = 0;
  virtual Moment steady() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Instant wall() const override;
  Moment steady() const override;
};

/// 2026-11-22T09:30:00.123Z
std::string to_text(Instant at);

}  // namespace troupe
