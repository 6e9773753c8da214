#include "storage/snapshot/manifest.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <memory>

namespace troupe {
namespace {

constexpr char manifest_version = 1;
constexpr std::size_t seal_bytes = 9;
constexpr std::size_t piece_bytes = 256 * 1024;  ///< read at a time; no file is ever in memory whole
constexpr std::size_t name_bytes_max = 255;

std::uint64_t sum_of(BytesView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

/// A name out of another process must not lead out of the folder.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.size() <= name_bytes_max && name != "." && name != ".." &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

Error damaged(const std::string& what) { return Error{ErrorCode::corrupt, what}; }

Result<void> check(const SnapshotManifest& manifest) {
  if (manifest.files.empty() || manifest.files.size() > SnapshotManifest::files_max)
    return damaged("snapshot manifest: " + std::to_string(manifest.files.size()) + " files");
  std::uint64_t sum = 0;
  const SnapshotFile* before = nullptr;
  for (const SnapshotFile& file : manifest.files) {
    if (!is_plain_name(file.name) || (before != nullptr && file.name <= before->name))
      return damaged("snapshot manifest: file names are not plain and ascending");
    if (__builtin_add_overflow(sum, file.size, &sum)) return damaged("snapshot manifest: impossible sizes");
    before = &file;
  }
  return {};
}

class Checksum {
 public:
  Checksum() : state_(XXH3_createState()) { XXH3_128bits_reset(state_.get()); }
  void add(BytesView bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
  FileChecksum sum() const {
    const XXH128_hash_t hash = XXH3_128bits_digest(state_.get());
    return {hash.low64, hash.high64};
  }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

}  // namespace

std::uint64_t SnapshotManifest::bytes() const {
  std::uint64_t sum = 0;
  for (const SnapshotFile& file : files) sum += file.size;
  return sum;
}

Bytes seal_record(char version, const Bytes& body) {
  Bytes out(1, version);
  const std::uint64_t sum = sum_of(body);
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(sum >> shift));
  return out + body;
}

Result<BytesView> open_record(char version, BytesView record, const std::string& what) {
  if (record.size() < seal_bytes)
    return damaged(what + ": torn, " + std::to_string(record.size()) + " bytes");
  if (record[0] > version)
    return Error{ErrorCode::unavailable, what + ": format version " + std::to_string(record[0]) +
                                             " is newer than this build; upgrade this node"};
  if (record[0] != version) return damaged(what + ": unknown format version");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 8; ++i)
    sum |= std::uint64_t{static_cast<std::uint8_t>(record[1 + i])} << (8 * i);
  record.remove_prefix(seal_bytes);
  if (sum_of(record) != sum) return damaged(what + ": bad checksum");
  return record;
}

Bytes encode_manifest(const SnapshotManifest& manifest) {
  return seal_record(manifest_version, packed(manifest));
}

Result<SnapshotManifest> decode_manifest(BytesView bytes) {
  if (bytes.size() > SnapshotManifest::bytes_max) return damaged("snapshot manifest: too long");
  const auto body = open_record(manifest_version, bytes, "snapshot manifest");
  if (!body.ok()) return body.error();
  auto manifest = unpacked<SnapshotManifest>(body.value());
  if (!manifest.ok()) return manifest;
  if (auto checked = check(manifest.value()); !checked.ok()) return checked.error();
  return manifest;
}

Result<SnapshotFile> describe_file(FileDoor& files, const std::string& folder, const std::string& name) {
  SnapshotFile file{name, 0, {}};
  Checksum checksum;
  for (;;) {
    const auto piece = files.read(folder + "/" + name, file.size, piece_bytes);
    if (!piece.ok()) return piece.error();
    checksum.add(piece.value());
    file.size += piece.value().size();
    if (piece.value().size() < piece_bytes) break;
  }
  file.checksum = checksum.sum();
  return file;
}

Result<void> verify_folder(FileDoor& files, const std::string& folder, const SnapshotManifest& manifest) {
  const auto listed = files.list(folder);
  if (!listed.ok()) return listed.error();
  if (listed.value().size() != manifest.files.size())
    return damaged(folder + " has " + std::to_string(listed.value().size()) + " files, its manifest " +
                   std::to_string(manifest.files.size()));
  for (const SnapshotFile& file : manifest.files) {
    const auto found = describe_file(files, folder, file.name);
    if (!found.ok()) return found.error();
    if (found.value() != file)
      return damaged(folder + "/" + file.name + " is not what the manifest says (" +
                     std::to_string(found.value().size) + " bytes of " + std::to_string(file.size) + ")");
  }
  return {};
}

Result<void> copy_files(FileDoor& files, const std::string& from, const std::string& to,
                        const SnapshotManifest& manifest) {
  if (files.list(to).ok()) return Error{ErrorCode::io, to + " exists already"};
  if (auto made = files.make_folder(to); !made.ok()) return made;
  for (const SnapshotFile& file : manifest.files) {
    const std::string source = from + "/" + file.name, target = to + "/" + file.name;
    for (std::uint64_t at = 0; at == 0 || at < file.size;) {
      const auto piece = files.read(source, at, piece_bytes);
      if (!piece.ok()) return piece.error();
      if (auto written = files.write(target, at, piece.value()); !written.ok()) return written;
      at += piece.value().size();
      if (piece.value().empty()) break;
    }
    if (auto synced = files.sync(target); !synced.ok()) return synced;
  }
  if (auto synced = files.sync_folder(to); !synced.ok()) return synced;
  return verify_folder(files, to, manifest);
}

}  // namespace troupe
