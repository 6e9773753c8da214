#include "storage/log/disk_record.hpp"

#include "storage/base/msgpack.hpp"
#include "storage/log/log_codec.hpp"

namespace troupe {
namespace {

const Bytes disk_key = "disk";

}  // namespace

Result<std::optional<DiskRecord>> read_disk_record(const KvStore& log) {
  const auto bytes = log.get(LogStore::meta_table, disk_key);
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::optional<DiskRecord>();
  const auto body = open_log_record(*bytes.value());
  if (!body.ok()) return Error{ErrorCode::corrupt, "the log's disk record: " + body.error().message};
  auto record = unpacked<DiskRecord>(body.value());
  if (!record.ok()) return record.error();
  return std::optional<DiskRecord>(std::move(record).value());
}

Result<void> write_disk_record(KvStore& log, const DiskRecord& record) {
  KvBatch batch;
  batch.put(LogStore::meta_table, disk_key, seal_log_record(packed(record)));
  return log.write(batch, Durability::synced);
}

Result<std::optional<LogHead>> read_log_head(const KvStore& log) {
  const auto bytes = log.get(LogStore::meta_table, log_head_key());
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::optional<LogHead>();
  auto head = log_head(*bytes.value());
  if (!head.ok()) return head.error();
  return std::optional<LogHead>(std::move(head).value());
}

Result<void> write_first_head(KvStore& log, const raft::HardState& hard) {
  LogHead head;
  head.hard = hard;
  KvBatch batch;
  batch.put(LogStore::meta_table, log_head_key(), log_head_record(head));
  return log.write(batch, Durability::synced);
}

}  // namespace troupe
