#pragma once
// The other half of the disk seam: plain files, for what is copied as it lies (checkpoints, backups) and for
// the few records that stand beside the databases. The system's own and simulated ones behave alike; one
// conformance suite holds both.

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/bytes.hpp"
#include "storage/base/result.hpp"

namespace troupe {

struct FileEntry {
  std::string name;
  std::uint64_t size = 0;  ///< of a file
  bool is_folder = false;
};

/// Thread-safe. Errors of all: io (the message says what the system said: a full disk, a broken one),
/// not_found. What survives a crash: of a file what was synced, and of what was written after that any
/// beginning; a new, renamed or removed name only once its folder was synced.
class FileDoor {
 public:
  virtual ~FileDoor() = default;
  virtual Result<std::vector<FileEntry>> list(const std::string& folder) = 0;  ///< by name, ascending
  virtual Result<std::uint64_t> size_of(const std::string& file) = 0;
  /// Up to `size` bytes; fewer only at the file's end.
  virtual Result<Bytes> read(const std::string& file, std::uint64_t offset, std::size_t size) = 0;
  /// Makes the file if there is none. It ends behind these bytes: what was there from `offset` on goes.
  /// `offset` beyond the end is a bug of the caller: invalid_argument.
  virtual Result<void> write(const std::string& file, std::uint64_t offset, BytesView bytes) = 0;
  virtual Result<void> sync(const std::string& file) = 0;
  virtual Result<void> sync_folder(const std::string& folder) = 0;
  virtual Result<void> make_folder(const std::string& folder) = 0;  ///< with its parents; may exist already
  /// At once and whole, within one folder; a file that stands at `to` goes.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;  ///< with all below it; may be gone already
};

/// The machine's own.
FileDoor& system_files();

/// The whole of a small file. Error: corrupt beyond `size_max`.
Result<Bytes> read_small_file(FileDoor& files, const std::string& file, std::size_t size_max);
/// Replaces a small file so that a crash leaves the old or the new one: written beside, synced, renamed,
/// folder synced. `folder` is where `name` stands.
Result<void> replace_small_file(FileDoor& files, const std::string& folder, const std::string& name,
                                BytesView bytes);

}  // namespace troupe
