#pragma once
// The sending half of a snapshot's transfer: pure. It asks for ranges of files and says what to send; nobody
// ever holds more than a window of bytes.

#include <optional>
#include <variant>

#include "storage/snapshot/snapshot_message.hpp"

namespace troupe {

/// A tick is 10 ms, as in the Raft core.
struct SendLimits {
  std::size_t chunk_bytes = 256 << 10;
  std::size_t window_bytes = 4 << 20;  ///< read or sent, and not acknowledged; then reading waits
  std::size_t bytes_per_tick = 0;      ///< read on the average, so that others have the disk too; 0: no bound
  std::uint32_t offer_ticks = 100;     ///< without an answer: the offer is repeated
  std::uint32_t give_up_ticks = 6'000;  ///< without a word from the receiver: given up
  std::uint32_t stuck_ticks = 30'000;   ///< without progress, whatever it says: given up
  std::uint32_t rewinds_max = 64;       ///< times that the receiver may ask again for what it had: given up
};

// offering ──> sending ──> installing ──> ended
//     ^─────────┘ │            │            ^     link down, silence: back to offering
//                 └────────────┴────────────┘
/// One snapshot to one receiver. Single-threaded. After `Ended` nothing comes out any more.
class SnapshotSendCore {
 public:
  enum class Phase : std::uint8_t { offering, sending, installing, ended };

  struct Send {
    SnapshotMessage message;
  };
  /// Answer with on_read(), in the order of asking, at any later time.
  struct ReadRange {
    std::uint64_t attempt = 0;
    std::uint32_t file = 0;
    std::uint64_t offset = 0;
    std::size_t size = 0;
  };
  /// No failure: the receiver has installed it. Let go of the checkpoint in any case.
  struct Ended {
    std::optional<Error> failure;
  };
  using Effect = std::variant<Send, ReadRange, Ended>;
  using Effects = std::vector<Effect>;

  /// `transfer` must differ from those of earlier efforts.
  SnapshotSendCore(SnapshotManifest manifest, std::uint64_t transfer, Term leader_term,
                   SendLimits limits = {});

  Effects start();
  Effects on(const SnapshotMessage& message);  ///< of another transfer: ignored
  Effects on_read(const ReadRange& asked, Result<Bytes> bytes);
  Effects link_down();  ///< what was under way is lost
  Effects link_up();
  Effects tick();

  Phase phase() const { return phase_; }
  const SnapshotManifest& manifest() const { return manifest_; }
  std::uint64_t acknowledged_bytes() const { return acked_; }
  std::uint64_t outstanding_bytes() const { return next_ - acked_; }

 private:
  Effects offer();
  Effects end(std::optional<Error> failure);
  Effects go_on();
  Effects accept(const SnapshotAccept& accept);
  Effects ack(const SnapshotAck& ack);
  void rewind(std::uint64_t position);
  void earn();

  SnapshotManifest manifest_;
  Blob encoded_;
  SnapshotPlaces places_;
  std::uint64_t transfer_;
  Term leader_term_;
  SendLimits limits_;
  Phase phase_ = Phase::offering;
  bool is_up_ = true;
  std::uint64_t attempt_ = 0;
  std::uint64_t acked_ = 0;  ///< positions in all files laid end to end
  std::uint64_t next_ = 0;
  std::uint64_t allowance_ =
      0;                       ///< bytes that may be read until the next tick, see SendLimits::bytes_per_tick
  std::uint64_t reached_ = 0;  ///< the furthest acknowledged ever
  std::uint32_t rewinds_ = 0;
  std::uint32_t silent_ticks_ = 0;
  std::uint32_t stuck_ticks_ = 0;
};

}  // namespace troupe
