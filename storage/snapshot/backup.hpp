#pragma once
// A snapshot put away, and a new cell made from it.
//
//   BACKUP/files/…   the snapshot's files
//   BACKUP/MANIFEST  written last: a backup without one is unfinished

#include <functional>
#include <memory>

#include "storage/kv/kv_store.hpp"
#include "storage/snapshot/manifest.hpp"

namespace troupe {

/// Copies a snapshot's folder (a held one, HeldSnapshot) to the new folder `backup`, synced and verified.
/// Blocks. Errors: io (the folder holds something, disk full), corrupt (the snapshot is damaged).
Result<void> write_backup(FileDoor& files, const std::string& snapshot_folder,
                          const SnapshotManifest& manifest, const std::string& backup);

/// Errors: not_found (no backup, or an unfinished one), corrupt (naming the file), io.
Result<SnapshotManifest> verify_backup(FileDoor& files, const std::string& backup);
Result<SnapshotManifest> read_backup_manifest(FileDoor& files, const std::string& backup);

struct RestoreSeams {
  std::function<Result<std::unique_ptr<KvStore>>(const std::string& path)>
      open_state;                                                                     ///< keys::table_names()
  std::function<Result<std::unique_ptr<KvStore>>(const std::string& path)> open_log;  ///< LogStore::tables()
};

/// Makes the new node folder `data`: the backup's state, an empty log behind it, and `self` as the only
/// voter. Other nodes join it as learners. Nothing of an unfinished restore starts as a node. `cell`: the new
/// cell's name; empty: the backup's. Errors: io (the folder holds something), not_found, corrupt.
Result<SnapshotManifest> restore_backup(FileDoor& files, const std::string& backup, const std::string& data,
                                        NodeId self, const RestoreSeams& seams, const std::string& cell = {});

}  // namespace troupe
