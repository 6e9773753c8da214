#include "net/link/batch_codec.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/check.hpp"

namespace troupe::net {

void append_frame(Bytes& batch, BytesView message) {
  TROUPE_CHECK(message.size() <= 0xffffffffU);
  for (unsigned shift = 0; shift < 32; shift += 8) {
    batch.push_back(static_cast<char>((message.size() >> shift) & 0xff));
  }
  batch.append(message);
}

BatchReader::Outcome BatchReader::feed(BytesView piece, const std::function<void(Bytes)>& sink) {
  while (!piece.empty()) {
    if (head_bytes_ < frame_head_bytes) {
      head_[head_bytes_++] = static_cast<unsigned char>(piece.front());
      piece.remove_prefix(1);
      if (head_bytes_ < frame_head_bytes) continue;
      length_ =
          head_[0] | std::size_t{head_[1]} << 8 | std::size_t{head_[2]} << 16 | std::size_t{head_[3]} << 24;
      if (length_ > message_bytes_max_) return Outcome::too_long;
    }
    const auto taken = std::min(length_ - payload_.size(), piece.size());
    payload_.append(piece.substr(0, taken));
    piece.remove_prefix(taken);
    if (payload_.size() < length_) continue;
    head_bytes_ = 0;
    sink(std::exchange(payload_, {}));
  }
  return Outcome::fine;
}

}  // namespace troupe::net
