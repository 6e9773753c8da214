#include "storage/snapshot/backup_fetch.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr const char* unfinished_name = "UNFINISHED";
constexpr const char* finished_name = "MANIFEST";

/// What an earlier try left goes; anything else is somebody's, and stays.
Result<void> make_room(FileDoor& files, const std::string& backup) {
  const auto listed = files.list(backup);
  if (!listed.ok() && listed.error().code != ErrorCode::not_found) return listed.error();
  const auto holds = [&](std::string_view name) {
    return listed.ok() &&
           std::ranges::any_of(listed.value(), [&](const FileEntry& entry) { return entry.name == name; });
  };
  if (holds(finished_name))
    return Error{ErrorCode::precondition_failed, backup + " holds a backup already; name a new folder"};
  if (listed.ok() && !listed.value().empty() && !holds(unfinished_name) &&
      !holds(std::string(unfinished_name) + ".new"))
    return Error{ErrorCode::precondition_failed, backup + " is not empty; name a new folder"};
  if (auto made = files.make_folder(backup); !made.ok()) return made;
  if (auto marked = replace_small_file(files, backup, unfinished_name, "run the backup again\n");
      !marked.ok())
    return marked;
  return files.remove(backup + "/files");
}

Result<void> fetch_file(FileDoor& files, BackupSource& source, const std::string& folder,
                        const SnapshotFile& file) {
  const std::string target = folder + "/" + file.name;
  std::uint64_t at = 0;
  do {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(backup_piece_bytes, file.size - at));
    const auto piece = source.read(file, at, size);
    if (!piece.ok()) return piece.error();
    if (piece.value().size() != size)
      return Error{ErrorCode::corrupt, file.name + " ended at byte " +
                                           std::to_string(at + piece.value().size()) + " of " +
                                           std::to_string(file.size)};
    if (auto written = files.write(target, at, piece.value()); !written.ok()) return written;
    at += size;
  } while (at < file.size);
  if (auto synced = files.sync(target); !synced.ok()) return synced;
  const auto found = describe_file(files, folder, file.name);
  if (!found.ok()) return found.error();
  if (found.value() != file)
    return Error{ErrorCode::corrupt, file.name + " arrived damaged; run the backup again"};
  return {};
}

Result<void> finish(FileDoor& files, const std::string& backup, BytesView manifest) {
  if (auto synced = files.sync_folder(backup + "/files"); !synced.ok()) return synced;
  if (auto synced = files.sync_folder(backup); !synced.ok()) return synced;
  if (auto written = replace_small_file(files, backup, finished_name, manifest); !written.ok())
    return written;
  // It is whole from here on; the mark only confuses people.
  if (auto removed = files.remove(backup + "/" + unfinished_name); !removed.ok()) return removed;
  return files.sync_folder(backup);
}

}  // namespace

Result<SnapshotManifest> fetch_backup(FileDoor& files, BackupSource& source, const std::string& backup) {
  if (auto made = make_room(files, backup); !made.ok()) return made.error();
  const auto bytes = source.manifest();
  if (!bytes.ok()) return bytes.error();
  auto manifest = decode_manifest(bytes.value());
  if (!manifest.ok()) return manifest;
  const std::string folder = backup + "/files";
  if (auto made = files.make_folder(folder); !made.ok()) return made.error();
  for (const SnapshotFile& file : manifest.value().files)
    if (auto fetched = fetch_file(files, source, folder, file); !fetched.ok()) return fetched.error();
  if (auto finished = finish(files, backup, bytes.value()); !finished.ok()) return finished.error();
  return manifest;
}

}  // namespace troupe
