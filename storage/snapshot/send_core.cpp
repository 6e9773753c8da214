#include "storage/snapshot/send_core.hpp"

#include <algorithm>

namespace troupe {

SnapshotSendCore::SnapshotSendCore(SnapshotManifest manifest, std::uint64_t transfer, Term leader_term,
                                   SendLimits limits)
    : manifest_(std::move(manifest)),
      encoded_(encode_manifest(manifest_)),
      places_(manifest_),
      transfer_(transfer),
      leader_term_(leader_term),
      limits_(limits) {
  TROUPE_CHECK(limits_.chunk_bytes > 0 && limits_.window_bytes >= limits_.chunk_bytes);
  earn();
}

SnapshotSendCore::Effects SnapshotSendCore::start() { return offer(); }

SnapshotSendCore::Effects SnapshotSendCore::offer() {
  return {Send{SnapshotOffer{transfer_, leader_term_, encoded_}}};
}

SnapshotSendCore::Effects SnapshotSendCore::end(std::optional<Error> failure) {
  phase_ = Phase::ended;
  return {Ended{std::move(failure)}};
}

void SnapshotSendCore::rewind(std::uint64_t position) {
  ++attempt_;  // Reads under way belong to the attempt before: their bytes must not be sent now.
  acked_ = next_ = position;
}

SnapshotSendCore::Effects SnapshotSendCore::on(const SnapshotMessage& message) {
  if (phase_ == Phase::ended || transfer_of(message) != transfer_) return {};
  silent_ticks_ = 0;
  if (const auto* accepted = std::get_if<SnapshotAccept>(&message)) return accept(*accepted);
  if (const auto* acked = std::get_if<SnapshotAck>(&message)) return ack(*acked);
  if (std::holds_alternative<SnapshotDone>(message)) return end(std::nullopt);
  if (const auto* refusal = std::get_if<SnapshotRefusal>(&message))
    return end(Error{refusal->code, "the receiver refuses the snapshot: " + refusal->why});
  return {};  // An offer or a chunk: nothing that a receiver says.
}

SnapshotSendCore::Effects SnapshotSendCore::accept(const SnapshotAccept& accept) {
  const auto position = places_.position(accept.file, accept.offset);
  if (!position) return end(Error{ErrorCode::corrupt, "the receiver asks for a place that is not there"});
  if (*position < reached_ && ++rewinds_ > limits_.rewinds_max)
    return end(Error{ErrorCode::unavailable, "the receiver asks again and again for what it had"});
  rewind(*position);
  if (acked_ > reached_) reached_ = acked_, stuck_ticks_ = 0;
  return go_on();
}

SnapshotSendCore::Effects SnapshotSendCore::ack(const SnapshotAck& ack) {
  const auto position = places_.position(ack.file, ack.offset);
  if (!position || *position <= acked_) return {};
  // Behind next_: what was sent before a repeated offer has arrived after all.
  if (*position > next_)
    rewind(*position);
  else
    acked_ = *position;
  if (acked_ > reached_) reached_ = acked_, stuck_ticks_ = 0;
  return phase_ == Phase::offering ? Effects{} : go_on();
}

SnapshotSendCore::Effects SnapshotSendCore::go_on() {
  phase_ = acked_ == places_.total() ? Phase::installing : Phase::sending;
  Effects effects;
  while (is_up_ && next_ < places_.total()) {
    const auto at = places_.place(next_);
    const std::uint64_t left = places_.size_of(at.file) - at.offset;
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left, limits_.chunk_bytes));
    if (outstanding_bytes() + size > limits_.window_bytes) break;
    if (limits_.bytes_per_tick != 0) {
      if (allowance_ < size) break;
      allowance_ -= size;
    }
    effects.push_back(ReadRange{attempt_, at.file, at.offset, size});
    next_ += size;
  }
  return effects;
}

/// A chunk at least can be saved up for, and not much more: a pause is not made up for by a burst.
void SnapshotSendCore::earn() {
  const std::size_t most = std::max(limits_.chunk_bytes, 2 * limits_.bytes_per_tick);
  allowance_ = std::min<std::uint64_t>(allowance_ + limits_.bytes_per_tick, most);
}

SnapshotSendCore::Effects SnapshotSendCore::on_read(const ReadRange& asked, Result<Bytes> bytes) {
  if (phase_ == Phase::ended || asked.attempt != attempt_) return {};
  if (!bytes.ok()) return end(bytes.error());
  if (bytes.value().size() != asked.size)
    return end(Error{ErrorCode::corrupt, "the checkpoint's file " + manifest_.files[asked.file].name +
                                             " is shorter than its manifest says"});
  return {Send{SnapshotChunk{transfer_, asked.file, asked.offset, Blob(std::move(bytes).value())}}};
}

SnapshotSendCore::Effects SnapshotSendCore::link_down() {
  if (phase_ == Phase::ended) return {};
  is_up_ = false;
  phase_ = Phase::offering;
  rewind(acked_);
  return {};
}

SnapshotSendCore::Effects SnapshotSendCore::link_up() {
  if (phase_ == Phase::ended) return {};
  is_up_ = true;
  phase_ = Phase::offering;
  return offer();
}

SnapshotSendCore::Effects SnapshotSendCore::tick() {
  if (phase_ == Phase::ended) return {};
  ++silent_ticks_;
  ++stuck_ticks_;
  if (silent_ticks_ >= limits_.give_up_ticks)
    return end(Error{ErrorCode::unavailable, "the receiver of the snapshot is silent"});
  if (stuck_ticks_ >= limits_.stuck_ticks)
    return end(Error{ErrorCode::unavailable, "the receiver of the snapshot makes no progress"});
  earn();
  if (!is_up_) return {};
  if (silent_ticks_ % limits_.offer_ticks == 0) return offer();
  return phase_ == Phase::sending ? go_on() : Effects{};
}

}  // namespace troupe
