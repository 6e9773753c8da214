#include "net/link/send_queue.hpp"

#include <utility>

#include "net/link/batch_codec.hpp"

namespace troupe::net {

SendQueue::Pushed SendQueue::push(BytesView message) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Pushed::closed;
  const auto size = frame_head_bytes + message.size();
  if (bytes_ + size > bytes_max_) {
    closed_ = true;
    return Pushed::full;
  }
  if (batches_.empty() || batches_.back().size() + size > batch_bytes_max) {
    batches_.emplace_back();
    if (size > batch_bytes_max) batches_.back().reserve(size);
  }
  append_frame(batches_.back(), message);
  bytes_ += size;
  return std::exchange(awake_, true) ? Pushed::queued : Pushed::wake;
}

std::size_t SendQueue::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

Bytes SendQueue::take() {
  const std::lock_guard lock(mutex_);
  if (batches_.empty()) {
    awake_ = false;
    return {};
  }
  Bytes batch = std::move(batches_.front());
  batches_.pop_front();
  return batch;
}

void SendQueue::written(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ -= bytes;
}

void SendQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  batches_.clear();
}

}  // namespace troupe::net
