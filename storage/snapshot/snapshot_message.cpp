#include "storage/snapshot/snapshot_message.hpp"

#include <algorithm>

namespace troupe {

SnapshotPlaces::SnapshotPlaces(const SnapshotManifest& manifest) {
  for (const SnapshotFile& file : manifest.files) starts_.push_back(starts_.back() + file.size);
}

std::optional<std::uint64_t> SnapshotPlaces::position(std::uint32_t file, std::uint64_t offset) const {
  if (file + std::size_t{1} == starts_.size() && offset == 0) return total();
  if (file + std::size_t{1} >= starts_.size() || offset > size_of(file)) return std::nullopt;
  return starts_[file] + offset;
}

SnapshotPlaces::Place SnapshotPlaces::place(std::uint64_t position) const {
  const auto after = std::ranges::upper_bound(starts_, position);
  const auto file = static_cast<std::uint32_t>(after - starts_.begin() - 1);
  return {file, position - starts_[file]};
}

}  // namespace troupe
