#pragma once
// A backup fetched piece by piece from wherever the snapshot is.
//
//   BACKUP/UNFINISHED   from the first step to the last: such a folder may be begun anew
//   BACKUP/files/…
//   BACKUP/MANIFEST     last, as of every backup

#include "storage/snapshot/backup.hpp"

namespace troupe {

/// The snapshot elsewhere. Blocks.
class BackupSource {
 public:
  virtual ~BackupSource() = default;
  virtual Result<Bytes> manifest() = 0;  ///< encoded
  /// Up to `size` bytes; fewer only at the file's end.
  virtual Result<Bytes> read(const SnapshotFile& file, std::uint64_t offset, std::size_t size) = 0;
};

/// In memory at a time.
constexpr std::size_t backup_piece_bytes = std::size_t{1} << 20;

/// Fills the folder `backup`, which must be empty, missing or left unfinished by an earlier try; every file
/// is read back and compared, and synced before the manifest is written. Errors: precondition_failed (the
/// folder holds something else), corrupt (naming the file), io, and the source's. After any of them the
/// folder is unfinished.
Result<SnapshotManifest> fetch_backup(FileDoor& files, BackupSource& source, const std::string& backup);

}  // namespace troupe
