#pragma once
// A batch, the content of one WebSocket message: [u32 little-endian length][payload] repeated. Empty =
// heartbeat. Pure.

#include <cstddef>
#include <functional>
#include <string_view>

#include "storage/base/bytes.hpp"

namespace troupe::net {

constexpr std::size_t frame_head_bytes = 4;

void append_frame(Bytes& batch, BytesView message);

/// Reads batches from an untrusted peer piece by piece. Holds memory only for bytes that have arrived.
class BatchReader {
 public:
  enum class Outcome { fine, too_long, torn };
  explicit BatchReader(std::size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}
  /// Hands each completed message to `sink`. too_long: a length beyond the limit; the reader is then
  /// unusable.
  Outcome feed(BytesView piece, const std::function<void(Bytes)>& sink);
  /// The batch ended. torn: in the middle of a frame.
  Outcome end_batch() const { return head_bytes_ == 0 ? Outcome::fine : Outcome::torn; }

 private:
  std::size_t message_bytes_max_;
  unsigned char head_[frame_head_bytes] = {};
  std::size_t head_bytes_ = 0;  ///< frame_head_bytes: inside a payload
  std::size_t length_ = 0;
  Bytes payload_;
};

}  // namespace troupe::net
