#include "storage/replica/clock_guard.hpp"

#include <algorithm>

namespace troupe {
namespace {

milliseconds steady_ms(Moment at) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(at.ns));
}

milliseconds lower_middle(std::vector<milliseconds> offsets) {
  std::sort(offsets.begin(), offsets.end());
  return offsets[(offsets.size() - 1) / 2];
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

std::optional<milliseconds> ClockGuard::offset_within(milliseconds age, NodeId peer, Moment now) const {
  const auto found = heard_.find(peer);
  if (found == heard_.end() || now - found->second.last > age) return std::nullopt;
  return std::max(found->second.offset, found->second.before);
}

std::optional<milliseconds> ClockGuard::offset_of(NodeId peer, Moment now) const {
  return offset_within(fresh, peer, now);
}

std::vector<milliseconds> ClockGuard::offsets_within(milliseconds age, NodeId self, Now now,
                                                     std::span<const NodeId> voters) const {
  std::vector<milliseconds> offsets{offset(now.wall, now.steady)};
  for (const NodeId voter : voters) {
    if (voter == self) continue;
    if (const auto known = offset_within(age, voter, now.steady)) offsets.push_back(*known);
  }
  return offsets;
}

std::vector<milliseconds> ClockGuard::offsets(NodeId self, Now now, std::span<const NodeId> voters) const {
  auto known = offsets_within(recent, self, now, voters);
  return known.size() > voters.size() / 2 ? known : offsets_within(fresh, self, now, voters);
}

milliseconds ClockGuard::middle(NodeId self, Now now, std::span<const NodeId> voters) const {
  std::vector<milliseconds> known = offsets(self, now, voters);
  const bool remembers = last_measure_ && (!alone_since_ || now.steady - *alone_since_ < fresh);
  if (known.size() == 1 && voters.size() > 1 && remembers) known.push_back(*last_measure_);
  return lower_middle(std::move(known));
}

void ClockGuard::remember(NodeId self, Now now, std::span<const NodeId> voters) {
  std::vector<milliseconds> known = offsets(self, now, voters);
  if (known.size() == 1) {
    if (!alone_since_) alone_since_ = now.steady;
    return;
  }
  alone_since_.reset();
  last_measure_ = lower_middle(std::move(known));
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
