#include "storage/snapshot/backup.hpp"

#include "storage/log/log_store.hpp"
#include "storage/snapshot/node_folder.hpp"
#include "storage/state/position.hpp"

namespace troupe {
namespace {

constexpr const char* manifest_name = "MANIFEST";

std::string files_of(const std::string& backup) { return backup + "/files"; }

/// Whoever gives a folder that is in use must not lose it.
Result<void> check_empty(FileDoor& files, const std::string& folder) {
  const auto listed = files.list(folder);
  if (!listed.ok()) return listed.error().code == ErrorCode::not_found ? Result<void>() : listed.error();
  if (!listed.value().empty()) return Error{ErrorCode::io, folder + " is not empty"};
  return {};
}

Result<void> write_log(const SnapshotManifest& manifest, const raft::Membership& membership, KvStore& store) {
  auto log = LogStore::open(store);
  if (!log.ok()) return log.error();
  LogWrite write;
  write.hard = raft::HardState{manifest.term, NodeId{}};
  write.membership = membership;
  write.compact = LogEdge{manifest.index, manifest.term};
  return log.value()->write({&write, 1});
}

/// A start that finds the pointer finds everything: it is written last.
Result<void> fill(NodeFolder& folder, const std::string& backup, SnapshotManifest manifest,
                  const RestoreSeams& seams) {
  FileDoor& files = folder.files();
  if (auto copied = copy_files(files, files_of(backup), folder.incoming_path(), manifest); !copied.ok())
    return copied;
  {
    auto state = seams.open_state(folder.incoming_path());
    if (!state.ok()) return state.error();
    if (auto written = rewrite_membership(*state.value(), manifest.membership); !written.ok()) return written;
    const auto name = read_cell_name(*state.value());
    if (!name.ok()) return name.error();
    if (name.value() != manifest.cell)
      if (auto renamed = rename_cell(*state.value(), manifest.cell); !renamed.ok()) return renamed;
  }
  {
    auto log = seams.open_log(folder.log_path());
    if (!log.ok()) return log.error();
    if (auto written = write_log(manifest, manifest.membership, *log.value()); !written.ok()) return written;
  }
  return folder.adopt_incoming(manifest);
}

}  // namespace

Result<void> write_backup(FileDoor& files, const std::string& snapshot_folder,
                          const SnapshotManifest& manifest, const std::string& backup) {
  if (auto empty = check_empty(files, backup); !empty.ok()) return empty;
  if (auto made = files.make_folder(backup); !made.ok()) return made;
  if (auto copied = copy_files(files, snapshot_folder, files_of(backup), manifest); !copied.ok())
    return copied;
  if (auto synced = files.sync_folder(backup); !synced.ok()) return synced;
  return replace_small_file(files, backup, manifest_name, encode_manifest(manifest));
}

Result<SnapshotManifest> read_backup_manifest(FileDoor& files, const std::string& backup) {
  const auto bytes = read_small_file(files, backup + "/" + manifest_name, SnapshotManifest::bytes_max);
  if (!bytes.ok() && bytes.error().code == ErrorCode::not_found)
    return Error{ErrorCode::not_found, backup + " holds no finished backup"};
  if (!bytes.ok()) return bytes.error();
  return decode_manifest(bytes.value());
}

Result<SnapshotManifest> verify_backup(FileDoor& files, const std::string& backup) {
  auto manifest = read_backup_manifest(files, backup);
  if (!manifest.ok()) return manifest;
  if (auto whole = verify_folder(files, files_of(backup), manifest.value()); !whole.ok())
    return whole.error();
  return manifest;
}

Result<SnapshotManifest> restore_backup(FileDoor& files, const std::string& backup, const std::string& data,
                                        NodeId self, const RestoreSeams& seams, const std::string& cell) {
  auto manifest = verify_backup(files, backup);
  if (!manifest.ok()) return manifest;
  if (auto empty = check_empty(files, data); !empty.ok()) return empty.error();
  auto folder = NodeFolder::open(files, data);
  if (!folder.ok()) return folder.error();
  // Nothing of it may start before all of it stands.
  if (auto noted = folder.value().note_fault(NodeFolder::unfinished_restore); !noted.ok())
    return noted.error();
  manifest.value().membership = {{self}, {}};
  if (!cell.empty()) manifest.value().cell = cell;
  if (auto filled = fill(folder.value(), backup, manifest.value(), seams); !filled.ok())
    return filled.error();
  return manifest;
}

}  // namespace troupe
