#include "storage/kv/memory_store.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "storage/kv/sim_checkpoint.hpp"
#include "storage/kv/sim_files.hpp"

namespace troupe {
namespace {

using Value = std::shared_ptr<const Bytes>;
using Map = SimTables::Map;

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

/// The whole disk as files: plain ones, and each store as a folder that can be seen and removed.
class DiskFiles final : public FileDoor {
 public:
  explicit DiskFiles(SimDisk::State& disk) : disk_(disk) {}
  Result<std::vector<FileEntry>> list(const std::string& folder) override;
  Result<std::uint64_t> size_of(const std::string& file) override;
  Result<Bytes> read(const std::string& file, std::uint64_t offset, std::size_t size) override;
  Result<void> write(const std::string& file, std::uint64_t offset, BytesView bytes) override;
  Result<void> sync(const std::string& file) override;
  Result<void> sync_folder(const std::string& folder) override;
  Result<void> make_folder(const std::string& folder) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;

 private:
  SimDisk::State& disk_;
};

struct SimDisk::State {
  State() : door(*this) {}
  mutable std::mutex mutex;
  std::map<std::string, SimFile> files;
  std::uint64_t openings = 0;
  SimSpace space;
  SimFiles plain{space};
  DiskFiles door;
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
    if (before) space.used_bytes -= key.size() + before->size();
    if (value) space.used_bytes += key.size() + value->size();
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

  void adopt(const std::string& path, SimTables made) {
    SimFile file;
    file.names = std::move(made.names);
    file.tables = std::move(made.tables);
    for (const auto& map : file.tables)
      for (const auto& [key, value] : *map) space.used_bytes += key.size() + value->size();
    files.emplace(path, std::move(file));
  }

  void forget(const SimFile& file) {
    for (const auto& map : file.tables)
      for (const auto& [key, value] : *map) space.used_bytes -= key.size() + value->size();
  }

  /// Keeps the first `kept` unflushed batches; the file is then as after a restart.
  void crash(SimFile& file, std::size_t kept) {
    while (file.unflushed.size() > kept) undo_last(file);
    file.unflushed.clear();
    file.is_open = false;
    file.fail_write = file.fail_sync = false;
  }
};

Result<std::vector<FileEntry>> DiskFiles::list(const std::string& folder) {
  std::vector<FileEntry> entries;
  {
    const std::lock_guard lock(disk_.mutex);
    for (const auto& [path, file] : disk_.files) {
      const std::size_t slash = path.rfind('/');
      if (path.substr(0, slash == std::string::npos ? 0 : slash) != folder) continue;
      entries.push_back({slash == std::string::npos ? path : path.substr(slash + 1), 0, true});
    }
  }
  auto plain = disk_.plain.list(folder);
  if (!plain.ok() && entries.empty()) return plain;
  if (plain.ok()) entries.insert(entries.end(), plain.value().begin(), plain.value().end());
  std::ranges::sort(entries, {}, &FileEntry::name);
  return entries;
}
Result<std::uint64_t> DiskFiles::size_of(const std::string& file) { return disk_.plain.size_of(file); }
Result<Bytes> DiskFiles::read(const std::string& file, std::uint64_t offset, std::size_t size) {
  return disk_.plain.read(file, offset, size);
}
Result<void> DiskFiles::write(const std::string& file, std::uint64_t offset, BytesView bytes) {
  return disk_.plain.write(file, offset, bytes);
}
Result<void> DiskFiles::sync(const std::string& file) { return disk_.plain.sync(file); }
Result<void> DiskFiles::sync_folder(const std::string& folder) { return disk_.plain.sync_folder(folder); }
Result<void> DiskFiles::make_folder(const std::string& folder) { return disk_.plain.make_folder(folder); }
Result<void> DiskFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(disk_.mutex);
  if (auto store = disk_.files.extract(from)) {
    store.key() = to;
    disk_.files.insert(std::move(store));
    return {};
  }
  return disk_.plain.rename(from, to);
}
Result<void> DiskFiles::remove(const std::string& path) {
  const std::lock_guard lock(disk_.mutex);
  std::erase_if(disk_.files, [&](const auto& at) {
    if (at.first != path && !at.first.starts_with(path + "/")) return false;
    disk_.forget(at.second);
    return true;
  });
  return disk_.plain.remove(path);
}

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
    // What is durable at once is never taken back; keeping the undo of each log write would cost most of it.
    const bool may_go_back = durability != Durability::synced || file.fail_sync || disk_->space.is_limited();
    const std::uint64_t bytes = apply(file, batch, may_go_back);
    if (disk_->space.used_bytes > disk_->space.limit_bytes) {
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
    if (disk_->files.contains(path) || disk_->plain.exists(path))
      return io_error("checkpoint: " + path + " exists");
    if (auto synced = sync(*mine()); !synced.ok()) return synced;
    // A checkpoint that fails (a full disk) leaves no folder, and takes nothing from the store itself.
    auto written = disk_->plain.write_folder(path, checkpoint_files({mine()->names, mine()->tables}));
    if (!written.ok()) (void)disk_->plain.remove(path);
    return written;
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

  /// Applies the batch and, unless it is sure to stay, notes its undo. Returns the bytes of its keys and
  /// values.
  std::uint64_t apply(SimFile& file, const KvBatch& batch, bool may_go_back) {
    Undo undo;
    std::uint64_t bytes = 0;
    const auto set = [&](Table table, BytesView key, Value value) {
      bytes += key.size() + (value ? value->size() : 0);
      Value before = disk_->exchange(disk_->own(file, table), key, std::move(value));
      if (may_go_back) undo.changes.push_back({table, Bytes(key), std::move(before)});
    };
    batch.each([&](const KvBatch::Change& change) {
      if (change.kind == KvBatch::Kind::put)
        return set(change.table, change.key, std::make_shared<const Bytes>(change.value));
      if (change.kind == KvBatch::Kind::erase) return set(change.table, change.key, nullptr);
      for (const Bytes& key : keys_in(*file.tables.at(change.table), change.key, change.value))
        set(change.table, key, nullptr);
    });
    if (may_go_back) file.unflushed.push_back(std::move(undo));
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
  if (!state_->files.contains(path) && state_->plain.exists(path)) {
    // A store changes its files: from now on they are a store's, not plain ones.
    auto copied = checkpoint_tables(state_->plain.read_folder(path));
    if (!copied.ok()) return copied.error();
    state_->plain.forget(path);
    state_->adopt(path, std::move(copied).value());
  }
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

Result<std::unique_ptr<KvStore>> SimDisk::open_copy(const std::string& path,
                                                    const std::vector<std::string>& tables) {
  SimTables copied;
  {
    const std::lock_guard lock(state_->mutex);
    const auto at = state_->files.find(path);
    if (at != state_->files.end()) {
      copied = {at->second.names, at->second.tables};
    } else {
      auto read = checkpoint_tables(state_->plain.read_folder(path));
      if (!read.ok()) return read.error();
      copied = std::move(read).value();
    }
  }
  SimDisk other;  // the store keeps its state alive
  other.state_->adopt(path, std::move(copied));
  return other.open(path, tables);
}

bool SimDisk::exists(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->files.contains(path) || state_->plain.exists(path);
}

void SimDisk::remove(const std::string& path) { (void)state_->door.remove(path); }

FileDoor& SimDisk::files() { return state_->door; }

void SimDisk::crash_files(Random& random) { state_->plain.crash(random); }

bool SimDisk::flip_file_bit(const std::string& file, Random& random) {
  return state_->plain.flip_bit(file, random);
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
  state_->space.limit_bytes = bytes;
}

std::uint64_t SimDisk::used_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->space.used_bytes;
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
