#pragma once
// The one snapshot of this node that an operator fetches. No CAF.

#include <optional>
#include <string>

#include "storage/base/time.hpp"
#include "storage/snapshot/snapshot_shelf.hpp"

namespace troupe {

struct BackupOrder {
  enum class Kind : std::uint8_t { take, manifest, read, drop };
  Kind kind = Kind::take;
  std::string id;  ///< of take: the request's own, so that repeating it is harmless; then names the snapshot
  std::string who{};  ///< take: for the log
  std::string file{};
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

/// Blocks on files; single-threaded. Survives nothing: a node that restarts has no snapshot for anybody, and
/// who was fetching begins again.
class BackupDesk {
 public:
  static constexpr milliseconds idle_max{60'000};                      ///< unread for so long: dropped
  static constexpr std::size_t read_bytes_max = std::size_t{1} << 20;  ///< of one answer; beyond: refused

  /// `shelf` null: this node makes no snapshots.
  BackupDesk(NodeId self, SnapshotShelf* shelf, KvStore* state, raft::Membership first_membership)
      : self_(self), shelf_(shelf), state_(state), first_membership_(std::move(first_membership)) {}

  /// take: what it is, as JSON; manifest: encode_manifest(); read: the bytes; drop: {}.
  /// Errors: overloaded (another one is being fetched), not_found (dropped since, or no such file),
  /// invalid_argument, unavailable, io.
  Result<Bytes> answer(const BackupOrder& order, Moment now);
  void expire(Moment now);
  bool holds() const { return snapshot_ != nullptr; }

 private:
  Result<Bytes> take(const BackupOrder& order);
  Result<Bytes> read(const BackupOrder& order) const;
  Bytes told() const;

  const NodeId self_;
  SnapshotShelf* const shelf_;
  KvStore* const state_;
  const raft::Membership first_membership_;
  std::string id_;
  SnapshotPtr snapshot_;
  Moment used_;
};

}  // namespace troupe
