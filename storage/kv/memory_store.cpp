#include "storage/kv/memory_store.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

namespace troupe {
namespace {

/// Values are shared, so that copying a table for a snapshot copies no bytes.
using Value = std::shared_ptr<const Bytes>;
using Map = std::map<Bytes, Value, std::less<>>;

/// What a batch replaced: applied in reverse it takes the batch back.
struct Undo {
  struct Change {
    Table table;
    Bytes key;
    Value before;  ///< null: was not there
  };
  std::vector<Change> changes;
};

}  // namespace

/// One file: its tables now, and how to go back, batch by batch, to what is durable.
struct SimFile {
  std::vector<std::string> names;
  std::vector<std::shared_ptr<Map>> tables;
  std::vector<Undo> unflushed;  ///< oldest first
  std::uint64_t opening = 0;    ///< the number of the store that may use it; others are of a dead process
  bool is_open = false;
  bool fail_write = false;
  bool fail_sync = false;
};

struct SimDisk::State {
  mutable std::mutex mutex;
  std::map<std::string, SimFile> files;
  std::uint64_t openings = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t limit_bytes = UINT64_MAX;
  std::chrono::microseconds sync_delay{0};

  /// The table to be changed. Cursors and snapshots share it: whoever holds the old one keeps it.
  Map& own(SimFile& file, Table table) {
    std::shared_ptr<Map>& map = file.tables.at(table);
    if (map.use_count() > 1)
      map = std::make_shared<Map>(*map);
    else
      std::atomic_thread_fence(std::memory_order_acquire);  // the last reader's reads are before our writes
    return *map;
  }

  /// Puts a value (null: none) under a key and hands back what was there.
  Value exchange(Map& map, BytesView key, Value value) {
    auto at = map.lower_bound(key);
    const bool there = at != map.end() && at->first == key;
    Value before = there ? at->second : nullptr;
    if (before) used_bytes -= key.size() + before->size();
    if (value) used_bytes += key.size() + value->size();
    if (value && there)
      at->second = std::move(value);
    else if (value)
      map.emplace_hint(at, Bytes(key), std::move(value));
    else if (there)
      map.erase(at);
    return before;
  }

  void undo_last(SimFile& file) {
    const std::vector<Undo::Change>& changes = file.unflushed.back().changes;
    for (auto change = changes.rbegin(); change != changes.rend(); ++change)
      exchange(own(file, change->table), change->key, change->before);
    file.unflushed.pop_back();
  }

  void forget(const SimFile& file) {
    for (const auto& map : file.tables)
      for (const auto& [key, value] : *map) used_bytes -= key.size() + value->size();
  }

  /// Keeps the first `kept` unflushed batches; the file is then as after a restart.
  void crash(SimFile& file, std::size_t kept) {
    while (file.unflushed.size() > kept) undo_last(file);
    file.unflushed.clear();
    file.is_open = false;
    file.fail_write = file.fail_sync = false;
  }
};

namespace {

using State = std::shared_ptr<SimDisk::State>;

Error io_error(std::string message) { return Error{ErrorCode::io, std::move(message)}; }

class MapCursor final : public KvCursor {
 public:
  MapCursor(std::shared_ptr<const Map> map, BytesView low, BytesView high) : map_(std::move(map)) {
    at_ = map_->lower_bound(low);
    end_ = low < high ? map_->lower_bound(high) : at_;
  }
  bool valid() const override { return at_ != end_; }
  BytesView key() const override { return at_->first; }
  BytesView value() const override { return *at_->second; }
  void next() override { ++at_; }
  Result<void> status() const override { return {}; }

 private:
  std::shared_ptr<const Map> map_;
  Map::const_iterator at_;
  Map::const_iterator end_;
};

/// A walk that could not begin.
class FailedCursor final : public KvCursor {
 public:
  explicit FailedCursor(Error error) : error_(std::move(error)) {}
  bool valid() const override { return false; }
  BytesView key() const override { return {}; }
  BytesView value() const override { return {}; }
  void next() override {}
  Result<void> status() const override { return error_; }

 private:
  Error error_;
};

std::optional<Bytes> find(const Map& map, BytesView key) {
  const auto at = map.find(key);
  return at == map.end() ? std::nullopt : std::optional<Bytes>(*at->second);
}

class MapSnapshot final : public KvSnapshot {
 public:
  explicit MapSnapshot(std::vector<std::shared_ptr<Map>> tables) : tables_(std::move(tables)) {}
  Result<std::optional<Bytes>> get(Table table, BytesView key) const override {
    return find(*tables_.at(table), key);
  }
  std::unique_ptr<KvCursor> scan(Table table, BytesView low, BytesView high) const override {
    return std::make_unique<MapCursor>(tables_.at(table), low, high);
  }

 private:
  std::vector<std::shared_ptr<Map>> tables_;
};

class MemoryStore final : public KvStore {
 public:
  MemoryStore(State disk, std::string path, std::uint64_t opening)
      : disk_(std::move(disk)), path_(std::move(path)), opening_(opening) {}
  ~MemoryStore() override {
    const std::lock_guard lock(disk_->mutex);
    SimFile* file = mine();
    if (file == nullptr) return;
    // An orderly close flushes; a failed store could not.
    if (failed_) disk_->crash(*file, 0);
    file->unflushed.clear();
    file->is_open = false;
  }
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  Result<void> write(const KvBatch& batch, Durability durability) override {
    const std::lock_guard lock(disk_->mutex);
    if (auto healthy = check(); !healthy.ok()) return healthy;
    SimFile& file = *mine();
    if (file.fail_write) return fail("write failed (injected)");
    const std::uint64_t bytes = apply(file, batch);
    if (disk_->used_bytes > disk_->limit_bytes) {
      disk_->undo_last(file);
      return fail("no space left on the disk");
    }
    counters_.batches += 1;
    counters_.bytes_written += bytes;
    if (durability == Durability::synced) return sync(file);
    // A full buffer is flushed in the background, all tables at once.
    if (file.unflushed.size() >= unflushed_batches_max) file.unflushed.clear();
    return {};
  }

  Result<std::optional<Bytes>> get(Table table, BytesView key) const override {
    const std::lock_guard lock(disk_->mutex);
    const SimFile* file = mine();
    if (file == nullptr) return gone();
    return find(*file->tables.at(table), key);
  }

  std::unique_ptr<KvCursor> scan(Table table, BytesView low, BytesView high) const override {
    const std::lock_guard lock(disk_->mutex);
    const SimFile* file = mine();
    if (file == nullptr) return std::make_unique<FailedCursor>(gone());
    return std::make_unique<MapCursor>(file->tables.at(table), low, high);
  }

  std::unique_ptr<KvSnapshot> snapshot() const override {
    const std::lock_guard lock(disk_->mutex);
    const SimFile* file = mine();
    if (file != nullptr) return std::make_unique<MapSnapshot>(file->tables);
    return std::make_unique<MapSnapshot>(
        std::vector<std::shared_ptr<Map>>(table_count_max, std::make_shared<Map>()));
  }

  Result<void> flush() override {
    const std::lock_guard lock(disk_->mutex);
    if (auto healthy = check(); !healthy.ok()) return healthy;
    return sync(*mine());
  }

  Result<std::optional<Bytes>> flushed(Table table, BytesView key) const override {
    const std::lock_guard lock(disk_->mutex);
    const SimFile* file = mine();
    if (file == nullptr) return gone();
    // The oldest undo of the key holds what was there at the last flush.
    for (const Undo& undo : file->unflushed)
      for (const Undo::Change& change : undo.changes)
        if (change.table == table && change.key == key)
          return change.before ? std::optional<Bytes>(*change.before) : std::nullopt;
    return find(*file->tables.at(table), key);
  }

  Result<void> drop_files(Table table, BytesView low, BytesView high) override {
    const std::lock_guard lock(disk_->mutex);
    if (auto healthy = check(); !healthy.ok()) return healthy;
    drop_durable(*mine(), table, low, high);
    return {};
  }

  Result<void> checkpoint(const std::string& path) override {
    const std::lock_guard lock(disk_->mutex);
    if (auto healthy = check(); !healthy.ok()) return healthy;
    if (disk_->files.contains(path)) return io_error("checkpoint: " + path + " exists");
    if (auto synced = sync(*mine()); !synced.ok()) return synced;
    SimFile copy;
    copy.names = mine()->names;
    copy.tables = mine()->tables;
    for (const auto& map : copy.tables)
      for (const auto& [key, value] : *map) disk_->used_bytes += key.size() + value->size();
    disk_->files.emplace(path, std::move(copy));
    return {};
  }

  Counters counters() const override {
    const std::lock_guard lock(disk_->mutex);
    return counters_;
  }

 private:
  static constexpr std::size_t table_count_max = 256;
  static constexpr std::size_t unflushed_batches_max = 4096;

  SimFile* mine() const {
    const auto at = disk_->files.find(path_);
    return at == disk_->files.end() || at->second.opening != opening_ || !at->second.is_open ? nullptr
                                                                                             : &at->second;
  }
  Error gone() const { return io_error(path_ + ": the process that opened it is dead"); }
  Result<void> check() const {
    if (failed_) return io_error("the store failed before and stays failed: " + *failed_);
    return mine() == nullptr ? Result<void>(gone()) : Result<void>();
  }
  Result<void> fail(const std::string& message) {
    failed_ = message;
    return io_error(message);
  }

  Result<void> sync(SimFile& file) {
    if (file.fail_sync) return fail("sync failed (injected)");
    file.unflushed.clear();
    counters_.syncs += 1;
    return {};
  }

  /// Applies the batch and notes its undo. Returns the bytes of its keys and values.
  std::uint64_t apply(SimFile& file, const KvBatch& batch) {
    Undo undo;
    std::uint64_t bytes = 0;
    const auto set = [&](Table table, const Bytes& key, Value value) {
      bytes += key.size() + (value ? value->size() : 0);
      Value before = disk_->exchange(disk_->own(file, table), key, std::move(value));
      undo.changes.push_back({table, key, std::move(before)});
    };
    for (const KvBatch::Change& change : batch.changes()) {
      if (const auto* put = std::get_if<KvBatch::Put>(&change)) {
        set(put->table, put->key, std::make_shared<const Bytes>(put->value));
      } else if (const auto* erase = std::get_if<KvBatch::Erase>(&change)) {
        set(erase->table, erase->key, nullptr);
      } else {
        const auto& range = std::get<KvBatch::EraseRange>(change);
        for (const Bytes& key : keys_in(*file.tables.at(range.table), range.low, range.high))
          set(range.table, key, nullptr);
      }
    }
    file.unflushed.push_back(std::move(undo));
    return bytes;
  }

  static std::vector<Bytes> keys_in(const Map& map, BytesView low, BytesView high) {
    std::vector<Bytes> keys;
    for (auto at = map.lower_bound(low); at != map.end() && at->first < high; ++at) keys.push_back(at->first);
    return keys;
  }

  /// Files hold what was flushed. As in RocksDB the first and the last of them may reach over the edges and
  /// stay: here the two outermost durable keys do.
  void drop_durable(SimFile& file, Table table, BytesView low, BytesView high) {
    std::map<Bytes, Undo::Change*, std::less<>>
        touched;  // keys with something unflushed, which no file holds
    for (Undo& undo : file.unflushed)
      for (Undo::Change& change : undo.changes)
        if (change.table == table && change.key >= low && change.key < high)
          touched.emplace(change.key, &change);
    std::vector<Bytes> durable = keys_in(*file.tables.at(table), low, high);
    std::erase_if(durable, [&](const Bytes& key) { return touched.contains(key); });
    for (const auto& [key, change] : touched)
      if (change->before) durable.push_back(key);
    std::sort(durable.begin(), durable.end());
    for (std::size_t i = 1; i + 1 < durable.size(); ++i) {
      const auto at = touched.find(durable[i]);
      if (at != touched.end())
        at->second->before = nullptr;
      else
        disk_->exchange(disk_->own(file, table), durable[i], nullptr);
    }
  }

  State disk_;
  const std::string path_;
  const std::uint64_t opening_;
  std::optional<std::string> failed_;
  Counters counters_;
};

}  // namespace

SimDisk::SimDisk() : state_(std::make_shared<State>()) {}
SimDisk::~SimDisk() = default;

Result<std::unique_ptr<KvStore>> SimDisk::open(const std::string& path,
                                               const std::vector<std::string>& tables) {
  const std::lock_guard lock(state_->mutex);
  SimFile& file = state_->files[path];
  if (file.is_open) return io_error(path + " is open already");
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i == file.names.size()) {
      file.names.push_back(tables[i]);
      file.tables.push_back(std::make_shared<Map>());
    }
    if (file.names[i] != tables[i])
      return io_error(path + ": table " + tables[i] + " stands at another place");
  }
  file.is_open = true;
  file.opening = ++state_->openings;
  return std::unique_ptr<KvStore>(std::make_unique<MemoryStore>(state_, path, file.opening));
}

bool SimDisk::exists(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->files.contains(path);
}

void SimDisk::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto at = state_->files.find(path);
  if (at == state_->files.end()) return;
  state_->forget(at->second);
  state_->files.erase(at);
}

std::vector<std::string> SimDisk::paths() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> all;
  for (const auto& [path, file] : state_->files) all.push_back(path);
  return all;
}

void SimDisk::crash(const std::string& path, Random& random) {
  const std::lock_guard lock(state_->mutex);
  const auto at = state_->files.find(path);
  if (at == state_->files.end()) return;
  state_->crash(at->second, static_cast<std::size_t>(random.below(at->second.unflushed.size() + 1)));
}

void SimDisk::crash_hard(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto at = state_->files.find(path);
  if (at != state_->files.end()) state_->crash(at->second, 0);
}

void SimDisk::fail_writes(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->files.at(path).fail_write = true;
}

void SimDisk::fail_syncs(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->files.at(path).fail_sync = true;
}

void SimDisk::limit_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->limit_bytes = bytes;
}

std::uint64_t SimDisk::used_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->used_bytes;
}

void SimDisk::slow(std::chrono::microseconds per_sync) {
  const std::lock_guard lock(state_->mutex);
  state_->sync_delay = per_sync;
}

std::chrono::microseconds SimDisk::sync_delay() const {
  const std::lock_guard lock(state_->mutex);
  return state_->sync_delay;
}

namespace {

/// The table of a file, or null when there is nothing to damage.
Map* damaged_table(SimDisk::State& state, const std::string& path, Table table) {
  const auto at = state.files.find(path);
  if (at == state.files.end() || at->second.tables.at(table)->empty()) return nullptr;
  return &state.own(at->second, table);
}

Map::iterator some_record(Map& map, Random& random) {
  return std::next(map.begin(), static_cast<std::ptrdiff_t>(random.below(map.size())));
}

}  // namespace

bool SimDisk::flip_bit(const std::string& path, Table table, Random& random) {
  const std::lock_guard lock(state_->mutex);
  Map* map = damaged_table(*state_, path, table);
  if (map == nullptr) return false;
  const auto at = some_record(*map, random);
  Bytes value = *at->second;
  if (value.empty()) return false;
  const std::uint64_t bit = random.below(value.size() * 8);
  value[bit / 8] = static_cast<char>(static_cast<unsigned char>(value[bit / 8]) ^ (1u << (bit % 8)));
  at->second = std::make_shared<const Bytes>(std::move(value));
  return true;
}

bool SimDisk::tear_tail(const std::string& path, Table table, Random& random) {
  const std::lock_guard lock(state_->mutex);
  Map* map = damaged_table(*state_, path, table);
  if (map == nullptr) return false;
  const auto at = std::prev(map->end());
  if (at->second->empty()) return false;
  const Bytes rest = at->second->substr(0, random.below(at->second->size()));
  state_->exchange(*map, Bytes(at->first), std::make_shared<const Bytes>(rest));
  return true;
}

bool SimDisk::lose_key(const std::string& path, Table table, Random& random) {
  const std::lock_guard lock(state_->mutex);
  Map* map = damaged_table(*state_, path, table);
  if (map == nullptr) return false;
  state_->exchange(*map, Bytes(some_record(*map, random)->first), nullptr);
  return true;
}

std::unique_ptr<KvStore> open_memory(const std::vector<std::string>& tables) {
  SimDisk disk;  // the store keeps its state alive
  return std::move(disk.open("memory", tables)).value();
}

}  // namespace troupe
