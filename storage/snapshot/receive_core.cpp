#include "storage/snapshot/receive_core.hpp"

namespace troupe {
SnapshotReceiveCore::Effects SnapshotReceiveCore::on(const SnapshotMessage& message, Index applied,
                                                     bool repairs) {
  if (const auto* offer = std::get_if<SnapshotOffer>(&message)) return on_offer(*offer, applied, repairs);
  if (const auto* chunk = std::get_if<SnapshotChunk>(&message)) return on_chunk(*chunk);
  return {};  // Nothing that a sender says.
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::on_offer(const SnapshotOffer& offer, Index applied,
                                                           bool repairs) {
  const auto refusal = [&](ErrorCode code, std::string why) {
    return answer(SnapshotRefusal{offer.transfer, code, std::move(why)});
  };
  auto manifest = decode_manifest(offer.manifest.view());
  if (!manifest.ok()) return refusal(manifest.error().code, manifest.error().message);
  if (offer.leader_term < leader_term_)
    return refusal(ErrorCode::fenced, "a later leader has offered a snapshot");
  if (!manifest.value().cell.empty() && manifest.value().cell != cell_)
    return refusal(ErrorCode::precondition_failed, "the snapshot is of the cell " + manifest.value().cell);
  const bool is_same = phase_ != Phase::idle && manifest.value() == manifest_;
  leader_term_ = offer.leader_term;
  if (is_same) {
    transfer_ = offer.transfer;
    gap_told_ = false;
    return phase_ == Phase::installed ? answer(SnapshotDone{transfer_}) : accept();
  }
  // Its own state is ahead, and the log can go on from there.
  if (!repairs && manifest.value().index <= applied) return answer(SnapshotDone{offer.transfer});
  // The switch is the owner's next step: it must find what it was told of.
  if (phase_ == Phase::complete)
    return refusal(ErrorCode::unavailable, "another snapshot is being installed");
  phase_ = Phase::receiving;
  transfer_ = offer.transfer;
  manifest_ = std::move(manifest).value();
  places_ = SnapshotPlaces(manifest_);
  position_ = write_end_ = 0;
  verified_ = 0;
  gap_told_ = false;
  damaged_.clear();
  return {Resume{manifest_}};
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::resumed(std::uint32_t whole_files,
                                                          std::uint64_t bytes_of_next) {
  TROUPE_CHECK(phase_ == Phase::receiving && whole_files <= manifest_.files.size());
  verified_ = whole_files;
  position_ = places_.start_of(whole_files) + bytes_of_next;
  Effects effects = go_on();
  return effects.empty() ? accept() : effects;
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::accept() {
  const auto place = phase_ == Phase::complete
                         ? SnapshotPlaces::Place{static_cast<std::uint32_t>(manifest_.files.size()), 0}
                         : places_.place(position_);
  return answer(SnapshotAccept{transfer_, place.file, place.offset});
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::on_chunk(const SnapshotChunk& chunk) {
  if (phase_ != Phase::receiving || chunk.transfer != transfer_) return {};
  const auto position = places_.position(chunk.file, chunk.offset);
  const bool fits = position && chunk.data.size() > 0 && chunk.file < manifest_.files.size() &&
                    chunk.offset + chunk.data.size() <= manifest_.files[chunk.file].size;
  if (!fits) return refuse(Error{ErrorCode::corrupt, "a piece of the snapshot lies outside of its file"});
  if (*position < position_) return {};  // Once more, after a repeated offer.
  if (*position > position_) {
    if (std::exchange(gap_told_, true)) return {};
    return accept();
  }
  gap_told_ = false;
  write_end_ = position_ + chunk.data.size();
  return {Write{chunk.file, chunk.offset, chunk.data}};
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::written() {
  if (phase_ != Phase::receiving) return {};
  position_ = write_end_;
  if (position_ == places_.start_of(verified_ + 1)) return {Verify{verified_}};
  const auto place = places_.place(position_);
  return answer(SnapshotAck{transfer_, place.file, place.offset});
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::verified(const SnapshotFile& found) {
  if (phase_ != Phase::receiving) return {};
  if (found != manifest_.files[verified_]) {
    if (++damaged_[verified_] >= damaged_max)
      return refuse(Error{ErrorCode::corrupt, "the file " + manifest_.files[verified_].name +
                                                  " arrived damaged " + std::to_string(damaged_max) +
                                                  " times"});
    position_ = write_end_ = places_.start_of(verified_);
    return accept();
  }
  ++verified_;
  Effects effects = go_on();
  if (!effects.empty()) return effects;
  const auto place = places_.place(position_);
  if (phase_ == Phase::complete) return accept();
  return answer(SnapshotAck{transfer_, place.file, place.offset});
}

/// Empty files are made without a word from the sender.
SnapshotReceiveCore::Effects SnapshotReceiveCore::go_on() {
  if (verified_ == manifest_.files.size()) {
    phase_ = Phase::complete;
    return accept();
  }
  if (manifest_.files[verified_].size > 0) return {};
  write_end_ = position_;
  return {Write{verified_, 0, Blob()}};
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::refuse(Error why) {
  phase_ = Phase::idle;
  return {Drop{}, Reply{SnapshotRefusal{transfer_, why.code, std::move(why.message)}}};
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::failed(const Error& why) {
  if (phase_ == Phase::idle) return {};
  return refuse(why);
}

SnapshotReceiveCore::Effects SnapshotReceiveCore::installed() {
  TROUPE_CHECK(phase_ == Phase::complete);
  phase_ = Phase::installed;
  return answer(SnapshotDone{transfer_});
}

}  // namespace troupe
