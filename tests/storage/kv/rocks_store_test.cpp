// Each RocksDB option that correctness rests on: the harm without it, and none with it.

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "disks.hpp"
#include "storage/kv/rocks_options.hpp"

extern "C" int mallctl(const char*, void*, std::size_t*, void*, std::size_t) __attribute__((weak));

namespace troupe {
namespace {

using Role = RocksConfig::Role;

/// A database opened with our options, after a test has spoilt one of them.
class RawDb {
 public:
  RawDb(const RocksConfig& config, const std::function<void(rocksdb::DBOptions&)>& spoil) {
    rocksdb::DBOptions options = rocks_db_options(config);
    spoil(options);
    std::vector<rocksdb::ColumnFamilyDescriptor> tables{{rocksdb::kDefaultColumnFamilyName, {}}};
    for (const auto& name : config.tables) tables.emplace_back(name, rocks_table_options(config));
    rocksdb::DB* db = nullptr;
    status = rocksdb::DB::Open(options, config.path, tables, &handles_, &db);
    db_.reset(db);
  }
  ~RawDb() {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  }
  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* table(std::size_t at) { return handles_.at(at + 1); }
  rocksdb::Status status;

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

/// One table fills its buffers and is flushed, the other has only the index. Then all that is unflushed is
/// lost.
void write_unevenly_and_crash(const RocksConfig& config,
                              const std::function<void(rocksdb::DBOptions&)>& spoil) {
  RawDb raw(config, spoil);
  ASSERT_TRUE(raw.status.ok()) << raw.status.ToString();
  rocksdb::WriteOptions no_wal;
  no_wal.disableWAL = true;
  for (int i = 1; i <= 400; ++i) {
    rocksdb::WriteBatch batch;
    for (std::size_t table : {0, 1})
      ASSERT_TRUE(batch.Put(raw.table(table), "applied", std::to_string(i)).ok());
    ASSERT_TRUE(batch.Put(raw.table(0), "k" + std::to_string(i), Bytes(1000, 'x')).ok());
    ASSERT_TRUE(raw.db().Write(no_wal, &batch).ok());
  }
}

std::pair<std::optional<Bytes>, std::optional<Bytes>> applied_after(const RocksConfig& config) {
  const auto store = std::move(open_rocks(config)).value();
  return {store->get(0, "applied").value(), store->get(1, "applied").value()};
}

RocksConfig uneven(const std::string& path) {
  return {.path = path,
          .role = Role::state,
          .tables = {"a", "b"},
          .lose_unflushed_on_close = true,
          .write_buffer_bytes = 64 * 1024};
}

TEST(RocksOptions, atomic_flush_keeps_tables_at_one_index) {
  TempFolder folder;
  write_unevenly_and_crash(uneven(folder.file("ours")), [](auto&) {});
  const auto [a, b] = applied_after(uneven(folder.file("ours")));
  ASSERT_TRUE(a.has_value()) << "nothing was flushed: the test shows nothing";
  EXPECT_EQ(a, b);

  write_unevenly_and_crash(uneven(folder.file("mutant")),
                           [](auto& options) { options.atomic_flush = false; });
  const auto [torn_a, torn_b] = applied_after(uneven(folder.file("mutant")));
  EXPECT_NE(torn_a, torn_b) << "without the option the tables agree too: the test shows nothing";
}

TEST(RocksOptions, a_close_flushes_unless_a_crash_is_tested) {
  TempFolder folder;
  for (const bool lose : {false, true}) {
    RocksConfig config = uneven(folder.file(lose ? "crash" : "close"));
    config.lose_unflushed_on_close = lose;
    {
      const auto store = std::move(open_rocks(config)).value();
      KvBatch batch;
      batch.put(0, "applied", "1");
      ASSERT_TRUE(store->write(batch, Durability::buffered).ok());
    }
    EXPECT_EQ(applied_after(config).first.has_value(), !lose);
  }
}

TEST(RocksOptions, a_flush_takes_all_tables) {
  TempFolder folder;
  const RocksConfig config = uneven(folder.file("db"));
  {
    const auto store = std::move(open_rocks(config)).value();
    KvBatch batch;
    batch.put(0, "applied", "1");
    batch.put(1, "applied", "1");
    ASSERT_TRUE(store->write(batch, Durability::buffered).ok());
    EXPECT_EQ(store->flushed(1, "applied").value(), std::nullopt);
    ASSERT_TRUE(store->flush().ok());
    EXPECT_EQ(store->flushed(1, "applied").value(), "1");
  }
  const auto [a, b] = applied_after(config);
  EXPECT_EQ(a, "1");
  EXPECT_EQ(b, "1");
}

// ---- one flipped bit in a synced write-ahead log ----

constexpr int synced_records = 40;

RocksConfig log_config(const std::string& path) {
  return {.path = path, .role = Role::log, .tables = {"entries"}};
}

std::string write_log(const std::string& path) {
  {
    const auto store = std::move(open_rocks(log_config(path))).value();
    for (int i = 0; i < synced_records; ++i) {
      KvBatch batch;
      batch.put(0, "k" + std::to_string(i), Bytes(static_cast<std::size_t>(30 + i), 'v'));
      TROUPE_CHECK(store->write(batch, Durability::synced).ok());
    }
  }
  std::string largest;
  std::uintmax_t size = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.path().extension() == ".log" && entry.file_size() > size) {
      size = entry.file_size();
      largest = entry.path();
    }
  return std::filesystem::path(largest).filename();
}

void flip(const std::string& file, std::uint64_t bit) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(bit / 8));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(bit / 8));
  stream.put(static_cast<char>(byte ^ (1 << (bit % 8))));
}

int records_in(KvStore& store) {
  int records = 0;
  for (auto cursor = store.scan(0, "k", "l"); cursor->valid(); cursor->next()) ++records;
  return records;
}

void copy_folder(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

/// How many of the flips open as if nothing had happened, with records missing.
int unnoticed(const TempFolder& folder, const std::string& wal, const std::vector<std::uint64_t>& bits,
              const std::function<int(const RocksConfig&)>& records_after_open) {
  int silent = 0;
  for (const std::uint64_t bit : bits) {
    copy_folder(folder.file("log"), folder.file("copy"));
    flip(folder.file("copy/" + wal), bit);
    const int records = records_after_open(log_config(folder.file("copy")));
    if (records >= 0 && records < synced_records) ++silent;
  }
  return silent;
}

int open_ours(const RocksConfig& config) {
  auto opened = open_rocks(config);
  return opened.ok() ? records_in(*opened.value()) : -1;
}

int open_with(const RocksConfig& config, rocksdb::WALRecoveryMode mode) {
  RawDb raw(config, [mode](auto& options) { options.wal_recovery_mode = mode; });
  if (!raw.status.ok()) return -1;
  int records = 0;
  const std::unique_ptr<rocksdb::Iterator> at(raw.db().NewIterator({}, raw.table(0)));
  for (at->SeekToFirst(); at->Valid(); at->Next()) ++records;
  return records;
}

std::vector<std::uint64_t> some_bits(std::uint64_t file_bytes) {
  std::vector<std::uint64_t> bits;
  Random random(3);
  for (int i = 0; i < 60; ++i) bits.push_back(random.below(file_bytes * 8));
  // The first record of the file and the last: every bit of their headers, where length and type are.
  // The last one: 7 bytes of header, 12 of batch, type, table, key and value with their lengths.
  const std::uint64_t last = file_bytes - (7 + 12 + 1 + 1 + 4 + 1 + 30 + synced_records - 1);
  for (std::uint64_t bit = 0; bit < 7 * 8; ++bit) {
    bits.push_back(bit);
    bits.push_back(last * 8 + bit);
  }
  return bits;
}

TEST(RocksOptions, a_flipped_bit_in_the_synced_log_never_shortens_it_silently) {
  TempFolder folder;
  const std::string wal = write_log(folder.file("log"));
  const auto bits = some_bits(std::filesystem::file_size(folder.file("log/" + wal)));
  EXPECT_EQ(unnoticed(folder, wal, bits, open_ours), 0);
  const auto by_default = [](const RocksConfig& config) {
    return open_with(config, rocksdb::WALRecoveryMode::kPointInTimeRecovery);
  };
  EXPECT_GT(unnoticed(folder, wal, bits, by_default), 10)
      << "the default notices too: the test shows nothing";
  const auto without_check = [](const RocksConfig& config) {
    return open_with(config, rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
  };
  EXPECT_GT(unnoticed(folder, wal, bits, without_check), 0) << "our check of the files is not needed";
}

TEST(RocksOptions, a_rubbed_out_stretch_of_the_synced_log_does_not_open) {
  TempFolder folder;
  const std::string wal = write_log(folder.file("log"));
  std::fstream stream(folder.file("log/" + wal), std::ios::in | std::ios::out | std::ios::binary);
  stream.write("\xff\xff\xff\xff\xff\xff\xff", 7);  // checksum, length and type of the first record
  stream.close();
  EXPECT_EQ(open_ours(log_config(folder.file("log"))), -1);
}

TEST(RocksOptions, a_tail_torn_by_a_crash_opens_with_all_before_it) {
  TempFolder folder;
  const std::string wal = write_log(folder.file("log"));
  const auto size = std::filesystem::file_size(folder.file("log/" + wal));
  for (std::uintmax_t cut = 1; cut < 60; cut += 4) {
    copy_folder(folder.file("log"), folder.file("copy"));
    std::filesystem::resize_file(folder.file("copy/" + wal), size - cut);
    EXPECT_EQ(open_ours(log_config(folder.file("copy"))), synced_records - 1) << "cut " << cut;
  }
}

// ---- failures ----

/// A disk whose writes and syncs fail while told to, in the way that RocksDB would recover from by itself.
class FailingFiles final : public rocksdb::FileSystemWrapper {
 public:
  FailingFiles() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FailingFiles"; }
  std::atomic<bool> failing{false};
  bool fails_within(std::chrono::milliseconds bound) {
    std::unique_lock lock(mutex_);
    return failed_.wait_for(lock, bound, [this] { return failures_ > 0; });
  }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* out,
                                    rocksdb::IODebugContext* debug) override {
    auto status = target()->NewWritableFile(name, options, out, debug);
    if (status.ok()) *out = std::make_unique<File>(std::move(*out), *this);
    return status;
  }

 private:
  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile> target, FailingFiles& owner)
        : FSWritableFileOwnerWrapper(std::move(target)), owner_(owner) {}
    using FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      return owner_.failing ? failure() : FSWritableFileOwnerWrapper::Append(data, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* debug) override {
      return owner_.failing ? failure() : FSWritableFileOwnerWrapper::Sync(options, debug);
    }

   private:
    rocksdb::IOStatus failure() {
      {
        const std::lock_guard lock(owner_.mutex_);
        ++owner_.failures_;
      }
      owner_.failed_.notify_all();
      auto status = rocksdb::IOStatus::IOError("injected");
      status.SetRetryable(true);
      return status;
    }
    FailingFiles& owner_;
  };

  std::mutex mutex_;
  std::condition_variable failed_;
  int failures_ = 0;
};

class FailingDisk : public testing::TestWithParam<Role> {
 protected:
  FailingDisk() : files_(std::make_shared<FailingFiles>()), env_(rocksdb::NewCompositeEnv(files_)) {}
  RocksConfig config() const {
    return {.path = folder_.file("db"), .role = GetParam(), .tables = {"a"}, .env = env_.get()};
  }
  TempFolder folder_;
  std::shared_ptr<FailingFiles> files_;
  std::unique_ptr<rocksdb::Env> env_;
};

TEST_P(FailingDisk, one_failed_sync_stops_the_store_for_good) {
  auto store = std::move(open_rocks(config())).value();
  KvBatch batch;
  batch.put(0, "k", "1");
  ASSERT_TRUE(store->write(batch, Durability::synced).ok());
  files_->failing = true;
  KvBatch lost;
  lost.put(0, "k", "2");
  EXPECT_EQ(store->write(lost, Durability::synced).error().code, ErrorCode::io);
  files_->failing = false;
  EXPECT_EQ(store->write(batch, Durability::synced).error().code, ErrorCode::io);
  EXPECT_EQ(store->write(batch, Durability::buffered).error().code, ErrorCode::io);
  EXPECT_EQ(store->flush().error().code, ErrorCode::io);
  EXPECT_FALSE(store->checkpoint(folder_.file("copy")).ok());
}

INSTANTIATE_TEST_SUITE_P(Roles, FailingDisk, testing::Values(Role::log, Role::state),
                         [](const auto& p) { return p.param == Role::log ? "log" : "state"; });

/// Waits until a background recovery has begun or ended.
class RecoveryWatch final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryCompleted(rocksdb::Status) override {
    {
      const std::lock_guard lock(mutex_);
      recovered_ = true;
    }
    changed_.notify_all();
  }
  bool recovers_within(std::chrono::milliseconds bound) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, bound, [this] { return recovered_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool recovered_ = false;
};

bool writes_after_recovery(const RocksConfig& config, FailingFiles& files, int resume_count) {
  auto watch = std::make_shared<RecoveryWatch>();
  RawDb raw(config, [&](auto& options) {
    options.max_bgerror_resume_count = resume_count;
    options.bgerror_resume_retry_interval = 1000;  // microseconds
    options.listeners.push_back(watch);
  });
  TROUPE_CHECK(raw.status.ok());
  rocksdb::WriteOptions synced;
  synced.sync = true;
  TROUPE_CHECK(raw.db().Put(synced, raw.table(0), "k", "1").ok());
  files.failing = true;
  TROUPE_CHECK(!raw.db().Put(synced, raw.table(0), "k", "lost").ok());
  files.failing = false;
  if (resume_count > 0) {
    EXPECT_TRUE(watch->recovers_within(std::chrono::seconds(10)));
  }
  return raw.db().Put(synced, raw.table(0), "k", "2").ok();
}

TEST(RocksOptions, no_background_resume_after_a_failed_write) {
  TempFolder folder;
  const auto files = std::make_shared<FailingFiles>();
  const auto env = rocksdb::NewCompositeEnv(files);
  RocksConfig config = log_config(folder.file("ours"));
  config.env = env.get();
  EXPECT_FALSE(writes_after_recovery(config, *files, rocks_db_options(config).max_bgerror_resume_count));
  config.path = folder.file("mutant");
  EXPECT_TRUE(writes_after_recovery(config, *files, 1000))
      << "it does not resume either: the test shows nothing";
}

// RocksDB takes a failed flush without a write-ahead log for a soft error and goes on accepting writes.
TEST(RocksStore, a_failed_background_flush_stops_it) {
  TempFolder folder;
  const auto files = std::make_shared<FailingFiles>();
  const auto env = rocksdb::NewCompositeEnv(files);
  RocksConfig config = uneven(folder.file("db"));
  config.env = env.get();
  const auto store = std::move(open_rocks(config)).value();
  files->failing = true;
  KvBatch batch;
  batch.put(0, "k", Bytes(1000, 'x'));
  for (int writes = 0; writes < 100; ++writes) (void)store->write(batch, Durability::buffered);
  ASSERT_TRUE(files->fails_within(std::chrono::seconds(20)));
  files->failing = false;
  // Too few bytes to fill another buffer: only the news of the failed flush can end this.
  KvBatch tiny;
  tiny.put(0, "k", "");
  Result<void> written;
  for (int writes = 0; writes < 200'000 && written.ok(); ++writes)
    written = store->write(tiny, Durability::buffered);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::io);
  EXPECT_EQ(store->flush().error().code, ErrorCode::io);
}

TEST(RocksStore, tables_of_a_newer_release_do_not_stop_an_older_one) {
  TempFolder folder;
  RocksConfig config = uneven(folder.file("db"));
  config.tables.push_back("from the future");
  std::move(open_rocks(config)).value().reset();
  EXPECT_TRUE(open_rocks(uneven(folder.file("db"))).ok());
}

TEST(RocksStore, tells_how_it_is_inside) {
  TempFolder folder;
  const auto store = std::move(open_rocks(uneven(folder.file("db")))).value();
  const auto keys_of = [&] {
    for (const auto& [name, value] : store->figures())
      if (name == "estimate-num-keys") return value;
    return ~std::uint64_t{0};
  };
  EXPECT_EQ(keys_of(), 0u);
  KvBatch batch;
  for (const Table table : {Table{0}, Table{1}}) batch.put(table, "k", "v");
  ASSERT_TRUE(store->write(batch, Durability::buffered).ok());
  EXPECT_EQ(keys_of(), 2u) << "of all tables";
}

TEST(RocksStore, memory_comes_from_jemalloc) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer has its own";
#endif
  EXPECT_NE(reinterpret_cast<void*>(&mallctl), nullptr);
}

}  // namespace
}  // namespace troupe
