#pragma once

#include <map>
#include <string>
#include <utility>

#include "storage/model/outcome.hpp"

namespace troupe::gateway {

/// Frames of recent events, each made once for all streams that are near the end. Beyond `bytes_max` the
/// oldest go: a stream that lags has its frames made for itself. One thread.
class FrameCache {
 public:
  explicit FrameCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Appends the frame of the event `id`; `make()` gives it if it is not here.
  template <typename Make>
  void append_to(std::string& chunk, EventId id, Make&& make) {
    auto at = frames_.find(id);
    if (at == frames_.end()) {
      at = frames_.emplace(id, std::forward<Make>(make)()).first;
      bytes_ += at->second.size();
    }
    chunk += at->second;
    while (bytes_ > bytes_max_) {
      bytes_ -= frames_.begin()->second.size();
      frames_.erase(frames_.begin());
    }
  }
  std::size_t bytes() const { return bytes_; }  ///< of the frames themselves

 private:
  std::map<EventId, std::string> frames_;
  std::size_t bytes_ = 0;
  const std::size_t bytes_max_;
};

}  // namespace troupe::gateway
