#pragma once
// Receives a snapshot into a node's folder: the pure core's effects, done on the file door.

#include "storage/snapshot/node_folder.hpp"
#include "storage/snapshot/receive_core.hpp"

namespace troupe {

/// Blocks on files: run it on a thread of its own. Holds no more than the message in hand and one piece of a
/// file. Single-threaded, as its folder.
///
/// The road: on() until complete(); then the owner closes the state, calls install(), opens the state at
/// folder.state_path(), cuts the log to the edge (index, term) with the membership, and sends what
/// installed() says. After a crash anywhere on it the next start finds the old state, or the new one.
class SnapshotReceiver {
 public:
  SnapshotReceiver(NodeFolder& folder, std::string cell) : folder_(folder), core_(std::move(cell)) {}

  using Replies = std::vector<SnapshotMessage>;
  /// `applied`: of the own state. A disk that fails or is full: the sender is refused, with the reason, and
  /// nothing of the snapshot stays; the next offer begins anew.
  Replies on(const SnapshotMessage& message, Index applied);
  /// Everything is there, verified and synced.
  const SnapshotManifest* complete() const {
    return core_.phase() == SnapshotReceiveCore::Phase::complete ? &core_.manifest() : nullptr;
  }
  /// Errors: io; the old state then still counts.
  Result<void> install() { return folder_.switch_to_incoming(); }
  Replies installed() { return perform(core_.installed()); }
  std::uint64_t received_bytes() const { return core_.received_bytes(); }

 private:
  using Core = SnapshotReceiveCore;
  Replies perform(Core::Effects effects);
  Core::Effects perform(const Core::Resume& resume);
  Core::Effects perform(const Core::Write& write);
  Core::Effects perform(const Core::Verify& verify);
  Result<void> begin(const SnapshotManifest& manifest);
  std::string path_of(std::uint32_t file) const;

  NodeFolder& folder_;
  Core core_;
};

}  // namespace troupe
