#pragma once
// The disk seam: an ordered byte key-value store. RocksDB stands behind it in production, a simulated disk in
// simulations; one conformance suite holds both to the same behaviour. All that is above (records, checksums,
// recovery, truncation) is the same code in both worlds.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/base/bytes.hpp"
#include "storage/base/result.hpp"

namespace troupe {

/// A table (column family), by its position in the list that the store was opened with.
using Table = std::uint8_t;

/// Changes that become visible, and durable, all or nothing, across tables.
class KvBatch {
 public:
  struct Put {
    Table table;
    Bytes key;
    Bytes value;
  };
  struct Erase {
    Table table;
    Bytes key;
  };
  struct EraseRange {
    Table table;
    Bytes low;
    Bytes high;
  };  ///< [low, high)
  using Change = std::variant<Put, Erase, EraseRange>;

  void put(Table table, Bytes key, Bytes value) {
    changes_.push_back(Put{table, std::move(key), std::move(value)});
  }
  void erase(Table table, Bytes key) { changes_.push_back(Erase{table, std::move(key)}); }
  void erase_range(Table table, Bytes low, Bytes high) {
    changes_.push_back(EraseRange{table, std::move(low), std::move(high)});
  }
  const std::vector<Change>& changes() const { return changes_; }  ///< applied in this order
  bool empty() const { return changes_.empty(); }
  void clear() { changes_.clear(); }

 private:
  std::vector<Change> changes_;
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
};

}  // namespace troupe
