#pragma once
// What sender and receiver of a snapshot say to each other, over the bulk link. Bytes: msgpack of the
// variant.

#include <variant>

#include "storage/snapshot/manifest.hpp"

namespace troupe {

/// Sender: I have this snapshot for you. Repeated after a broken link or silence; the answer says where to go
/// on.
struct SnapshotOffer {
  std::uint64_t transfer = 0;  ///< names the sender's effort; echoed by everything that follows
  Term leader_term;
  Blob manifest;  ///< encode_manifest()
  static constexpr auto fields() {
    return field_list(field("transfer", &SnapshotOffer::transfer),
                      field("leader_term", &SnapshotOffer::leader_term),
                      field("manifest", &SnapshotOffer::manifest));
  }
};
/// Receiver: send from here. file == number of files: everything is here and is being installed.
struct SnapshotAccept {
  std::uint64_t transfer = 0;
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
  static constexpr auto fields() {
    return field_list(field("transfer", &SnapshotAccept::transfer), field("file", &SnapshotAccept::file),
                      field("offset", &SnapshotAccept::offset));
  }
};
/// Sender: a piece of a file, in order.
struct SnapshotChunk {
  std::uint64_t transfer = 0;
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
  Blob data;
  static constexpr auto fields() {
    return field_list(field("transfer", &SnapshotChunk::transfer), field("file", &SnapshotChunk::file),
                      field("offset", &SnapshotChunk::offset), field("data", &SnapshotChunk::data));
  }
};
/// Receiver: all before this position is written.
struct SnapshotAck {
  std::uint64_t transfer = 0;
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
  static constexpr auto fields() {
    return field_list(field("transfer", &SnapshotAck::transfer), field("file", &SnapshotAck::file),
                      field("offset", &SnapshotAck::offset));
  }
};
/// Receiver: the state is mine up to the snapshot's index.
struct SnapshotDone {
  std::uint64_t transfer = 0;
  static constexpr auto fields() { return field_list(field("transfer", &SnapshotDone::transfer)); }
};
/// Receiver: not this, and why; nothing of it is kept.
struct SnapshotRefusal {
  std::uint64_t transfer = 0;
  ErrorCode code = ErrorCode::internal;
  std::string why;
  static constexpr auto fields() {
    return field_list(field("transfer", &SnapshotRefusal::transfer), field("code", &SnapshotRefusal::code),
                      field("why", &SnapshotRefusal::why));
  }
};

using SnapshotMessage =
    std::variant<SnapshotOffer, SnapshotAccept, SnapshotChunk, SnapshotAck, SnapshotDone, SnapshotRefusal>;

inline std::uint64_t transfer_of(const SnapshotMessage& message) {
  return std::visit([](const auto& any) { return any.transfer; }, message);
}

/// Positions in all files laid end to end; what an empty file's beginning and the next one's share.
class SnapshotPlaces {
 public:
  struct Place {
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
  };
  SnapshotPlaces() = default;
  explicit SnapshotPlaces(const SnapshotManifest& manifest);
  std::uint64_t total() const { return starts_.back(); }
  std::uint64_t size_of(std::uint32_t file) const { return starts_[file + 1] - starts_[file]; }
  std::uint64_t start_of(std::uint32_t file) const { return starts_[file]; }
  /// nullopt: there is no such place.
  std::optional<std::uint64_t> position(std::uint32_t file, std::uint64_t offset) const;
  /// Never in an empty file; the end is {number of files, 0}.
  Place place(std::uint64_t position) const;

 private:
  std::vector<std::uint64_t> starts_{0};
};

}  // namespace troupe
