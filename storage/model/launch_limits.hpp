#pragma once
// How fast tasks may be launched: token buckets in state time, kept by apply on every node alike, so that a
// failover forgets none of them.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "storage/base/fields.hpp"
#include "storage/base/id.hpp"
#include "storage/base/time.hpp"

namespace troupe {

/// Intervals are kept in whole microseconds: rates far above a million a minute are rounded.
struct BucketRule {
  std::uint64_t burst = 1;       ///< at once, from rest
  std::uint64_t per_minute = 0;  ///< 0: no limit
  bool is_none() const { return per_minute == 0; }
  std::int64_t interval_us() const {
    return std::max<std::int64_t>(60'000'000 / static_cast<std::int64_t>(per_minute), 1);
  }
  /// Bounded, so that no product of it can overflow.
  std::int64_t tokens_max() const {
    return static_cast<std::int64_t>(std::clamp<std::uint64_t>(burst, 1, 10'000'000'000));
  }
};

/// A bucket is one number, when it will be full again (the generic cell rate algorithm). A fresh one is full.
struct TokenBucket {
  std::int64_t full_at_us = 0;

  /// When there will be one to take, or so many; of more than it ever holds, when it is full.
  Instant next_at(const BucketRule& rule, std::uint64_t count = 1) const {
    const std::int64_t more = rule.tokens_max() - static_cast<std::int64_t>(count);
    const std::int64_t us = full_at_us - std::max<std::int64_t>(more, 0) * rule.interval_us();
    return {us <= 0 ? 0 : (us + 999) / 1'000};
  }
  Instant full_at() const { return {(full_at_us + 999) / 1'000}; }
  bool has_one(const BucketRule& rule, Instant now) const { return rule.is_none() || next_at(rule) <= now; }
  std::uint64_t left(const BucketRule& rule, Instant now) const {
    const std::int64_t lacking = std::max<std::int64_t>(full_at_us - now.ms * 1'000, 0);
    const std::int64_t tokens = rule.tokens_max() - (lacking + rule.interval_us() - 1) / rule.interval_us();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(tokens, 0));
  }
  void take(const BucketRule& rule, Instant now) {
    if (!rule.is_none()) full_at_us = std::max(full_at_us, now.ms * 1'000) + rule.interval_us();
  }
  /// One that was taken in the same moment.
  void give_back(const BucketRule& rule) {
    if (!rule.is_none()) full_at_us -= rule.interval_us();
  }
  static constexpr auto fields() { return field_list(field("full_at_us", &TokenBucket::full_at_us)); }
  friend bool operator==(const TokenBucket&, const TokenBucket&) = default;
};

/// Of the cell, of a capacity group, of a host.
struct LaunchLimit {
  BucketRule rate;
  std::uint64_t under_way_max = 0;  ///< launched and not yet started; 0: no limit
  bool is_none() const { return rate.is_none() && under_way_max == 0; }
};

/// What is kept of a scope's launches. Stored once there is something to say.
struct LaunchRecord {
  TokenBucket bucket;
  std::uint32_t failures =
      0;             ///< of a host, in a row; of one job after another: one job alone proves nothing
  Instant failed;    ///< the last
  JobId failed_job;  ///< whose it was
  static constexpr auto fields() {
    using R = LaunchRecord;
    return field_list(field("bucket", &R::bucket), field("failures", &R::failures),
                      field("failed", &R::failed), field("failed_job", &R::failed_job));
  }
  friend bool operator==(const LaunchRecord&, const LaunchRecord&) = default;
};

/// A host whose launches fail takes none for a while: from the second failure on, twice as long each time, a
/// quarter more or less so that many hosts do not come back together. Unset: it does not rest.
inline Instant rests_until(const LaunchRecord& launches, milliseconds first, milliseconds most,
                           std::uint64_t host) {
  if (launches.failures < 2 || first.count() <= 0) return {};
  const std::uint32_t doublings = std::min<std::uint32_t>(launches.failures - 2, 30);
  std::int64_t pause = first.count();
  for (std::uint32_t n = 0; n < doublings && pause < most.count(); ++n) pause *= 2;
  pause = std::min(pause, std::max(first, most).count());
  // Spread by what every node knows: no chance is allowed here.
  std::uint64_t mixed = (host << 32) ^ launches.failures ^ static_cast<std::uint64_t>(launches.failed.ms);
  mixed = (mixed ^ (mixed >> 31)) * 0x9e3779b97f4a7c15ULL;
  const std::int64_t spread = pause / 2 + 1;
  return launches.failed + milliseconds(pause - pause / 4 + static_cast<std::int64_t>(mixed >> 33) % spread);
}

/// How a scope stands.
struct LaunchStanding {
  LaunchLimit limit;
  LaunchRecord record;
  std::uint64_t under_way = 0;
  Instant rests_until{};  ///< of a host; unset: it does not rest
};

struct LaunchRoom {
  static constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t left = unlimited;  ///< launches
  Instant again{};                 ///< none left, and time alone will help: from then on
};

inline LaunchRoom launch_room(const LaunchStanding& standing, Instant now) {
  if (standing.rests_until > now) return {0, standing.rests_until};
  LaunchRoom room;
  const LaunchLimit& limit = standing.limit;
  if (limit.under_way_max != 0)
    room.left = standing.under_way < limit.under_way_max ? limit.under_way_max - standing.under_way : 0;
  if (limit.rate.is_none()) return room;
  const std::uint64_t tokens = standing.record.bucket.left(limit.rate, now);
  if (tokens == 0) room.again = standing.record.bucket.next_at(limit.rate);
  room.left = std::min(room.left, tokens);
  return room;
}

}  // namespace troupe
