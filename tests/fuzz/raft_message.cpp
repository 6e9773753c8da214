// What one node of a cell says to another, and the frames it comes in.

#include "net/link/batch_codec.hpp"
#include "storage/base/msgpack.hpp"
#include "storage/raft/ready.hpp"
#include "storage/replica/replica_message.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;

namespace {

constexpr std::size_t message_bytes_max = 1 << 16;

void check_frames(BytesView bytes) {
  std::size_t seen = 0;
  const auto count = [&](Bytes message) { seen += message.size() + net::frame_head_bytes; };
  net::BatchReader whole(message_bytes_max), pieces(message_bytes_max);
  const auto outcome = whole.feed(bytes, count);
  fuzz::must(seen <= bytes.size());
  const std::size_t of_whole = std::exchange(seen, 0);
  auto in_pieces = net::BatchReader::Outcome::fine;
  for (std::size_t at = 0; at < bytes.size() && in_pieces == net::BatchReader::Outcome::fine; ++at) {
    in_pieces = pieces.feed(bytes.substr(at, 1), count);
  }
  fuzz::must(in_pieces == outcome && seen == of_whole);
}

void check_message(BytesView bytes) {
  const auto message = unpacked<raft::Message>(bytes);
  if (!message.ok()) return;
  const auto again = unpacked<raft::Message>(packed(message.value()));
  fuzz::must(again.ok() && again.value() == message.value());
}

void check_signed_message(BytesView bytes) {
  const auto message = unpacked<ReplicaMessage>(bytes);
  if (!message.ok()) return;
  const auto again = unpacked<ReplicaMessage>(packed(message.value()));
  fuzz::must(again.ok() && again.value() == message.value());
}

void check_membership(BytesView bytes) {
  const auto meta = unpacked<raft::SnapshotMeta>(bytes);
  if (meta.ok()) fuzz::must(unpacked<raft::SnapshotMeta>(packed(meta.value())).ok());
  const auto membership = unpacked<raft::Membership>(bytes);
  if (membership.ok()) fuzz::must(unpacked<raft::Membership>(packed(membership.value())).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes = fuzz::view(data, size);
  check_frames(bytes);
  check_message(bytes);
  check_signed_message(bytes);
  check_membership(bytes);
  return 0;
}
