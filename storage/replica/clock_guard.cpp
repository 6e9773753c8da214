#include "storage/replica/clock_guard.hpp"

#include <algorithm>
#include <vector>

namespace troupe {
namespace {

milliseconds steady_ms(Moment at) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(at.ns));
}

}  // namespace

milliseconds ClockGuard::offset(Instant wall, Moment at) { return milliseconds((wall - steady_ms(at)).ms); }

void ClockGuard::heard(NodeId peer, Instant wall, Moment sent, Moment at) {
  const milliseconds news = offset(wall, at);
  const Heard first{news, news, offset(wall, sent), at, at};
  Heard& heard = heard_.try_emplace(peer, first).first->second;
  if (is_far(first.set, heard.set)) heard = first;
  heard.set = first.set;
  heard.last = at;
  if (at - heard.since >= window) {
    heard.before = at - heard.since >= 2 * window ? news : heard.offset;
    heard.offset = news;
    heard.since = at;
  }
  heard.offset = std::max(heard.offset, news);
}

std::optional<milliseconds> ClockGuard::offset_of(NodeId peer, Moment now) const {
  const auto found = heard_.find(peer);
  if (found == heard_.end() || now - found->second.last > fresh) return std::nullopt;
  return std::max(found->second.offset, found->second.before);
}

milliseconds ClockGuard::middle(NodeId self, Now now, std::span<const NodeId> voters) const {
  std::vector<milliseconds> offsets{offset(now.wall, now.steady)};
  for (const NodeId voter : voters) {
    if (voter == self) continue;
    if (const auto known = offset_of(voter, now.steady)) offsets.push_back(*known);
  }
  std::sort(offsets.begin(), offsets.end());
  return offsets[(offsets.size() - 1) / 2];
}

bool ClockGuard::is_far(milliseconds offset, milliseconds from) const {
  const milliseconds apart((Instant{offset.count()} - from).ms);  // Saturates: a peer may claim anything.
  return apart > leap_max_ || apart < -leap_max_;
}

bool ClockGuard::has_leapt(NodeId self, Now now, std::span<const NodeId> voters) const {
  return is_far(offset(now.wall, now.steady), middle(self, now, voters));
}

bool ClockGuard::differs(NodeId peer, NodeId self, Now now, std::span<const NodeId> voters) const {
  const auto known = offset_of(peer, now.steady);
  return known && is_far(*known, middle(self, now, voters));
}

}  // namespace troupe
