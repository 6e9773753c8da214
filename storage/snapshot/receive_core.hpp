#pragma once
// The receiving half of a snapshot's transfer: pure. It decides what is written, verified and answered; the
// receiver (snapshot_receiver.hpp) does it.

#include <map>
#include <optional>
#include <variant>

#include "storage/snapshot/snapshot_message.hpp"

namespace troupe {

// idle ──> receiving ──> complete ──> installed      refusal, newer offer: back to idle or receiving
/// Single-threaded. One snapshot at a time; an offer of another one, of the same or a later leader, replaces
/// it.
class SnapshotReceiveCore {
 public:
  enum class Phase : std::uint8_t { idle, receiving, complete, installed };
  /// How often one file may arrive damaged: then the snapshot is refused.
  static constexpr std::uint32_t damaged_max = 3;

  struct Reply {
    SnapshotMessage message;
  };
  /// Answer with resumed(): how far the files on disk are those of this snapshot, or with failed().
  struct Resume {
    SnapshotManifest manifest;
  };
  struct Write {
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
    Blob data;
  };
  /// Sync the file and read it: answer with verified(), or failed().
  struct Verify {
    std::uint32_t file = 0;
  };
  /// What was received goes.
  struct Drop {};
  using Effect = std::variant<Reply, Resume, Write, Verify, Drop>;
  using Effects = std::vector<Effect>;

  explicit SnapshotReceiveCore(std::string cell) : cell_(std::move(cell)) {}

  /// `applied`: where this node's own state stands; a snapshot that is not ahead of it is not taken, unless
  /// `repairs`: then the own state is worth nothing.
  Effects on(const SnapshotMessage& message, Index applied, bool repairs);
  Effects resumed(std::uint32_t whole_files, std::uint64_t bytes_of_next);
  Effects written();
  Effects verified(const SnapshotFile& found);
  Effects failed(const Error& why);  ///< of any effect
  Effects installed();               ///< the state is this snapshot's, and the log begins behind it

  Phase phase() const { return phase_; }
  const SnapshotManifest& manifest() const { return manifest_; }
  std::uint64_t received_bytes() const { return position_; }

 private:
  Effects on_offer(const SnapshotOffer& offer, Index applied, bool repairs);
  Effects on_chunk(const SnapshotChunk& chunk);
  Effects go_on();
  Effects accept();
  Effects refuse(Error why);
  Effects answer(SnapshotMessage message) { return {Reply{std::move(message)}}; }

  const std::string cell_;
  Phase phase_ = Phase::idle;
  std::uint64_t transfer_ = 0;
  Term leader_term_;
  SnapshotManifest manifest_;
  SnapshotPlaces places_;
  std::uint64_t position_ = 0;   ///< all before is written
  std::uint64_t write_end_ = 0;  ///< position behind the write under way
  std::uint32_t verified_ = 0;   ///< files that are whole
  bool gap_told_ = false;
  std::map<std::uint32_t, std::uint32_t> damaged_;  ///< how often, by file
};

}  // namespace troupe
