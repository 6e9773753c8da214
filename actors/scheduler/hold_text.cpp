#include "actors/scheduler/hold_text.hpp"

#include <algorithm>

namespace troupe::scheduler {
namespace {

std::string seconds_text(milliseconds wait) {
  const std::int64_t tenths = (std::max<std::int64_t>(wait.count(), 0) + 99) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string launches_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " launch" : " launches");
}

}  // namespace

std::string pause_text(const std::string& whose, const PauseRecord& pause) {
  return "scheduling of " + whose + " is paused by " + (pause.by.empty() ? "somebody" : pause.by) +
         " since " + to_text(pause.since) + ": " + pause.reason;
}

LaunchHold launch_hold(const std::string& whose, const LaunchStanding& standing, std::uint64_t count,
                       Instant now) {
  const LaunchLimit& limit = standing.limit;
  LaunchHold hold;
  if (limit.under_way_max != 0) {
    const std::uint64_t most = std::min(count, limit.under_way_max);
    if (standing.under_way + most > limit.under_way_max)
      hold.sentence = std::to_string(standing.under_way) + " launches are under way and at most " +
                      std::to_string(limit.under_way_max) + " may be: it waits for some to start or end";
  }
  if (limit.rate.is_none())
    return hold.sentence.empty() ? hold : LaunchHold{whose + ": " + hold.sentence, {}};
  const auto most = std::min<std::uint64_t>(count, static_cast<std::uint64_t>(limit.rate.tokens_max()));
  const std::uint64_t left = standing.record.bucket.left(limit.rate, now);
  const bool lacks_tokens = left < most;
  if (lacks_tokens) {
    const Instant again = standing.record.bucket.next_at(limit.rate, most);
    if (hold.sentence.empty()) hold.until = again;
    hold.sentence += (hold.sentence.empty() ? "" : "; and ") +
                     (launches_text(left) + " of " + std::to_string(limit.rate.tokens_max()) + " left, " +
                      std::to_string(limit.rate.per_minute) + " a minute come: " +
                      (most == 1 ? "the next" : "the " + std::to_string(most) + " that start at once") +
                      " in " + seconds_text(again - now));
  }
  if (!hold.sentence.empty()) hold.sentence = whose + ": " + hold.sentence;
  return hold;
}

}  // namespace troupe::scheduler
