#include "storage/state/position.hpp"

#include "storage/state/keys.hpp"
#include "storage/state/state_hash.hpp"

namespace troupe {
namespace {

template <class Record>
Result<std::optional<Record>> read_record(const KvStore& store, Table table, const Bytes& key) {
  auto bytes = store.get(table, key);
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::optional<Record>();
  auto record = unpacked<Record>(*bytes.value());
  if (!record.ok()) return record.error();
  return std::optional<Record>(std::move(record).value());
}

/// One record of the meta table becomes another, and so does the sum over all.
Result<void> rewrite(KvStore& store, const Bytes& key, const std::optional<Bytes>& before,
                     const Bytes& record) {
  auto position = read_position(store);
  if (!position.ok()) return position.error();
  if (position.value().hash) {
    if (before) *position.value().hash -= record_hash(key, *before);
    *position.value().hash += record_hash(key, record);
  }
  KvBatch batch;
  batch.put(keys::meta, key, record);
  for (const Table table : {keys::meta, keys::current, keys::archived, keys::index})
    batch.put(table, keys::applied(), packed(position.value()));
  return store.write(batch, Durability::synced);
}

}  // namespace

Result<StatePosition> read_position(const KvStore& store, Table table) {
  auto position = read_record<StatePosition>(store, table, keys::applied());
  if (!position.ok()) return position.error();
  return position.value().value_or(StatePosition{});
}

Result<StatePosition> read_position(const KvStore& store) {
  auto first = read_position(store, keys::meta);
  for (const Table table : {keys::current, keys::archived, keys::index}) {
    if (!first.ok()) return first;
    const auto other = read_position(store, table);
    if (!other.ok()) return other;
    if (other.value() != first.value())
      return Error{ErrorCode::corrupt,
                   "the state database's tables stand at different log indexes: repair from a peer"};
  }
  return first;
}

Result<std::optional<raft::Membership>> read_membership(const KvStore& store) {
  return read_record<raft::Membership>(store, keys::meta, keys::membership());
}

Result<void> rewrite_membership(KvStore& store, const raft::Membership& membership) {
  const auto before = store.get(keys::meta, keys::membership());
  if (!before.ok()) return before.error();
  return rewrite(store, keys::membership(), before.value(), packed(membership));
}

Result<void> rename_cell(KvStore& store, const std::string& name) {
  const auto before = store.get(keys::meta, keys::cell());
  if (!before.ok()) return before.error();
  if (!before.value())
    return Error{ErrorCode::precondition_failed, "the state is of a cell that has no name yet"};
  auto cell = unpacked<CellRecord>(*before.value());
  if (!cell.ok()) return cell.error();
  cell.value().name = name;
  return rewrite(store, keys::cell(), before.value(), packed(cell.value()));
}

Result<std::string> read_cell_name(const KvStore& store) {
  auto cell = read_record<CellRecord>(store, keys::meta, keys::cell());
  if (!cell.ok()) return cell.error();
  return cell.value() ? cell.value()->name : std::string();
}

}  // namespace troupe
