#include "storage/snapshot/snapshot_shelf.hpp"

#include <algorithm>

#include "storage/state/position.hpp"

namespace troupe {

HeldSnapshot::~HeldSnapshot() {
  // A folder that cannot be removed now is a leftover, and removed at the next start.
  (void)files_.remove(folder_);
}

Result<Bytes> HeldSnapshot::read(std::uint32_t file, std::uint64_t offset, std::size_t size) const {
  return files_.read(folder_ + "/" + manifest_.files.at(file).name, offset, size);
}

Result<std::unique_ptr<SnapshotShelf>> SnapshotShelf::open(FileDoor& files, std::string folder, Look look) {
  if (auto removed = files.remove(folder); !removed.ok()) return removed.error();
  if (auto made = files.make_folder(folder); !made.ok()) return made.error();
  return std::unique_ptr<SnapshotShelf>(new SnapshotShelf(files, std::move(folder), std::move(look)));
}

SnapshotPtr SnapshotShelf::newest(Index index) const {
  const std::lock_guard lock(mutex_);
  SnapshotPtr best;
  for (const auto& weak : held_)
    if (SnapshotPtr held = weak.lock())
      if (held->manifest().index >= index && (!best || held->manifest().index > best->manifest().index))
        best = std::move(held);
  return best;
}

std::size_t SnapshotShelf::held() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(held_, [](const auto& weak) { return !weak.expired(); }));
}

Result<SnapshotPtr> SnapshotShelf::take(KvStore& state, const raft::Membership& first_membership) {
  std::string folder;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(held_, [](const auto& weak) { return weak.expired(); });
    if (held_.size() + taking_ >= held_max)
      return Error{ErrorCode::overloaded,
                   std::to_string(held_max) + " snapshots are held already; share one or wait"};
    ++taking_;
    folder = folder_ + "/" + std::to_string(++last_number_);
  }
  auto taken = state.checkpoint(folder);
  auto manifest = taken.ok() ? describe_state(files_, folder, look_, first_membership) : taken.error();
  const std::lock_guard lock(mutex_);
  --taking_;
  if (!manifest.ok()) {
    (void)files_.remove(folder);
    return manifest.error();
  }
  auto held = std::make_shared<const HeldSnapshot>(files_, folder, std::move(manifest).value());
  held_.push_back(held);
  return SnapshotPtr(std::move(held));
}

Result<SnapshotManifest> describe_state(FileDoor& files, const std::string& folder,
                                        const SnapshotShelf::Look& look,
                                        const raft::Membership& first_membership) {
  SnapshotManifest manifest;
  {
    const auto store = look(folder);
    if (!store.ok()) return store.error();
    const auto position = read_position(*store.value());
    if (!position.ok()) return position.error();
    const auto membership = read_membership(*store.value());
    if (!membership.ok()) return membership.error();
    auto cell = read_cell_name(*store.value());
    if (!cell.ok()) return cell.error();
    manifest.index = position.value().index;
    manifest.term = position.value().term;
    manifest.state_hash = position.value().hash.value_or(0);
    manifest.membership = membership.value().value_or(first_membership);
    manifest.cell = std::move(cell).value();
  }
  const auto entries = files.list(folder);
  if (!entries.ok()) return entries.error();
  for (const FileEntry& entry : entries.value()) {
    auto file = describe_file(files, folder, entry.name);
    if (!file.ok()) return file.error();
    manifest.files.push_back(std::move(file).value());
  }
  if (manifest.files.size() > SnapshotManifest::files_max)
    return Error{ErrorCode::corrupt, "a snapshot of too many files"};
  return manifest;
}

}  // namespace troupe
