#include "storage/kv/rocks_store.hpp"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <limits>
#include <mutex>

#include "storage/kv/rocks_options.hpp"
#include "storage/kv/rocks_wal_check.hpp"

namespace troupe {
namespace {

using rocksdb::ColumnFamilyHandle;
using rocksdb::Slice;
using rocksdb::Status;

Slice slice(BytesView bytes) { return Slice(bytes.data(), bytes.size()); }

Error error_of(const Status& status, const std::string& doing) {
  const ErrorCode code = status.IsCorruption() ? ErrorCode::corrupt : ErrorCode::io;
  return Error{code, doing + ": " + status.ToString()};
}

/// The first failure of a store, kept for ever. Thread-safe: RocksDB's background threads report here too.
class Failure {
 public:
  void set(const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    message_ = message;
    failed_ = true;
  }
  Result<void> check() const {
    if (!failed_) return {};
    const std::lock_guard lock(mutex_);
    return Error{ErrorCode::io, "the store failed before and stays failed: " + message_};
  }

 private:
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  std::string message_;
};

// RocksDB regards some background errors as soft and goes on; this store never does.
class FailureListener final : public rocksdb::EventListener {
 public:
  explicit FailureListener(std::shared_ptr<Failure> failure) : failure_(std::move(failure)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, Status* status) override {
    failure_->set("in the background: " + status->ToString());
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, Status, bool* recover) override {
    *recover = false;
  }

 private:
  std::shared_ptr<Failure> failure_;
};

/// RocksDB would open a log file of its own in the folder.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

class RocksCursor final : public KvCursor {
 public:
  RocksCursor(rocksdb::DB& db, ColumnFamilyHandle* table, const rocksdb::Snapshot* snapshot, BytesView low,
              BytesView high)
      : high_(high), bound_(slice(high_)) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.iterate_upper_bound = &bound_;
    iterator_.reset(db.NewIterator(options, table));
    iterator_->Seek(slice(low));
  }
  bool valid() const override { return iterator_->Valid(); }
  BytesView key() const override { return iterator_->key().ToStringView(); }
  BytesView value() const override { return iterator_->value().ToStringView(); }
  void next() override { iterator_->Next(); }
  Result<void> status() const override {
    if (iterator_->status().ok()) return {};
    return error_of(iterator_->status(), "scan");
  }

 private:
  const Bytes high_;
  const Slice bound_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

Result<std::optional<Bytes>> get_from(rocksdb::DB& db, const rocksdb::ReadOptions& options,
                                      ColumnFamilyHandle* table, BytesView key) {
  Bytes value;
  const Status status = db.Get(options, table, slice(key), &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return error_of(status, "get");
  return std::optional<Bytes>(std::move(value));
}

using Handles = std::vector<ColumnFamilyHandle*>;

/// This thread's, empty but grown by earlier batches; so is not what one huge batch left.
rocksdb::WriteBatch& write_batch() {
  constexpr std::size_t kept_bytes_max = std::size_t{4} << 20;
  thread_local rocksdb::WriteBatch batch;
  if (batch.Data().capacity() > kept_bytes_max) batch = rocksdb::WriteBatch();
  batch.Clear();
  return batch;
}

class RocksSnapshot final : public KvSnapshot {
 public:
  RocksSnapshot(rocksdb::DB& db, const Handles& tables) : db_(db), tables_(tables), at_(db.GetSnapshot()) {}
  ~RocksSnapshot() override { db_.ReleaseSnapshot(at_); }
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;

  Result<std::optional<Bytes>> get(Table table, BytesView key) const override {
    rocksdb::ReadOptions options;
    options.snapshot = at_;
    return get_from(db_, options, tables_.at(table), key);
  }
  std::unique_ptr<KvCursor> scan(Table table, BytesView low, BytesView high) const override {
    return std::make_unique<RocksCursor>(db_, tables_.at(table), at_, low, high);
  }

 private:
  rocksdb::DB& db_;
  const Handles& tables_;
  const rocksdb::Snapshot* at_;
};

/// One table's each: told as the sum over all. What this RocksDB does not know is left out.
constexpr std::array<const char*, 8> table_properties{
    "rocksdb.estimate-num-keys",       "rocksdb.cur-size-all-mem-tables",
    "rocksdb.num-immutable-mem-table", "rocksdb.mem-table-flush-pending",
    "rocksdb.compaction-pending",      "rocksdb.estimate-pending-compaction-bytes",
    "rocksdb.total-sst-files-size",    "rocksdb.estimate-table-readers-mem"};
/// The whole database's.
constexpr std::array<const char*, 6> whole_properties{
    "rocksdb.num-running-flushes", "rocksdb.num-running-compactions",   "rocksdb.num-snapshots",
    "rocksdb.background-errors",   "rocksdb.actual-delayed-write-rate", "rocksdb.is-write-stopped"};

/// RocksDB is itself thread-safe; the only own state is atomic.
class RocksStore final : public KvStore {
 public:
  RocksStore(rocksdb::DB* db, Handles tables, Handles others, bool wal, std::shared_ptr<Failure> failure)
      : db_(db),
        tables_(std::move(tables)),
        others_(std::move(others)),
        wal_(wal),
        failure_(std::move(failure)) {}
  ~RocksStore() override {
    for (const Handles* list : {&tables_, &others_})
      for (ColumnFamilyHandle* handle : *list) db_->DestroyColumnFamilyHandle(handle);
  }
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  Result<void> write(const KvBatch& batch, Durability durability) override {
    if (auto healthy = failure_->check(); !healthy.ok()) return healthy;
    rocksdb::WriteBatch& changes = write_batch();
    if (auto filled = fill(changes, batch); !filled.ok()) return filled;
    rocksdb::WriteOptions options;
    options.disableWAL = !wal_;
    options.sync = wal_ && durability == Durability::synced;
    if (auto written = sticky(db_->Write(options, &changes), "write"); !written.ok()) return written;
    batches_ += 1;
    bytes_written_ += changes.GetDataSize();
    if (options.sync) syncs_ += 1;
    if (wal_) {
      if (!options.sync) unsynced_ = true;
      return {};
    }
    return durability == Durability::synced ? flush() : Result<void>();
  }

  Result<std::optional<Bytes>> get(Table table, BytesView key) const override {
    return get_from(*db_, rocksdb::ReadOptions(), tables_.at(table), key);
  }
  std::unique_ptr<KvCursor> scan(Table table, BytesView low, BytesView high) const override {
    return std::make_unique<RocksCursor>(*db_, tables_.at(table), nullptr, low, high);
  }
  std::unique_ptr<KvSnapshot> snapshot() const override {
    return std::make_unique<RocksSnapshot>(*db_, tables_);
  }

  Result<void> flush() override {
    if (auto healthy = failure_->check(); !healthy.ok()) return healthy;
    if (!wal_) return flush_tables();
    unsynced_ = false;
    syncs_ += 1;
    return sticky(db_->FlushWAL(true), "sync");
  }

  Result<std::optional<Bytes>> flushed(Table table, BytesView key) const override {
    // The persisted tier knows what left the memtables. With a write-ahead log everything written counts as
    // persisted, so what is not yet synced is synced first.
    if (wal_ && unsynced_.exchange(false)) {
      if (auto synced = sticky(db_->FlushWAL(true), "sync"); !synced.ok()) return synced.error();
      syncs_ += 1;
    }
    rocksdb::ReadOptions options;
    options.read_tier = rocksdb::kPersistedTier;
    return get_from(*db_, options, tables_.at(table), key);
  }

  Result<void> drop_files(Table table, BytesView low, BytesView high) override {
    if (auto healthy = failure_->check(); !healthy.ok()) return healthy;
    if (low >= high) return {};
    const Slice begin = slice(low), end = slice(high);
    return sticky(rocksdb::DeleteFilesInRange(db_.get(), tables_.at(table), &begin, &end, false),
                  "drop files");
  }

  Result<void> checkpoint(const std::string& path) override {
    if (auto healthy = failure_->check(); !healthy.ok()) return healthy;
    // In 7.8 the flush inside CreateCheckpoint (and CompactRange) chooses its tables before it has the write
    // thread and can tear a batch apart; an explicit flush of all tables cannot. Hence no flush inside.
    if (auto flushed = flush_tables(); !flushed.ok()) return flushed;
    rocksdb::Checkpoint* raw = nullptr;
    Status status = rocksdb::Checkpoint::Create(db_.get(), &raw);
    if (!status.ok()) return error_of(status, "checkpoint");
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
    status = checkpoint->CreateCheckpoint(path, std::numeric_limits<std::uint64_t>::max());
    // A checkpoint that fails (a full disk, an existing folder) takes nothing from the store itself.
    return status.ok() ? Result<void>() : error_of(status, "checkpoint");
  }

  Counters counters() const override { return {syncs_, bytes_written_, batches_}; }
  std::vector<std::pair<std::string, std::uint64_t>> figures() const override {
    std::vector<std::pair<std::string, std::uint64_t>> all;
    std::uint64_t value = 0;
    const auto add = [&](std::string_view name) {
      all.emplace_back(name.substr(std::string_view("rocksdb.").size()), value);
    };
    for (const char* name : table_properties)
      if (db_->GetAggregatedIntProperty(name, &value)) add(name);
    for (const char* name : whole_properties)
      if (db_->GetIntProperty(name, &value)) add(name);
    return all;
  }

 private:
  Result<void> sticky(const Status& status, const std::string& doing) const {
    if (status.ok()) return {};
    failure_->set(doing + ": " + status.ToString());
    return Error{ErrorCode::io, doing + ": " + status.ToString()};
  }

  // Always all tables: flushing one flushes only that one, atomic_flush or not.
  Result<void> flush_tables() {
    rocksdb::FlushOptions options;
    options.wait = true;
    options.allow_write_stall = true;
    Handles all = tables_;
    all.insert(all.end(), others_.begin(), others_.end());
    syncs_ += 1;
    return sticky(db_->Flush(options, all), "flush");
  }

  Result<void> fill(rocksdb::WriteBatch& out, const KvBatch& batch) const {
    Status status;
    batch.each([&](const KvBatch::Change& change) {
      if (status.ok()) status = add(out, tables_.at(change.table), change);
    });
    return status.ok() ? Result<void>() : sticky(status, "batch");
  }

  static Status add(rocksdb::WriteBatch& out, ColumnFamilyHandle* table, const KvBatch::Change& change) {
    switch (change.kind) {
      case KvBatch::Kind::put:
        return out.Put(table, slice(change.key), slice(change.value));
      case KvBatch::Kind::erase:
        return out.Delete(table, slice(change.key));
      case KvBatch::Kind::erase_range:
        if (change.key < change.value) return out.DeleteRange(table, slice(change.key), slice(change.value));
    }
    return Status::OK();
  }

  std::unique_ptr<rocksdb::DB> db_;
  Handles tables_;
  Handles others_;  ///< the default column family, and tables of a newer release
  const bool wal_;
  std::shared_ptr<Failure> failure_;
  mutable std::atomic<bool> unsynced_{false};
  mutable std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> bytes_written_{0};
  std::atomic<std::uint64_t> batches_{0};
};

// RocksDB opens only with every column family that exists: those that this release does not know are opened
// too.
std::vector<std::string> families(const RocksConfig& config, const rocksdb::DBOptions& options) {
  std::vector<std::string> names = config.tables;
  std::vector<std::string> present{rocksdb::kDefaultColumnFamilyName};
  if (std::filesystem::exists(config.path + "/CURRENT"))
    (void)rocksdb::DB::ListColumnFamilies(options, config.path, &present);  // a failure shows again at Open
  for (const std::string& name : present)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

}  // namespace

Result<std::unique_ptr<KvStore>> open_rocks(const RocksConfig& config) {
  std::error_code failed;
  std::filesystem::create_directories(config.path, failed);
  if (failed) return Error{ErrorCode::io, "create folder " + config.path + ": " + failed.message()};
  const bool wal = keeps_wal(config.role);
  if (wal) {
    if (auto whole = check_wal_files(config.path); !whole.ok()) return whole.error();
  }
  auto failure = std::make_shared<Failure>();
  rocksdb::DBOptions options = rocks_db_options(config);
  options.listeners.push_back(std::make_shared<FailureListener>(failure));
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (const std::string& name : families(config, options)) {
    const auto is_it = [&](Table table) { return config.tables.at(table) == name; };
    const bool unread = std::ranges::any_of(config.unread_tables, is_it);
    wanted.emplace_back(name, unread ? rocks_unread_table_options(config) : rocks_table_options(config));
  }
  Handles handles;
  rocksdb::DB* db = nullptr;
  const Status status = rocksdb::DB::Open(options, config.path, wanted, &handles, &db);
  if (!status.ok()) return error_of(status, "open " + config.path);
  const auto known = handles.begin() + static_cast<std::ptrdiff_t>(config.tables.size());
  return std::unique_ptr<KvStore>(std::make_unique<RocksStore>(db, Handles(handles.begin(), known),
                                                               Handles(known, handles.end()), wal, failure));
}

Result<std::unique_ptr<KvStore>> open_rocks_read_only(const RocksConfig& config) {
  if (!std::filesystem::exists(config.path + "/CURRENT"))
    return Error{ErrorCode::not_found, config.path + " holds no database"};
  const bool wal = keeps_wal(config.role);
  if (wal) {
    if (auto whole = check_wal_files(config.path); !whole.ok()) return whole.error();
  }
  rocksdb::DBOptions options = rocks_db_options(config);
  options.create_if_missing = options.create_missing_column_families = false;
  options.info_log = std::make_shared<SilentLogger>();
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted;
  for (const std::string& name : families(config, options))
    wanted.emplace_back(name, rocks_table_options(config));
  Handles handles;
  rocksdb::DB* db = nullptr;
  const Status status = rocksdb::DB::OpenForReadOnly(options, config.path, wanted, &handles, &db);
  if (!status.ok()) return error_of(status, "open " + config.path);
  const auto known = handles.begin() + static_cast<std::ptrdiff_t>(config.tables.size());
  return std::unique_ptr<KvStore>(std::make_unique<RocksStore>(
      db, Handles(handles.begin(), known), Handles(known, handles.end()), wal, std::make_shared<Failure>()));
}

}  // namespace troupe
