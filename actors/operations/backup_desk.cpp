#include "actors/operations/backup_desk.hpp"

#include <algorithm>

#include "net/json/writer.hpp"

namespace troupe {

Result<Bytes> BackupDesk::answer(const BackupOrder& order, Moment now) {
  expire(now);
  if (order.kind == BackupOrder::Kind::take) {
    auto taken = take(order);
    if (taken.ok()) used_ = now;
    return taken;
  }
  if (!snapshot_ || order.id != id_) {
    if (order.kind == BackupOrder::Kind::drop) return Bytes("{}");
    return Error{ErrorCode::not_found, "this node holds no such snapshot any more; take a new one"};
  }
  used_ = now;
  switch (order.kind) {
    case BackupOrder::Kind::take:
      break;
    case BackupOrder::Kind::manifest:
      return encode_manifest(snapshot_->manifest());
    case BackupOrder::Kind::read:
      return read(order);
    case BackupOrder::Kind::drop:
      snapshot_.reset();
      return Bytes("{}");
  }
  return Error{ErrorCode::internal, "no such order"};
}

void BackupDesk::expire(Moment now) {
  if (snapshot_ && now - used_ >= idle_max) snapshot_.reset();
}

Result<Bytes> BackupDesk::take(const BackupOrder& order) {
  if (shelf_ == nullptr) return Error{ErrorCode::unavailable, "this node makes no snapshots"};
  if (snapshot_ && order.id != id_)
    return Error{ErrorCode::overloaded,
                 "another backup is being taken from this node; it ends, or is dropped after " +
                     std::to_string(idle_max.count() / 1'000) + " s without a read"};
  if (!snapshot_) {
    auto taken = shelf_->take(*state_, first_membership_);
    if (!taken.ok()) return taken.error();
    snapshot_ = std::move(taken).value();
    id_ = order.id;
  }
  return told();
}

Bytes BackupDesk::told() const {
  const SnapshotManifest& manifest = snapshot_->manifest();
  json::Writer writer;
  const auto text = [&](std::string_view key, std::string_view value) {
    writer.key(key);
    writer.text(value);
  };
  writer.begin_object();
  text("snapshot", id_);
  writer.key("node");
  writer.uint(self_.value);
  text("cell", manifest.cell);
  text("index", to_text(manifest.index));
  text("term", to_text(manifest.term));
  text("bytes", std::to_string(manifest.bytes()));
  writer.key("files");
  writer.uint(manifest.files.size());
  writer.end_object();
  return writer.take();
}

Result<Bytes> BackupDesk::read(const BackupOrder& order) const {
  const auto& files = snapshot_->manifest().files;
  const auto found = std::ranges::find(files, order.file, &SnapshotFile::name);
  if (found == files.end()) return Error{ErrorCode::not_found, "the snapshot has no such file"};
  if (order.size == 0 || order.size > read_bytes_max)
    return Error{ErrorCode::invalid_argument,
                 "limit must be 1 to " + std::to_string(read_bytes_max) + " bytes"};
  return snapshot_->read(static_cast<std::uint32_t>(found - files.begin()), order.offset, order.size);
}

}  // namespace troupe
