#include "storage/snapshot/node_folder.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr char pointer_version = 1;
constexpr std::size_t pointer_bytes_max = 64 * 1024;
constexpr std::size_t fault_bytes_max = 4'096;
constexpr const char* pointer_name = "CURRENT";
constexpr std::size_t skipped_bytes_max = 1 << 20;
constexpr const char* skipped_name = "SKIPPED";
constexpr const char* fault_name = "FAULT";
constexpr const char* repair_name = "REPAIR";
constexpr const char* promise_name = "PROMISED";
constexpr const char* why_name = "damaged-why";
constexpr std::size_t repair_bytes_max = 1 << 20;
constexpr const char* incoming_manifest_name = "incoming.manifest";

/// Nothing if the file is not there.
Result<std::optional<Bytes>> read_if_there(FileDoor& files, const std::string& file, std::size_t size_max) {
  auto bytes = read_small_file(files, file, size_max);
  if (bytes.ok()) return std::optional<Bytes>(std::move(bytes).value());
  if (bytes.error().code == ErrorCode::not_found) return std::optional<Bytes>();
  return bytes.error();
}

bool is_state_folder(const std::string& name) { return name == "state" || name.starts_with("state-"); }

}  // namespace

Result<NodeFolder> NodeFolder::open(FileDoor& files, std::string root) {
  if (auto made = files.make_folder(root); !made.ok()) return made.error();
  // Nothing in it is durable before it is itself.
  const std::size_t slash = root.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : root.substr(0, slash);
  if (auto synced = files.sync_folder(parent.empty() ? "/" : parent); !synced.ok()) return synced.error();
  return look(files, std::move(root));
}

Result<NodeFolder> NodeFolder::look(FileDoor& files, std::string root) {
  if (const auto listed = files.list(root); !listed.ok()) return listed.error();
  NodeFolder folder(files, std::move(root));
  const std::string pointer = folder.root_ + "/" + pointer_name;
  const auto bytes = read_if_there(files, pointer, pointer_bytes_max);
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return folder;
  const auto body = open_record(pointer_version, *bytes.value(), pointer);
  if (!body.ok()) return body.error();
  auto current = unpacked<CurrentState>(body.value());
  if (!current.ok() || !is_state_folder(current.value().folder) ||
      current.value().folder.find('/') != std::string::npos)
    return Error{ErrorCode::corrupt, pointer + " names no state folder"};
  folder.current_ = std::move(current).value();
  return folder;
}

Result<std::optional<SnapshotManifest>> NodeFolder::incoming() const {
  const auto bytes =
      read_if_there(*files_, root_ + "/" + incoming_manifest_name, SnapshotManifest::bytes_max);
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::optional<SnapshotManifest>();
  auto manifest = decode_manifest(*bytes.value());
  // Damaged: as if nothing had been received.
  if (!manifest.ok()) return std::optional<SnapshotManifest>();
  return std::optional<SnapshotManifest>(std::move(manifest).value());
}

Result<void> NodeFolder::begin_incoming(const SnapshotManifest& manifest) {
  if (auto dropped = drop_incoming(); !dropped.ok()) return dropped;
  if (auto made = files_->make_folder(incoming_path()); !made.ok()) return made;
  return replace_small_file(*files_, root_, incoming_manifest_name, encode_manifest(manifest));
}

Result<void> NodeFolder::drop_incoming() {
  // The manifest first: files without one are never taken for a part of the next snapshot.
  if (auto removed = files_->remove(root_ + "/" + incoming_manifest_name); !removed.ok()) return removed;
  if (auto synced = files_->sync_folder(root_); !synced.ok()) return synced;
  return files_->remove(incoming_path());
}

Result<void> NodeFolder::switch_to_incoming() {
  const auto manifest = incoming();
  if (!manifest.ok()) return manifest.error();
  if (!manifest.value()) return Error{ErrorCode::corrupt, "no snapshot has been received"};
  if (auto synced = files_->sync_folder(incoming_path()); !synced.ok()) return synced;
  return adopt_incoming(*manifest.value());
}

Result<void> NodeFolder::adopt_incoming(const SnapshotManifest& manifest) {
  CurrentState next;
  next.number = current_.number + 1;
  next.folder = "state-" + std::to_string(next.number);
  next.index = manifest.index;
  next.term = manifest.term;
  next.membership = manifest.membership;
  const std::string target = root_ + "/" + next.folder;
  // A crash behind the rename, before the pointer moved, left one there.
  if (auto removed = files_->remove(target); !removed.ok()) return removed;
  if (auto renamed = files_->rename(incoming_path(), target); !renamed.ok()) return renamed;
  // The pointer must not be durable before the name that it points to.
  if (auto synced = files_->sync_folder(root_); !synced.ok()) return synced;
  if (auto pointed = point_to(std::move(next)); !pointed.ok()) return pointed;
  if (auto removed = files_->remove(root_ + "/" + incoming_manifest_name); !removed.ok()) return removed;
  if (auto removed = files_->remove(root_ + "/" + fault_name); !removed.ok()) return removed;
  return files_->sync_folder(root_);
}

Result<void> NodeFolder::point_to(CurrentState next) {
  const Bytes pointer = seal_record(pointer_version, packed(next));
  if (auto moved = replace_small_file(*files_, root_, pointer_name, pointer); !moved.ok()) return moved;
  current_ = std::move(next);
  return {};
}

Result<void> NodeFolder::remove_leftovers() {
  const auto entries = files_->list(root_);
  if (!entries.ok()) return entries.error();
  for (const FileEntry& entry : entries.value()) {
    const bool is_old_state = is_state_folder(entry.name) && entry.name != current_.folder;
    if (!is_old_state && !entry.name.ends_with(".new")) continue;
    if (auto removed = files_->remove(root_ + "/" + entry.name); !removed.ok()) return removed;
  }
  if (auto removed = files_->remove(checkpoints_path()); !removed.ok()) return removed;
  return files_->sync_folder(root_);
}

Result<std::vector<SkippedEntry>> NodeFolder::skipped() const {
  const std::string file = root_ + "/" + skipped_name;
  const auto bytes = read_if_there(*files_, file, skipped_bytes_max);
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::vector<SkippedEntry>();
  const auto body = open_record(pointer_version, *bytes.value(), file);
  if (!body.ok()) return body.error();
  return unpacked<std::vector<SkippedEntry>>(body.value());
}

Result<void> NodeFolder::add_skipped(const SkippedEntry& entry) {
  auto all = skipped();
  if (!all.ok()) return all.error();
  std::erase_if(all.value(), [&](const SkippedEntry& one) { return one.index == entry.index; });
  all.value().push_back(entry);
  const Bytes record = seal_record(pointer_version, packed(all.value()));
  if (record.size() > skipped_bytes_max)
    return Error{ErrorCode::limit_exceeded, "too many skipped entries: repair this cell from a backup"};
  return replace_small_file(*files_, root_, skipped_name, record);
}

Result<void> NodeFolder::note_fault(const std::string& why) {
  return replace_small_file(*files_, root_, fault_name, why.substr(0, fault_bytes_max));
}

Result<void> NodeFolder::note_promise(const Bytes& record) {
  return replace_small_file(*files_, root_, promise_name, record);
}

Result<std::optional<Bytes>> NodeFolder::promise() const {
  return read_if_there(*files_, root_ + "/" + promise_name, repair_bytes_max);
}

Result<void> NodeFolder::note_repair(const Bytes& record) {
  return replace_small_file(*files_, root_, repair_name, record);
}

Result<std::optional<Bytes>> NodeFolder::repair() const {
  return read_if_there(*files_, root_ + "/" + repair_name, repair_bytes_max);
}

Result<void> NodeFolder::move_aside(const std::string& name, const std::string& to, Aside aside) {
  const auto entries = files_->list(root_);
  if (!entries.ok()) return entries.error();
  const auto has = [&](const std::string& wanted) {
    return std::ranges::any_of(entries.value(), [&](const FileEntry& entry) { return entry.name == wanted; });
  };
  if (!has(name)) return {};  // A crash came behind it.
  if (aside == Aside::yields && has(to)) return files_->remove(root_ + "/" + name);
  if (auto removed = files_->remove(root_ + "/" + to); !removed.ok()) return removed;
  return files_->rename(root_ + "/" + name, root_ + "/" + to);
}

Result<void> NodeFolder::set_aside(const std::string& why, Aside aside) {
  if (auto dropped = drop_incoming(); !dropped.ok()) return dropped;
  if (auto moved = move_aside("log", "damaged-log", aside); !moved.ok()) return moved;
  if (auto moved = move_aside(current_.folder, "damaged-state", aside); !moved.ok()) return moved;
  if (aside == Aside::replaces) {
    auto noted = replace_small_file(*files_, root_, why_name, why.substr(0, fault_bytes_max));
    if (!noted.ok()) return noted;
  }
  CurrentState next;
  next.number = current_.number + 1;
  next.folder = "state-" + std::to_string(next.number);
  return point_to(std::move(next));
}

Result<void> NodeFolder::end_repair() {
  if (auto removed = files_->remove(root_ + "/" + fault_name); !removed.ok()) return removed;
  if (auto synced = files_->sync_folder(root_); !synced.ok()) return synced;
  if (auto removed = files_->remove(root_ + "/" + repair_name); !removed.ok()) return removed;
  return files_->sync_folder(root_);
}

Result<std::optional<std::string>> NodeFolder::fault() const {
  return read_if_there(*files_, root_ + "/" + fault_name, fault_bytes_max);
}

}  // namespace troupe
