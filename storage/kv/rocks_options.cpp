#include "storage/kv/rocks_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/table.h>

namespace troupe {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::size_t block_cache_bytes = 64 * mebibyte;  ///< of the whole process
constexpr int background_threads = 1;  ///< of each kind (flush, compaction), of the whole process

// Every store of the process shares these threads: an embedded cell opens six stores and must not start
// twelve.
rocksdb::Env* process_env() {
  static rocksdb::Env* const env = [] {
    rocksdb::Env* fresh = rocksdb::Env::Default();
    fresh->SetBackgroundThreads(background_threads, rocksdb::Env::HIGH);
    fresh->SetBackgroundThreads(background_threads, rocksdb::Env::LOW);
    return fresh;
  }();
  return env;
}

std::shared_ptr<rocksdb::Cache> process_cache() {
  static const auto cache = rocksdb::NewLRUCache(block_cache_bytes);
  return cache;
}

// Block-based tables: fewer index entries with 16 KB blocks; the filter spares a read for keys that are not
// there.
std::shared_ptr<rocksdb::TableFactory> table_format() {
  rocksdb::BlockBasedTableOptions format;
  format.block_cache = process_cache();
  format.block_size = 16 * 1024;
  format.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  format.whole_key_filtering = true;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(format));
}

void set_housekeeping(rocksdb::DBOptions& options) {
  options.max_background_jobs = 2;  // one flush, one compaction: more brought nothing on two cores
  options.max_open_files = 500;     // opening 2000 files takes 0.04 s instead of 0.24 s
  options.bytes_per_sync =
      mebibyte;  // spreads write-back, so that a log's sync does not wait for a flush's pages
  options.avoid_unnecessary_blocking_io = true;  // obsolete files are deleted in the background, not by apply
  options.stats_dump_period_sec = 0;             // no periodic thread per store
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 4 * mebibyte;
}

void set_log(rocksdb::DBOptions& options, bool small) {
  // A torn record at the very end is what a crash leaves; anything else must not open. The default silently
  // opened with 219 of 500 synced records after one flipped bit.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // The rarely written table would pin old write-ahead files for ever.
  options.max_total_wal_size = small ? 16 * mebibyte : 256 * mebibyte;
  // The write-ahead log has everything; a close that flushed would only be slower.
  options.avoid_flush_during_shutdown = true;
}

void set_state(rocksdb::DBOptions& options, bool lose_unflushed_on_close) {
  // All tables are flushed at one point. Without it a crash left `applied` and the tables at different
  // indexes.
  options.atomic_flush = true;
  // A close that flushes hides what a crash would lose: crash tests turn it off.
  options.avoid_flush_during_shutdown = lose_unflushed_on_close;
}

}  // namespace

bool keeps_wal(RocksConfig::Role role) { return role != RocksConfig::Role::state; }

rocksdb::DBOptions rocks_db_options(const RocksConfig& config) {
  rocksdb::DBOptions options;
  options.env = config.env != nullptr ? config.env : process_env();
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // After a failed write it would resume by itself, and later writes would follow a hole. The store stays
  // failed.
  options.max_bgerror_resume_count = 0;
  // One writer per store: the skip list's lock-free insert costs and gains nothing.
  options.allow_concurrent_memtable_write = false;
  set_housekeeping(options);
  if (keeps_wal(config.role))
    set_log(options, config.role == RocksConfig::Role::journal);
  else
    set_state(options, config.lose_unflushed_on_close);
  return options;
}

rocksdb::ColumnFamilyOptions rocks_table_options(const RocksConfig& config) {
  rocksdb::ColumnFamilyOptions options;
  const std::size_t usual = (config.role == RocksConfig::Role::journal ? 4 : 64) * mebibyte;
  // 64 MB: larger buffers stalled apply longer when freed, smaller ones doubled the cost of flushing.
  options.write_buffer_size = config.write_buffer_bytes != 0 ? config.write_buffer_bytes : usual;
  // Room for bursts: with the defaults writes are slowed or stopped while a flush or compaction catches up.
  options.max_write_buffer_number = 6;
  options.level0_slowdown_writes_trigger = 40;
  options.level0_stop_writes_trigger = 80;
  options.soft_pending_compaction_bytes_limit = std::uint64_t{64} << 30;
  options.hard_pending_compaction_bytes_limit = std::uint64_t{256} << 30;
  options.compression = rocksdb::kLZ4Compression;  // a third of the space for no measurable time
  options.table_factory = table_format();
  return options;
}

rocksdb::ColumnFamilyOptions rocks_unread_table_options(const RocksConfig& config) {
  rocksdb::ColumnFamilyOptions options = rocks_table_options(config);
  // Finding the place of a random key in the skip list took half of apply's time.
  options.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
  return options;
}

}  // namespace troupe
