#pragma once
// The disk seam: an ordered byte key-value store. RocksDB stands behind it in production, a simulated disk in
// simulations; one conformance suite holds both to the same behaviour. All that is above (records, checksums,
// recovery, truncation) is the same code in both worlds.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/bytes.hpp"
#include "storage/base/result.hpp"

namespace troupe {

/// A table (column family), by its position in the list that the store was opened with.
using Table = std::uint8_t;

/// Changes that become visible, and durable, all or nothing, across tables. Their keys and values lie in one
/// buffer, which clear() keeps for the next ones.
class KvBatch {
 public:
  enum class Kind : std::uint8_t { put, erase, erase_range };
  /// Views live until the batch changes.
  struct Change {
    Kind kind;
    Table table;
    BytesView key;    ///< erase_range: the lowest
    BytesView value;  ///< erase_range: the end, which stays
  };

  void put(Table table, BytesView key, BytesView value) { add(Kind::put, table, key, value); }
  /// The value is what `write` appends to the bytes that it is given. Returned until the batch changes.
  template <class Write>
  BytesView put_written(Table table, BytesView key, Write write) {
    bytes_.append(key);
    const std::size_t begin = bytes_.size();
    write(bytes_);
    note(Kind::put, table, key.size(), bytes_.size() - begin);
    return BytesView(bytes_).substr(begin);
  }
  void erase(Table table, BytesView key) { add(Kind::erase, table, key, {}); }
  void erase_range(Table table, BytesView low, BytesView high) { add(Kind::erase_range, table, low, high); }

  /// In the order in which they are applied.
  template <class Use>
  void each(Use use) const {
    BytesView rest = bytes_;
    for (const Place& place : places_) {
      use(Change{place.kind, place.table, rest.substr(0, place.key_bytes),
                 rest.substr(place.key_bytes, place.value_bytes)});
      rest.remove_prefix(place.key_bytes + place.value_bytes);
    }
  }
  std::size_t size() const { return places_.size(); }
  std::size_t bytes() const { return bytes_.size(); }  ///< of all keys and values
  bool empty() const { return places_.empty(); }
  void clear() {
    places_.clear();
    bytes_.clear();
  }

 private:
  struct Place {
    Kind kind;
    Table table;
    std::size_t key_bytes;
    std::size_t value_bytes;
  };
  void add(Kind kind, Table table, BytesView key, BytesView value) {
    bytes_.append(key).append(value);
    note(kind, table, key.size(), value.size());
  }
  void note(Kind kind, Table table, std::size_t key_bytes, std::size_t value_bytes) {
    places_.push_back({kind, table, key_bytes, value_bytes});
  }

  Bytes bytes_;
  std::vector<Place> places_;
};

enum class Durability : std::uint8_t {
  synced,    ///< on the medium before write() returns
  buffered,  ///< may be lost by a crash, until flush(); what survives is a prefix of the batches, never a
             ///< part of one
};

/// Walks [low, high) of one table in key order, at the moment of its creation. Views die with the next step.
class KvCursor {
 public:
  virtual ~KvCursor() = default;
  virtual bool valid() const = 0;
  virtual BytesView key() const = 0;
  virtual BytesView value() const = 0;
  virtual void next() = 0;
  /// Anything but ok means that the walk ended early.
  virtual Result<void> status() const = 0;
};

/// All tables at one moment. Outlived by its store.
class KvSnapshot {
 public:
  virtual ~KvSnapshot() = default;
  virtual Result<std::optional<Bytes>> get(Table table, BytesView key) const = 0;
  virtual std::unique_ptr<KvCursor> scan(Table table, BytesView low, BytesView high) const = 0;
};

/// Thread-safe. After any failed write every further write fails too (error io): the owner stops the node.
class KvStore {
 public:
  virtual ~KvStore() = default;
  virtual Result<void> write(const KvBatch& batch, Durability durability) = 0;
  virtual Result<std::optional<Bytes>> get(Table table, BytesView key) const = 0;
  virtual std::unique_ptr<KvCursor> scan(Table table, BytesView low, BytesView high) const = 0;
  virtual std::unique_ptr<KvSnapshot> snapshot() const = 0;
  /// Makes every buffered batch so far durable, all tables at one point.
  virtual Result<void> flush() = 0;
  /// The value that a crash right now would leave at least (absent: none yet). For the truncation bound.
  virtual Result<std::optional<Bytes>> flushed(Table table, BytesView key) const = 0;
  /// Drops whole files inside [low, high) at once and without a trace in the log of changes; keys at the
  /// edges may stay, snapshots are ignored, and of a key that was overwritten an older value may come back:
  /// for ranges that are erased or hidden already.
  virtual Result<void> drop_files(Table table, BytesView low, BytesView high) = 0;
  /// A consistent copy, openable as a store of its own, in the new folder `path`.
  virtual Result<void> checkpoint(const std::string& path) = 0;
  /// Figures for metrics and benches since open.
  struct Counters {
    std::uint64_t syncs = 0;
    std::uint64_t bytes_written = 0;
    std::uint64_t batches = 0;
  };
  virtual Counters counters() const = 0;
  /// How it is inside, for a diagnosis: names and all may change. A few look-ups, no disk.
  virtual std::vector<std::pair<std::string, std::uint64_t>> figures() const { return {}; }
};

}  // namespace troupe
