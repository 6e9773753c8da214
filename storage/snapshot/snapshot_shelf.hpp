#pragma once
// Own checkpoints, for as long as somebody receives them.

#include <functional>
#include <memory>
#include <mutex>

#include "storage/kv/kv_store.hpp"
#include "storage/snapshot/manifest.hpp"

namespace troupe {

/// A checkpoint that stands on disk as long as somebody holds it. Immutable; thread-safe.
class HeldSnapshot {
 public:
  HeldSnapshot(FileDoor& files, std::string folder, SnapshotManifest manifest)
      : files_(files), folder_(std::move(folder)), manifest_(std::move(manifest)) {}
  ~HeldSnapshot();  ///< removes the folder
  HeldSnapshot(const HeldSnapshot&) = delete;
  HeldSnapshot& operator=(const HeldSnapshot&) = delete;

  const SnapshotManifest& manifest() const { return manifest_; }
  const std::string& folder() const { return folder_; }
  /// A range of a file, by its place in the manifest. Errors: io.
  Result<Bytes> read(std::uint32_t file, std::uint64_t offset, std::size_t size) const;

 private:
  FileDoor& files_;
  const std::string folder_;
  const SnapshotManifest manifest_;
};
using SnapshotPtr = std::shared_ptr<const HeldSnapshot>;

/// Thread-safe. The shelf, and the file door, outlive what they hand out.
class SnapshotShelf {
 public:
  /// Opens a checkpoint's folder for looking at: open_rocks_read_only(), SimDisk::open_copy().
  using Look = std::function<Result<std::unique_ptr<KvStore>>(const std::string& folder)>;

  /// Each pins the files that compaction would have removed: as much as the state again, at worst.
  static constexpr std::size_t held_max = 2;

  /// `folder` is the shelf's own; what an earlier life left there is removed. Errors: io.
  static Result<std::unique_ptr<SnapshotShelf>> open(FileDoor& files, std::string folder, Look look);

  /// The newest one that somebody still holds and that reaches at least `index`: receivers share it. Null:
  /// take one.
  SnapshotPtr newest(Index index) const;
  /// A checkpoint of the state as it is, at the index that it turns out to have. Blocks: a flush (0.2 s for 2
  /// GB), then every file is read once for its checksum; apply may go on meanwhile. `first_membership` is the
  /// one of a cell that never changed it. Errors: overloaded (held_max are held; share or wait), io, corrupt.
  Result<SnapshotPtr> take(KvStore& state, const raft::Membership& first_membership);
  std::size_t held() const;

 private:
  SnapshotShelf(FileDoor& files, std::string folder, Look look)
      : files_(files), folder_(std::move(folder)), look_(std::move(look)) {}

  FileDoor& files_;
  const std::string folder_;
  const Look look_;
  mutable std::mutex mutex_;  ///< guards all below
  std::vector<std::weak_ptr<const HeldSnapshot>> held_;
  std::size_t taking_ = 0;
  std::uint64_t last_number_ = 0;
};

/// The manifest of a folder of state files, read and checked: where it stands, what it hashes to, what each
/// file is. Errors: io, corrupt.
Result<SnapshotManifest> describe_state(FileDoor& files, const std::string& folder,
                                        const SnapshotShelf::Look& look,
                                        const raft::Membership& first_membership);

}  // namespace troupe
