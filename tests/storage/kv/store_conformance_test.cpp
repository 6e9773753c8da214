// What every key-value store must do, held against RocksDB in each role and the simulated disk.

#include <gtest/gtest.h>

#include <functional>

#include "disks.hpp"

namespace troupe {
namespace {

constexpr Table a = 0, b = 1, c = 2;

struct World {
  std::string name;
  std::function<std::unique_ptr<TestDisk>()> make;
  friend void PrintTo(const World& world, std::ostream* out) { *out << world.name; }
};

class KvConformance : public testing::TestWithParam<World> {
 protected:
  void SetUp() override {
    disk_ = GetParam().make();
    reopen();
  }
  std::string path() const { return disk_->path("store"); }
  void reopen() {
    store_.reset();
    auto opened = disk_->open(path());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(opened).value();
  }
  void crash_and_reopen() {
    disk_->crash(path(), store_);
    reopen();
  }
  void put(Table table, const Bytes& key, const Bytes& value, Durability durability = Durability::synced) {
    KvBatch batch;
    batch.put(table, key, value);
    ASSERT_TRUE(store_->write(batch, durability).ok());
  }
  std::optional<Bytes> get(Table table, const Bytes& key) const { return store_->get(table, key).value(); }
  static std::string walk(std::unique_ptr<KvCursor> cursor) {
    std::string all;
    for (; cursor->valid(); cursor->next()) all += Bytes(cursor->key()) + "=" + Bytes(cursor->value()) + " ";
    EXPECT_TRUE(cursor->status().ok());
    return all;
  }

  std::unique_ptr<TestDisk> disk_;
  std::unique_ptr<KvStore> store_;
};

TEST_P(KvConformance, a_batch_reaches_all_tables_in_its_order) {
  KvBatch batch;
  batch.put(a, "k", "first");
  batch.put(b, "k", "kept");
  batch.put(a, "k", "second");
  batch.put(c, "gone", "x");
  batch.erase_range(c, "a", "z");
  batch.put(c, "m", "after the range");
  batch.put(b, "z", "erased");
  batch.erase(b, "z");
  ASSERT_TRUE(store_->write(batch, Durability::synced).ok());
  EXPECT_EQ(get(a, "k"), "second");
  EXPECT_EQ(get(b, "k"), "kept");
  EXPECT_EQ(get(c, "gone"), std::nullopt);
  EXPECT_EQ(get(c, "m"), "after the range");
  EXPECT_EQ(get(b, "z"), std::nullopt);
  EXPECT_EQ(get(a, "nothing"), std::nullopt);
}

TEST_P(KvConformance, keys_and_values_are_bytes) {
  const Bytes key("\0\xff\0", 3), value("\0v\0", 3);
  put(a, key, value);
  put(a, "empty", "");
  EXPECT_EQ(get(a, key), value);
  EXPECT_EQ(get(a, "empty"), "");
}

TEST_P(KvConformance, a_scan_walks_low_to_high_in_byte_order) {
  for (const char* key : {"b", "a", "c", "d", "\xff"}) put(a, key, "1");
  put(b, "bb", "other table");
  EXPECT_EQ(walk(store_->scan(a, "a", "d")), "a=1 b=1 c=1 ");
  EXPECT_EQ(walk(store_->scan(a, "aa", "cc")), "b=1 c=1 ");
  EXPECT_EQ(walk(store_->scan(a, "d", "\xff\xff")), "d=1 \xff=1 ");
  EXPECT_EQ(walk(store_->scan(a, "b", "b")), "");
  EXPECT_EQ(walk(store_->scan(a, "c", "b")), "");
}

TEST_P(KvConformance, a_cursor_sees_the_moment_of_its_creation) {
  put(a, "k1", "old");
  put(a, "k2", "old");
  auto cursor = store_->scan(a, "k", "l");
  put(a, "k2", "new");
  put(a, "k3", "new");
  KvBatch batch;
  batch.erase(a, "k1");
  ASSERT_TRUE(store_->write(batch, Durability::synced).ok());
  EXPECT_EQ(walk(std::move(cursor)), "k1=old k2=old ");
  EXPECT_EQ(walk(store_->scan(a, "k", "l")), "k2=new k3=new ");
}

TEST_P(KvConformance, a_snapshot_holds_all_tables_at_one_moment) {
  put(a, "k", "old");
  put(b, "k", "old");
  const auto snapshot = store_->snapshot();
  KvBatch batch;
  batch.put(a, "k", "new");
  batch.erase_range(b, "a", "z");
  ASSERT_TRUE(store_->write(batch, Durability::synced).ok());
  EXPECT_EQ(snapshot->get(a, "k").value(), "old");
  EXPECT_EQ(snapshot->get(b, "k").value(), "old");
  EXPECT_EQ(walk(snapshot->scan(b, "a", "z")), "k=old ");
  EXPECT_EQ(get(b, "k"), std::nullopt);
}

TEST_P(KvConformance, erase_range_takes_low_and_leaves_high) {
  for (const char* key : {"a", "b", "c", "d"}) put(a, key, "1");
  KvBatch batch;
  batch.erase_range(a, "b", "d");
  batch.erase_range(a, "z", "a");  // an empty range is no change and no failure
  batch.erase_range(a, "a", "a");
  ASSERT_TRUE(store_->write(batch, Durability::synced).ok());
  EXPECT_EQ(walk(store_->scan(a, "a", "z")), "a=1 d=1 ");
}

TEST_P(KvConformance, what_was_synced_survives_a_crash_and_an_orderly_close) {
  put(a, "k", "1");
  put(b, "k", "2", Durability::buffered);
  put(c, "k", "3");  // makes what was buffered before it durable too
  crash_and_reopen();
  EXPECT_EQ(get(a, "k"), "1");
  EXPECT_EQ(get(b, "k"), "2");
  EXPECT_EQ(get(c, "k"), "3");
  reopen();
  EXPECT_EQ(get(c, "k"), "3");
}

TEST_P(KvConformance, of_buffered_batches_a_prefix_survives_whole) {
  for (int i = 1; i <= 20; ++i) {
    if (i == 11) {
      ASSERT_TRUE(store_->flush().ok());
    }
    KvBatch batch;
    for (const Table table : {a, b, c}) {
      batch.put(table, "at", std::to_string(i));
      batch.put(table, "k" + std::to_string(i), "x");
    }
    ASSERT_TRUE(store_->write(batch, Durability::buffered).ok());
  }
  crash_and_reopen();
  const int reached = std::stoi(get(a, "at").value_or("0"));
  EXPECT_GE(reached, 10);
  for (const Table table : {a, b, c}) {
    EXPECT_EQ(get(table, "at"), std::to_string(reached));
    for (int i = 1; i <= 20; ++i) EXPECT_EQ(get(table, "k" + std::to_string(i)).has_value(), i <= reached);
  }
}

TEST_P(KvConformance, flushed_is_what_a_crash_leaves_at_least) {
  EXPECT_EQ(store_->flushed(a, "k").value(), std::nullopt);
  put(a, "k", "1", Durability::buffered);
  ASSERT_TRUE(store_->flush().ok());
  EXPECT_EQ(store_->flushed(a, "k").value(), "1");
  put(a, "k", "2", Durability::buffered);
  put(a, "k", "3", Durability::buffered);
  EXPECT_EQ(get(a, "k"), "3");
  const auto promised = store_->flushed(a, "k").value();
  ASSERT_TRUE(promised.has_value());
  crash_and_reopen();
  EXPECT_GE(get(a, "k"), promised);
}

TEST_P(KvConformance, drop_files_leaves_everything_outside_its_range) {
  for (int i = 100; i < 200; ++i) put(a, "k" + std::to_string(i), "1", Durability::buffered);
  put(b, "k150", "other table", Durability::buffered);
  ASSERT_TRUE(store_->flush().ok());
  ASSERT_TRUE(store_->drop_files(a, "k120", "k180").ok());
  ASSERT_TRUE(store_->drop_files(a, "k180", "k120").ok());
  for (int i = 100; i < 120; ++i) EXPECT_EQ(get(a, "k" + std::to_string(i)), "1") << i;
  for (int i = 180; i < 200; ++i) EXPECT_EQ(get(a, "k" + std::to_string(i)), "1") << i;
  EXPECT_EQ(get(b, "k150"), "other table");
}

TEST_P(KvConformance, a_checkpoint_opens_as_a_store_of_its_own) {
  put(a, "k", "1", Durability::buffered);
  put(b, "k", "1", Durability::buffered);
  const std::string copy = disk_->path("copy");
  ASSERT_TRUE(store_->checkpoint(copy).ok());
  put(a, "k", "2");
  auto opened = disk_->open(copy);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  auto second = std::move(opened).value();
  EXPECT_EQ(second->get(a, "k").value(), "1");
  EXPECT_EQ(second->get(b, "k").value(), "1");
  KvBatch batch;
  batch.put(a, "k", "3");
  ASSERT_TRUE(second->write(batch, Durability::synced).ok());
  EXPECT_EQ(get(a, "k"), "2");
  EXPECT_FALSE(store_->checkpoint(copy).ok()) << "an existing folder is refused";
  put(a, "k", "4");  // and that hurt nothing
}

TEST_P(KvConformance, a_checkpoint_is_files_that_are_copied_and_open_elsewhere) {
  for (int i = 0; i < 3'000; ++i) put(a, "k" + std::to_string(i), Bytes(100, 'v'), Durability::buffered);
  put(c, "k", "1", Durability::buffered);
  const std::string checkpoint = disk_->path("checkpoint"), copy = disk_->path("copy");
  ASSERT_TRUE(store_->checkpoint(checkpoint).ok());
  FileDoor& files = disk_->files();
  ASSERT_TRUE(files.make_folder(copy).ok());
  const auto listed = files.list(checkpoint).value();
  for (const FileEntry& entry : listed) {
    ASSERT_FALSE(entry.is_folder);
    const Bytes bytes = files.read(checkpoint + "/" + entry.name, 0, entry.size).value();
    ASSERT_TRUE(files.write(copy + "/" + entry.name, 0, bytes).ok());
  }
  put(a, "k0", "later");
  ASSERT_TRUE(files.remove(checkpoint).ok());
  auto opened = disk_->open(copy);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened.value()->get(a, "k0").value(), Bytes(100, 'v'));
  EXPECT_EQ(opened.value()->get(a, "k2999").value(), Bytes(100, 'v'));
  EXPECT_EQ(opened.value()->get(c, "k").value(), "1");
}

TEST_P(KvConformance, a_checkpoint_without_one_of_its_files_does_not_open) {
  for (const Table table : {a, b, c}) put(table, "k", "1");
  const std::string copy = disk_->path("copy");
  ASSERT_TRUE(store_->checkpoint(copy).ok());
  FileDoor& files = disk_->files();
  const auto listed = files.list(copy).value();
  for (const FileEntry& entry : listed) {
    if (!entry.name.ends_with(".sst") && !entry.name.ends_with(".tab")) continue;
    ASSERT_TRUE(files.remove(copy + "/" + entry.name).ok());
    break;
  }
  const auto opened = disk_->open(copy);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
}

TEST_P(KvConformance, looking_at_a_store_changes_nothing) {
  put(a, "k", "1", Durability::buffered);
  put(b, "k", "2", Durability::buffered);
  const std::string copy = disk_->path("copy");
  ASSERT_TRUE(store_->checkpoint(copy).ok());
  const auto names = [&] {
    std::string all;
    const auto listed = disk_->files().list(copy).value();
    for (const FileEntry& entry : listed) all += entry.name + " " + std::to_string(entry.size) + "\n";
    return all;
  };
  const std::string before = names();
  {
    auto looked = disk_->look(copy);
    ASSERT_TRUE(looked.ok()) << looked.error().message;
    EXPECT_EQ(looked.value()->get(a, "k").value(), "1");
    EXPECT_EQ(walk(looked.value()->scan(b, "a", "z")), "k=2 ");
  }
  EXPECT_EQ(names(), before);
  EXPECT_TRUE(disk_->open(copy).ok());
  EXPECT_FALSE(disk_->look(disk_->path("nothing")).ok());
}

TEST_P(KvConformance, counters_count) {
  const auto before = store_->counters();
  put(a, "k", Bytes(1000, 'x'));
  put(a, "l", Bytes(1000, 'x'), Durability::buffered);
  const auto after = store_->counters();
  EXPECT_EQ(after.batches - before.batches, 2u);
  EXPECT_EQ(after.syncs - before.syncs, 1u);
  EXPECT_GE(after.bytes_written - before.bytes_written, 2000u);
}

TEST_P(KvConformance, a_path_is_open_once) { EXPECT_FALSE(disk_->open(path()).ok()); }

std::vector<World> worlds() {
  using Role = RocksConfig::Role;
  return {{"rocks_state", [] { return std::make_unique<RocksDisk>(Role::state); }},
          {"rocks_log", [] { return std::make_unique<RocksDisk>(Role::log); }},
          {"rocks_journal", [] { return std::make_unique<RocksDisk>(Role::journal); }},
          {"memory", [] { return std::make_unique<MemoryDisk>(); }}};
}

INSTANTIATE_TEST_SUITE_P(Stores, KvConformance, testing::ValuesIn(worlds()),
                         [](const auto& world) { return world.param.name; });

}  // namespace
}  // namespace troupe
