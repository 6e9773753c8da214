#pragma once

#include <algorithm>
#include <deque>

#include "storage/model/outcome.hpp"

namespace troupe::gateway {

/// The recent events of this node, in log order; beyond `events_max` the oldest go. One thread. Survives
/// nothing: a restarted node has none, and who resumes from before gets a new snapshot.
class EventRing {
 public:
  /// `begin`: the state already holds everything up to this index, whose events are not here.
  EventRing(Index begin, std::size_t events_max)
      : begin_{begin, UINT32_MAX}, end_(begin_), events_max_(events_max) {}

  void add(const Applied& applied) {
    for (const Event& event : applied.events) events_.push_back(event);
    // Where nothing happened at the last index, 0 stands behind all that can.
    end_ = std::max(end_, {applied.index, 0});
    if (!events_.empty()) end_ = std::max(end_, events_.back().id);
    while (events_.size() > events_max_) {
      begin_ = events_.front().id;
      events_.pop_front();
    }
  }

  /// Is everything after `id` still here?
  bool covers(EventId id) const { return id >= begin_; }
  /// Everything up to here has been added.
  EventId end() const { return end_; }
  /// The first event after `id`, as a position in this ring until the next add().
  std::size_t after(EventId id) const {
    const auto at = std::upper_bound(events_.begin(), events_.end(), id,
                                     [](EventId wanted, const Event& event) { return wanted < event.id; });
    return static_cast<std::size_t>(at - events_.begin());
  }
  std::size_t size() const { return events_.size(); }
  const Event& operator[](std::size_t at) const { return events_[at]; }

 private:
  std::deque<Event> events_;
  EventId begin_;  ///< events after this one are here
  EventId end_;
  const std::size_t events_max_;
};

}  // namespace troupe::gateway
