// The simulated disk's own promises: what it loses, breaks and damages.

#include <gtest/gtest.h>

#include <set>

#include "storage/kv/memory_store.hpp"

namespace troupe {
namespace {

class SimDiskTest : public testing::Test {
 protected:
  std::unique_ptr<KvStore> open() { return std::move(disk_.open("f", {"a", "b"})).value(); }
  static Result<void> put(KvStore& store, const Bytes& key, const Bytes& value,
                          Durability durability = Durability::buffered) {
    KvBatch batch;
    batch.put(0, key, value);
    return store.write(batch, durability);
  }
  SimDisk disk_;
  Random random_{1};
};

TEST_F(SimDiskTest, every_prefix_of_the_unflushed_batches_can_survive) {
  std::set<std::string> survived;
  for (int round = 0; round < 200; ++round) {
    disk_.remove("f");
    auto store = open();
    ASSERT_TRUE(put(*store, "k", "0", Durability::synced).ok());
    for (const char* value : {"1", "2", "3"}) ASSERT_TRUE(put(*store, "k", value).ok());
    disk_.crash("f", random_);
    survived.insert(open()->get(0, "k").value().value());
  }
  EXPECT_EQ(survived, (std::set<std::string>{"0", "1", "2", "3"}));
}

TEST_F(SimDiskTest, a_hard_crash_takes_back_erased_ranges_and_new_keys) {
  auto store = open();
  for (const char* key : {"k1", "k2"}) ASSERT_TRUE(put(*store, key, "old", Durability::synced).ok());
  KvBatch batch;
  batch.erase_range(0, "k", "l");
  batch.put(0, "k2", "new");
  batch.put(1, "k3", "new");
  ASSERT_TRUE(store->write(batch, Durability::buffered).ok());
  disk_.crash_hard("f");
  store = open();
  EXPECT_EQ(store->get(0, "k1").value(), "old");
  EXPECT_EQ(store->get(0, "k2").value(), "old");
  EXPECT_EQ(store->get(1, "k3").value(), std::nullopt);
}

TEST_F(SimDiskTest, flushed_shows_exactly_what_a_hard_crash_leaves) {
  auto store = open();
  ASSERT_TRUE(put(*store, "k", "1", Durability::synced).ok());
  ASSERT_TRUE(put(*store, "k", "2").ok());
  ASSERT_TRUE(put(*store, "k", "3").ok());
  ASSERT_TRUE(put(*store, "n", "new").ok());
  EXPECT_EQ(store->flushed(0, "k").value(), "1");
  EXPECT_EQ(store->flushed(0, "n").value(), std::nullopt);
  disk_.crash_hard("f");
  EXPECT_EQ(open()->get(0, "k").value(), "1");
}

TEST_F(SimDiskTest, a_store_of_a_dead_process_is_dead_even_when_the_path_is_open_again) {
  auto old = open();
  ASSERT_TRUE(put(*old, "k", "1", Durability::synced).ok());
  disk_.crash("f", random_);
  auto fresh = open();
  EXPECT_FALSE(put(*old, "k", "2").ok());
  EXPECT_FALSE(old->get(0, "k").ok());
  EXPECT_FALSE(old->scan(0, "a", "z")->status().ok());
  old.reset();
  EXPECT_EQ(fresh->get(0, "k").value(), "1");
  EXPECT_TRUE(put(*fresh, "k", "3").ok()) << "closing the dead store closed the living one";
}

TEST_F(SimDiskTest, an_injected_write_failure_is_sticky_and_changes_nothing) {
  auto store = open();
  ASSERT_TRUE(put(*store, "k", "1", Durability::synced).ok());
  disk_.fail_writes("f");
  EXPECT_EQ(put(*store, "k", "2", Durability::synced).error().code, ErrorCode::io);
  EXPECT_EQ(put(*store, "k", "3").error().code, ErrorCode::io);
  EXPECT_FALSE(store->flush().ok());
  EXPECT_EQ(store->get(0, "k").value(), "1");
  disk_.crash("f", random_);
  store = open();
  EXPECT_TRUE(put(*store, "k", "4").ok()) << "a restart ends the fault";
}

TEST_F(SimDiskTest, a_batch_whose_sync_failed_may_or_may_not_survive) {
  std::set<std::string> survived;
  for (int round = 0; round < 50; ++round) {
    disk_.remove("f");
    auto store = open();
    ASSERT_TRUE(put(*store, "k", "1", Durability::synced).ok());
    disk_.fail_syncs("f");
    EXPECT_FALSE(put(*store, "k", "2", Durability::synced).ok());
    EXPECT_FALSE(put(*store, "k", "3", Durability::synced).ok());
    disk_.crash("f", random_);
    survived.insert(open()->get(0, "k").value().value());
  }
  EXPECT_EQ(survived, (std::set<std::string>{"1", "2"}));
}

TEST_F(SimDiskTest, a_full_disk_refuses_and_the_books_balance) {
  auto store = open();
  ASSERT_TRUE(put(*store, "k", Bytes(50, 'x'), Durability::synced).ok());
  EXPECT_EQ(disk_.used_bytes(), 51u);
  disk_.limit_bytes(80);
  EXPECT_FALSE(put(*store, "l", Bytes(50, 'x'), Durability::synced).ok());
  EXPECT_EQ(disk_.used_bytes(), 51u);
  EXPECT_EQ(store->get(0, "l").value(), std::nullopt);
  store.reset();
  disk_.remove("f");
  EXPECT_EQ(disk_.used_bytes(), 0u);
}

TEST_F(SimDiskTest, dropped_files_stay_dropped_after_a_crash_but_newer_buffered_values_stay_until_then) {
  auto store = open();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(put(*store, "k" + std::to_string(i), "old", Durability::synced).ok());
  ASSERT_TRUE(put(*store, "k5", "new").ok());
  ASSERT_TRUE(store->drop_files(0, "k2", "k8").ok());
  EXPECT_EQ(store->get(0, "k4").value(), std::nullopt);
  EXPECT_EQ(store->get(0, "k2").value(), "old") << "the edge stays";
  EXPECT_EQ(store->get(0, "k7").value(), "old") << "the edge stays";
  EXPECT_EQ(store->get(0, "k5").value(), "new");
  disk_.crash_hard("f");
  store = open();
  EXPECT_EQ(store->get(0, "k5").value(), std::nullopt) << "its file is gone";
  EXPECT_EQ(store->get(0, "k4").value(), std::nullopt);
  EXPECT_EQ(store->get(0, "k8").value(), "old");
}

TEST_F(SimDiskTest, damage_is_silent_and_spares_snapshots) {
  auto store = open();
  ASSERT_TRUE(put(*store, "k", "value", Durability::synced).ok());
  const auto snapshot = store->snapshot();
  ASSERT_TRUE(disk_.flip_bit("f", 0, random_));
  EXPECT_NE(store->get(0, "k").value(), "value");
  EXPECT_EQ(store->get(0, "k").value().value().size(), 5u);
  ASSERT_TRUE(disk_.tear_tail("f", 0, random_));
  EXPECT_LT(store->get(0, "k").value().value().size(), 5u);
  ASSERT_TRUE(disk_.lose_key("f", 0, random_));
  EXPECT_EQ(store->get(0, "k").value(), std::nullopt);
  EXPECT_EQ(snapshot->get(0, "k").value(), "value");
  EXPECT_FALSE(disk_.flip_bit("f", 0, random_)) << "nothing is left to damage";
  EXPECT_EQ(disk_.used_bytes(), 0u);
}

TEST_F(SimDiskTest, what_is_never_flushed_by_the_owner_is_bounded) {
  auto store = open();
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(put(*store, "k", std::to_string(i)).ok());
  disk_.crash_hard("f");
  EXPECT_GT(std::stoi(open()->get(0, "k").value().value_or("0")), 0);
}

TEST(OpenMemory, is_a_store_without_a_disk_to_hold) {
  const auto store = open_memory({"a"});
  KvBatch batch;
  batch.put(0, "k", "v");
  ASSERT_TRUE(store->write(batch, Durability::synced).ok());
  EXPECT_EQ(store->get(0, "k").value(), "v");
}

}  // namespace
}  // namespace troupe
