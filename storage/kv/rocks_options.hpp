#pragma once
// RocksDB's options per role. Internal to the RocksDB store and its tests, which open mutants of them.

#include <rocksdb/options.h>

#include "storage/kv/rocks_store.hpp"

namespace troupe {

rocksdb::DBOptions rocks_db_options(const RocksConfig& config);
rocksdb::ColumnFamilyOptions rocks_table_options(const RocksConfig& config);
/// The same for one of RocksConfig::unread_tables.
rocksdb::ColumnFamilyOptions rocks_unread_table_options(const RocksConfig& config);
/// Does the role keep a write-ahead log?
bool keeps_wal(RocksConfig::Role role);

}  // namespace troupe
