#pragma once
// Two machines and a wire between them: a sender with a state, a receiver with a folder. Either on the
// simulated disk or on the system's.

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <functional>

#include "storage/kv/memory_store.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/log/log_store.hpp"
#include "storage/snapshot/send_core.hpp"
#include "storage/snapshot/snapshot_receiver.hpp"
#include "storage/snapshot/snapshot_shelf.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/position.hpp"
#include "tests/storage/kv/disks.hpp"

namespace troupe {

/// A machine: a disk with one node's folder.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual FileDoor& files() = 0;
  virtual std::string root() const = 0;
  virtual std::unique_ptr<KvStore> open_state(const std::string& path) = 0;
  virtual std::unique_ptr<KvStore> open_log(const std::string& path) = 0;
  virtual Result<std::unique_ptr<KvStore>> look(const std::string& path) = 0;
  /// The power fails: with the databases closed.
  virtual void crash(Random& random) = 0;
  NodeFolder folder(FileDoor& door) { return std::move(NodeFolder::open(door, root())).value(); }
  NodeFolder folder() { return folder(files()); }
};

class SimMachine final : public Machine {
 public:
  FileDoor& files() override { return disk.files(); }
  std::string root() const override { return "node"; }
  std::unique_ptr<KvStore> open_state(const std::string& path) override {
    return std::move(disk.open(path, keys::table_names())).value();
  }
  std::unique_ptr<KvStore> open_log(const std::string& path) override {
    return std::move(disk.open(path, LogStore::tables())).value();
  }
  Result<std::unique_ptr<KvStore>> look(const std::string& path) override {
    return disk.open_copy(path, keys::table_names());
  }
  void crash(Random& random) override { disk.crash_files(random); }
  SimDisk disk;
};

class RealMachine final : public Machine {
 public:
  FileDoor& files() override { return system_files(); }
  std::string root() const override { return folder_.file("node"); }
  std::unique_ptr<KvStore> open_state(const std::string& path) override {
    return std::move(open_rocks({.path = path,
                                 .role = RocksConfig::Role::state,
                                 .tables = keys::table_names(),
                                 .lose_unflushed_on_close = true,
                                 .write_buffer_bytes = 1 << 20}))
        .value();
  }
  std::unique_ptr<KvStore> open_log(const std::string& path) override {
    return std::move(open_rocks({.path = path, .role = RocksConfig::Role::log, .tables = LogStore::tables()}))
        .value();
  }
  Result<std::unique_ptr<KvStore>> look(const std::string& path) override {
    return open_rocks_read_only(
        {.path = path, .role = RocksConfig::Role::state, .tables = keys::table_names()});
  }
  void crash(Random&) override {}  ///< only the process dies: the system keeps what it was given

 private:
  TempFolder folder_;
};

using MakeMachine = std::function<std::unique_ptr<Machine>()>;
inline std::vector<std::pair<std::string, MakeMachine>> machines() {
  return {{"simulated", [] { return std::make_unique<SimMachine>(); }},
          {"system", [] { return std::make_unique<RealMachine>(); }}};
}

/// Rows under `prefix` in every table, standing at `index`.
inline void fill_state(KvStore& store, std::uint64_t index, std::size_t rows, std::size_t value_bytes = 100) {
  Random random(index);
  KvBatch batch;
  for (std::size_t n = 0; n < rows; ++n) {
    Bytes value;
    while (value.size() < value_bytes) value.push_back(static_cast<char>(random.next()));
    batch.put(keys::archived, "row" + std::to_string(n), std::move(value));
  }
  CellRecord cell;
  cell.name = "north";
  batch.put(keys::meta, keys::cell(), packed(cell));
  for (const Table table : {keys::meta, keys::current, keys::archived, keys::index})
    batch.put(table, keys::applied(), packed(StatePosition{Index{index}, Term{2}, std::nullopt}));
  TROUPE_CHECK(store.write(batch, Durability::synced).ok());
}

inline const raft::Membership three_nodes{{NodeId{1}, NodeId{2}, NodeId{3}}, {}};

inline std::unique_ptr<SnapshotShelf> open_shelf(Machine& machine) {
  return std::move(SnapshotShelf::open(machine.files(), machine.root() + "/checkpoints",
                                       [&machine](const std::string& path) { return machine.look(path); }))
      .value();
}

/// A sender with a state at index 100.
struct Source {
  std::unique_ptr<Machine> machine;
  std::unique_ptr<KvStore> store;
  std::unique_ptr<SnapshotShelf> shelf;
  SnapshotPtr snapshot;
  explicit Source(const MakeMachine& make, std::size_t rows = 2'000) : machine(make()) {
    TROUPE_CHECK(machine->files().make_folder(machine->root()).ok());
    store = machine->open_state(machine->root() + "/state");
    fill_state(*store, 100, rows);
    shelf = open_shelf(*machine);
    snapshot = shelf->take(*store, three_nodes).value();
  }
};

/// Carries messages both ways until nothing moves; what went wrong on the way is up to `pass`.
class Wire {
 public:
  Wire(const SnapshotPtr& snapshot, SnapshotReceiver& receiver, SendLimits limits = {},
       std::uint64_t transfer = 1)
      : snapshot_(snapshot), receiver_(receiver), core(snapshot->manifest(), transfer, Term{5}, limits) {}

  void start() { take(core.start()); }
  /// Until nothing moves, `stop` says so, or `steps` messages were delivered.
  void run(
      std::size_t steps = SIZE_MAX, const std::function<bool()>& stop = [] { return false; }) {
    for (; steps > 0 && !there_.empty() && !stop(); --steps) {
      SnapshotMessage message = std::move(there_.front());
      there_.pop_front();
      in_flight_ -= size_of(message);
      if (pass && !pass(message)) continue;
      for (const SnapshotMessage& reply : receiver_.on(message, applied)) take(core.on(reply));
    }
  }
  void cut() {
    there_.clear();
    in_flight_ = 0;
    take(core.link_down());
  }
  void join() { take(core.link_up()); }
  void finish(const SnapshotReceiver::Replies& replies) {
    for (const SnapshotMessage& reply : replies) take(core.on(reply));
  }
  void take(SnapshotSendCore::Effects effects) {
    for (auto& effect : effects) {
      if (auto* send = std::get_if<SnapshotSendCore::Send>(&effect)) {
        in_flight_ += size_of(send->message);
        most_in_flight = std::max(most_in_flight, in_flight_);
        there_.push_back(unpacked<SnapshotMessage>(packed(send->message)).value());
      } else if (const auto* range = std::get_if<SnapshotSendCore::ReadRange>(&effect)) {
        bytes_read += range->size;
        take(core.on_read(*range, snapshot_->read(range->file, range->offset, range->size)));
      } else {
        ended = std::get<SnapshotSendCore::Ended>(effect);
      }
    }
  }
  static std::size_t size_of(const SnapshotMessage& message) {
    const auto* chunk = std::get_if<SnapshotChunk>(&message);
    return chunk == nullptr ? 0 : chunk->data.size();
  }

 private:
  SnapshotPtr snapshot_;
  SnapshotReceiver& receiver_;
  std::deque<SnapshotMessage> there_;
  std::size_t in_flight_ = 0;

 public:
  SnapshotSendCore core;
  std::function<bool(SnapshotMessage&)> pass;  ///< may change it; false: lost
  std::optional<SnapshotSendCore::Ended> ended;
  std::size_t most_in_flight = 0;
  std::uint64_t bytes_read = 0;
  Index applied{3};
};

/// A door whose user dies before its `steps`-th change: nothing happens from then on.
class DyingFiles final : public FileDoor {
 public:
  DyingFiles(FileDoor& inner, std::size_t steps) : inner_(inner), left_(steps) {}
  bool died() const { return died_; }
  Result<std::vector<FileEntry>> list(const std::string& folder) override { return inner_.list(folder); }
  Result<std::uint64_t> size_of(const std::string& file) override { return inner_.size_of(file); }
  Result<Bytes> read(const std::string& file, std::uint64_t offset, std::size_t size) override {
    return inner_.read(file, offset, size);
  }
  Result<void> write(const std::string& file, std::uint64_t offset, BytesView bytes) override {
    return step([&] { return inner_.write(file, offset, bytes); });
  }
  Result<void> sync(const std::string& file) override {
    return step([&] { return inner_.sync(file); });
  }
  Result<void> sync_folder(const std::string& folder) override {
    return step([&] { return inner_.sync_folder(folder); });
  }
  Result<void> make_folder(const std::string& folder) override {
    return step([&] { return inner_.make_folder(folder); });
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return step([&] { return inner_.rename(from, to); });
  }
  Result<void> remove(const std::string& path) override {
    return step([&] { return inner_.remove(path); });
  }

 private:
  template <class Do>
  Result<void> step(Do act) {
    if (left_ == 0) died_ = true;
    if (died_) return Error{ErrorCode::io, "dead"};
    --left_;
    return act();
  }
  FileDoor& inner_;
  std::size_t left_;
  bool died_ = false;
};

inline std::uint64_t index_of(Machine& machine) {
  const auto store = machine.open_state(machine.folder().state_path());
  return read_position(*store).value().index.value;
}

}  // namespace troupe
