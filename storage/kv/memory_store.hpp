#pragma once
// The simulated disk behind the key-value door: it forgets, tears, flips, fills up and fails on demand.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/random.hpp"
#include "storage/kv/file_door.hpp"
#include "storage/kv/kv_store.hpp"

namespace troupe {

/// One machine's disk. Its files outlive the stores opened on them, and their crashes; stores outlive
/// nothing: a store of a crashed or dropped disk fails. A path holds one store at a time. Thread-safe, but
/// made for one thread.
///
/// What a file is: the contents, and for every batch not yet flushed what undoes it. A synced batch makes all
/// before it durable, as in RocksDB's write-ahead log.
class SimDisk {
 public:
  SimDisk();
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  /// Opens or creates; missing tables are added. A folder with a checkpoint's files becomes a store. Errors:
  /// io (open already, or a table's position changed), corrupt (the files of a checkpoint are damaged).
  Result<std::unique_ptr<KvStore>> open(const std::string& path, const std::vector<std::string>& tables);
  /// What stands there now (a store or a checkpoint), for looking at: what is written to it goes nowhere.
  Result<std::unique_ptr<KvStore>> open_copy(const std::string& path, const std::vector<std::string>& tables);
  /// The same disk's plain files, checkpoints included; stores can be listed and removed there.
  FileDoor& files();
  bool exists(const std::string& path) const;
  void remove(const std::string& path);
  std::vector<std::string> paths() const;

  /// The process dies: every store on the path fails from now on, what was flushed survives, and of the
  /// batches after that any prefix. Faults of the path end, except slowness and the disk's size.
  void crash(const std::string& path, Random& random);
  /// The same with nothing unflushed surviving.
  void crash_hard(const std::string& path);

  /// The machine dies, as far as plain files are concerned: what was not synced may be lost.
  void crash_files(Random& random);

  // ---- faults; the store notices at its next write and stays failed, as a real one does ----
  void fail_writes(const std::string& path);  ///< the next write fails and changes nothing
  void fail_syncs(
      const std::string& path);           ///< the next sync or flush fails; its batch may or may not survive
  void limit_bytes(std::uint64_t bytes);  ///< of keys and values on the whole disk; beyond, writes fail
  std::uint64_t used_bytes() const;
  void slow(std::chrono::microseconds per_sync);  ///< only a figure; who owns the time reads it
  std::chrono::microseconds sync_delay() const;
  // ---- damage, unnoticed until read; false when the table is empty ----
  bool flip_bit(const std::string& path, Table table, Random& random);   ///< in some value
  bool tear_tail(const std::string& path, Table table, Random& random);  ///< the last value loses its end
  bool lose_key(const std::string& path, Table table, Random& random);   ///< some record vanishes
  bool flip_file_bit(const std::string& file, Random& random);           ///< of a plain file

  struct State;  ///< of the implementation

 private:
  std::shared_ptr<State> state_;
};

/// A store on a disk of its own, for tests and simulated hosts.
std::unique_ptr<KvStore> open_memory(const std::vector<std::string>& tables);

}  // namespace troupe
