#pragma once
// What a snapshot consists of. Written once when a checkpoint is taken; every copy is held against it.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/msgpack.hpp"
#include "storage/kv/file_door.hpp"
#include "storage/raft/types.hpp"

namespace troupe {

/// XXH3-128: finds damage, not malice.
struct FileChecksum {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  static constexpr auto fields() {
    return field_list(field("low", &FileChecksum::low), field("high", &FileChecksum::high));
  }
  friend bool operator==(const FileChecksum&, const FileChecksum&) = default;
};

struct SnapshotFile {
  std::string name;
  std::uint64_t size = 0;
  FileChecksum checksum;
  static constexpr auto fields() {
    return field_list(field("name", &SnapshotFile::name), field("size", &SnapshotFile::size),
                      field("checksum", &SnapshotFile::checksum));
  }
  friend bool operator==(const SnapshotFile&, const SnapshotFile&) = default;
};

struct SnapshotManifest {
  static constexpr std::size_t files_max = 16'384;   ///< more: corrupt
  static constexpr std::size_t bytes_max = 4 << 20;  ///< of an encoded one

  std::string cell;
  Index index;                      ///< applied; the log goes on behind it
  Term term;                        ///< of that entry
  raft::Membership membership;      ///< as of index
  std::uint64_t state_hash = 0;     ///< as in StatePosition; 0: unknown
  std::vector<SnapshotFile> files;  ///< by name, ascending
  std::uint64_t bytes() const;      ///< of all files
  static constexpr auto fields() {
    using M = SnapshotManifest;
    return field_list(field("cell", &M::cell), field("index", &M::index), field("term", &M::term),
                      field("membership", &M::membership), field("state_hash", &M::state_hash),
                      field("files", &M::files));
  }
  friend bool operator==(const SnapshotManifest&, const SnapshotManifest&) = default;
};

/// format version (1) ∥ XXH3-64 of the rest (8) ∥ msgpack
Bytes encode_manifest(const SnapshotManifest& manifest);
/// From untrusted bytes: names are plain file names, ascending. Errors: corrupt; unavailable for a format
/// version that this build does not know.
Result<SnapshotManifest> decode_manifest(BytesView bytes);

/// A record with a version and a checksum, as the manifest and its neighbours on disk are.
Bytes seal_record(char version, const Bytes& body);
Result<BytesView> open_record(char version, BytesView record,
                              const std::string& what);  ///< corrupt, unavailable

/// Reads the file in pieces. Errors: io, not_found.
Result<SnapshotFile> describe_file(FileDoor& files, const std::string& folder, const std::string& name);
/// Is the folder, file by file, what the manifest says, and nothing else? Errors: corrupt, naming the file;
/// io.
Result<void> verify_folder(FileDoor& files, const std::string& folder, const SnapshotManifest& manifest);
/// Copies a snapshot's files into a new folder, and syncs them; the copy is verified. Errors: io (the folder
/// exists, disk full), corrupt.
Result<void> copy_files(FileDoor& files, const std::string& from, const std::string& to,
                        const SnapshotManifest& manifest);

}  // namespace troupe
