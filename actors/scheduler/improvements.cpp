#include "actors/scheduler/improvements.hpp"

#include <algorithm>
#include <bit>

namespace troupe::scheduler {

bool Improvements::note(std::size_t place) {
  if (place >= last_.size()) last_.resize(place + 1);
  const std::size_t wanted = std::clamp(std::bit_ceil(last_.size()), kept_min, kept_max);
  if (kept_.size() < wanted) {
    // Places are new: all that was known is looked up anew.
    kept_.assign(wanted, 0);
    first_kept_ = count_;
  } else if (count_ - first_kept_ == kept_.size()) {
    ++first_kept_;
  }
  kept_[count_ % kept_.size()] = static_cast<std::uint32_t>(place);
  last_[place] = count_++;
  return count_ - settled_ == 1;
}

void Improvements::settle() {
  if (settled_ < first_kept_) {
    // Which ones are forgotten must not depend on their order either.
    first_kept_ = count_;
  } else {
    std::vector<std::uint32_t> fresh;
    for (std::uint64_t n = settled_; n < count_; ++n) fresh.push_back(kept_[n % kept_.size()]);
    std::sort(fresh.begin(), fresh.end());
    for (std::uint64_t n = settled_; n < count_; ++n) {
      const std::uint32_t place = fresh[n - settled_];
      kept_[n % kept_.size()] = place;
      last_[place] = n;
    }
  }
  settled_ = count_;
}

}  // namespace troupe::scheduler
