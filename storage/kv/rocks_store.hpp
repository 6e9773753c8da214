#pragma once
// The production disk behind the key-value door: RocksDB 7.8.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/kv/kv_store.hpp"

namespace rocksdb {
class Env;
}

namespace troupe {

/// How a RocksDB store is to be opened. What each role sets and why: rocks_options.cpp.
struct RocksConfig {
  enum class Role : std::uint8_t {
    log,    ///< the replicated log: write-ahead log, one sync per synced batch
    state,  ///< the tables of apply: no write-ahead log; a synced batch flushes every table, so use buffered
            ///< ones
    journal,  ///< an agent's few records: as log, with small buffers
  };
  std::string path;
  Role role = Role::state;
  std::vector<std::string> tables;  ///< created when missing; position = Table
  /// Of these nobody looks up what is not flushed yet: changes are appended, and sorted by the flush, in the
  /// background, instead of one by one by the writer. Reading is right at any time, but then sorts a copy.
  std::vector<Table> unread_tables{};
  bool lose_unflushed_on_close = false;  ///< crash tests: closing does not flush what a crash would lose
  std::size_t write_buffer_bytes =
      0;                        ///< per table; 0: the role's default. Small for many stores in one process.
  rocksdb::Env* env = nullptr;  ///< fault tests; null: the process's one
};

/// Opens or creates. Errors: io; corrupt when what was synced is damaged (never a silently shortened store).
Result<std::unique_ptr<KvStore>> open_rocks(const RocksConfig& config);

/// For looking only: changes no byte of the folder; writes fail. Nobody may write the store meanwhile.
/// Of `config` path, role and tables count; each table must exist. Errors: not_found (no database there),
/// io, corrupt.
Result<std::unique_ptr<KvStore>> open_rocks_read_only(const RocksConfig& config);

}  // namespace troupe
