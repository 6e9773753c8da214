#include "tests/storage/raft/history.hpp"

#include <algorithm>

namespace troupe::raft::test {

History::Call History::write_called(std::uint8_t key, std::uint64_t value) {
  calls_.push_back({true, key, value, ++now_, never});
  return calls_.size() - 1;
}

History::Call History::read_called(std::uint8_t key) {
  calls_.push_back({false, key, 0, ++now_, never});
  return calls_.size() - 1;
}

void History::read_answered(Call call, std::uint64_t value) {
  calls_[call].value = value;
  calls_[call].answered = ++now_;
}

std::size_t History::answered() const {
  return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(),
                                                [](const Operation& one) { return one.answered != never; }));
}

std::vector<History::Zone> History::zones_of(std::uint8_t key) const {
  std::map<std::uint64_t, Zone> zones;
  zones[0] = {0, 0, 0, 0, true};  // what was there before anybody wrote
  for (const Operation& one : calls_) {
    if (one.key != key || (!one.is_write && one.answered == never)) continue;
    Zone& zone = zones[one.value];
    zone.value = one.value;
    if (one.is_write) zone.written = one.called;
    zone.first_answer = std::min(zone.first_answer, one.answered);
    zone.last_call = std::max(zone.last_call, one.called);
    zone.seen = zone.seen || one.answered != never;
  }
  std::vector<Zone> out;
  for (const auto& [value, zone] : zones) {
    if (zone.seen) out.push_back(zone);
  }
  return out;
}

std::optional<std::string> History::violation() const {
  for (std::uint8_t key = 0; key < keys; ++key) {
    std::vector<Zone> forward, backward;
    for (const Zone& zone : zones_of(key)) {
      if (zone.first_answer < zone.written || zone.written == never) {
        return "read_before_its_write value=" + std::to_string(zone.value);
      }
      (zone.forward() || zone.value == 0 ? forward : backward).push_back(zone);
    }
    std::sort(forward.begin(), forward.end(), [](const Zone& a, const Zone& b) { return a.low() < b.low(); });
    for (std::size_t i = 1; i < forward.size(); ++i) {
      if (forward[i].low() < forward[i - 1].high()) {
        return "not_linearizable value=" + std::to_string(forward[i - 1].value) + " seen on both sides of " +
               std::to_string(forward[i].value);
      }
    }
    for (const Zone& inner : backward) {
      const auto after = std::upper_bound(forward.begin(), forward.end(), inner.low(),
                                          [](std::uint64_t at, const Zone& zone) { return at < zone.low(); });
      if (after != forward.begin() && inner.high() < std::prev(after)->high()) {
        return "not_linearizable value=" + std::to_string(inner.value) + " lies within " +
               std::to_string(std::prev(after)->value);
      }
    }
  }
  return {};
}

}  // namespace troupe::raft::test
