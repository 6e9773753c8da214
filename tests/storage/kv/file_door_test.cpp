// What plain files must do, on the machine's disk and on the simulated one; and what a crash takes.

#include <gtest/gtest.h>

#include <functional>

#include "disks.hpp"

namespace troupe {
namespace {

class FileDoorConformance : public testing::TestWithParam<bool> {
 protected:
  FileDoorConformance()
      : disk_(GetParam() ? std::unique_ptr<TestDisk>(std::make_unique<MemoryDisk>())
                         : std::make_unique<RocksDisk>(RocksConfig::Role::state)) {
    EXPECT_TRUE(files().make_folder(at("")).ok());
  }
  FileDoor& files() { return disk_->files(); }
  std::string at(const std::string& name) const {
    return disk_->path("folder") + (name.empty() ? "" : "/") + name;
  }
  std::string names(const std::string& folder) {
    std::string all;
    const auto listed = files().list(folder).value();
    for (const FileEntry& entry : listed)
      all += entry.name + (entry.is_folder ? "/ " : "=" + std::to_string(entry.size) + " ");
    return all;
  }
  std::unique_ptr<TestDisk> disk_;
};

TEST_P(FileDoorConformance, a_file_is_written_piece_by_piece_and_read_by_range) {
  ASSERT_TRUE(files().write(at("f"), 0, "hello").ok());
  ASSERT_TRUE(files().write(at("f"), 5, " world").ok());
  EXPECT_EQ(files().size_of(at("f")).value(), 11u);
  EXPECT_EQ(files().read(at("f"), 6, 100).value(), "world");
  EXPECT_EQ(files().read(at("f"), 2, 3).value(), "llo");
  EXPECT_EQ(files().read(at("f"), 11, 3).value(), "");
  EXPECT_EQ(files().read(at("f"), 99, 3).value(), "");
}

TEST_P(FileDoorConformance, writing_again_from_somewhere_drops_what_was_behind) {
  ASSERT_TRUE(files().write(at("f"), 0, "0123456789").ok());
  ASSERT_TRUE(files().write(at("f"), 4, "x").ok());
  EXPECT_EQ(files().read(at("f"), 0, 100).value(), "0123x");
  EXPECT_EQ(files().write(at("f"), 6, "y").error().code, ErrorCode::invalid_argument);
  ASSERT_TRUE(files().write(at("f"), 0, "").ok());
  EXPECT_EQ(files().size_of(at("f")).value(), 0u);
}

TEST_P(FileDoorConformance, folders_nest_are_listed_in_order_and_go_as_a_whole) {
  ASSERT_TRUE(files().make_folder(at("a/b")).ok());
  ASSERT_TRUE(files().make_folder(at("a/b")).ok());
  ASSERT_TRUE(files().write(at("a/2"), 0, "xx").ok());
  ASSERT_TRUE(files().write(at("a/1"), 0, "x").ok());
  EXPECT_EQ(names(at("a")), "1=1 2=2 b/ ");
  ASSERT_TRUE(files().remove(at("a")).ok());
  EXPECT_EQ(names(at("")), "");
  EXPECT_TRUE(files().remove(at("a")).ok());
}

TEST_P(FileDoorConformance, renaming_replaces_a_file_and_moves_a_folder) {
  ASSERT_TRUE(files().write(at("old"), 0, "old").ok());
  ASSERT_TRUE(files().write(at("new"), 0, "new").ok());
  ASSERT_TRUE(files().rename(at("new"), at("old")).ok());
  EXPECT_EQ(files().read(at("old"), 0, 9).value(), "new");
  ASSERT_TRUE(files().make_folder(at("f")).ok());
  ASSERT_TRUE(files().write(at("f/x"), 0, "x").ok());
  ASSERT_TRUE(files().rename(at("f"), at("g")).ok());
  EXPECT_EQ(files().read(at("g/x"), 0, 9).value(), "x");
  EXPECT_EQ(names(at("")), "g/ old=3 ");
}

TEST_P(FileDoorConformance, what_is_not_there_is_not_found) {
  EXPECT_EQ(files().read(at("no"), 0, 1).error().code, ErrorCode::not_found);
  EXPECT_EQ(files().size_of(at("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(files().list(at("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(files().rename(at("no"), at("x")).error().code, ErrorCode::not_found);
  EXPECT_EQ(files().sync(at("no")).error().code, ErrorCode::not_found);
  EXPECT_EQ(files().write(at("no/x"), 0, "x").error().code, ErrorCode::not_found);
}

TEST_P(FileDoorConformance, syncing_succeeds) {
  ASSERT_TRUE(files().write(at("f"), 0, "x").ok());
  EXPECT_TRUE(files().sync(at("f")).ok());
  EXPECT_TRUE(files().sync_folder(at("")).ok());
}

TEST_P(FileDoorConformance, a_small_file_is_replaced_and_read_within_its_limit) {
  ASSERT_TRUE(replace_small_file(files(), at(""), "pointer", "one").ok());
  ASSERT_TRUE(replace_small_file(files(), at(""), "pointer", "two").ok());
  EXPECT_EQ(read_small_file(files(), at("pointer"), 3).value(), "two");
  EXPECT_EQ(read_small_file(files(), at("pointer"), 2).error().code, ErrorCode::corrupt);
  EXPECT_EQ(names(at("")), "pointer=3 ");
}

INSTANTIATE_TEST_SUITE_P(Doors, FileDoorConformance, testing::Bool(),
                         [](const auto& world) { return world.param ? "simulated" : "system"; });

/// Runs `steps` on a simulated disk, crashes it under many seeds, and hands each aftermath to `look`.
void after_crashes(const std::function<void(FileDoor&)>& steps, const std::function<void(FileDoor&)>& look) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimDisk disk;
    steps(disk.files());
    Random random(seed);
    disk.crash_files(random);
    look(disk.files());
  }
}

TEST(SimFileCrash, keeps_what_was_synced_and_any_beginning_of_the_rest) {
  std::map<std::string, int> seen;
  after_crashes(
      [](FileDoor& files) {
        (void)files.write("f", 0, "ab");
        (void)files.sync("f");
        (void)files.sync_folder("");
        (void)files.write("f", 2, "cd");
      },
      [&](FileDoor& files) { ++seen[files.read("f", 0, 9).value()]; });
  EXPECT_EQ(seen.size(), 3u);
  for (const char* found : {"ab", "abc", "abcd"}) EXPECT_GT(seen[found], 0) << found;
}

TEST(SimFileCrash, forgets_names_that_no_folder_sync_made_durable) {
  int lost = 0, kept = 0;
  after_crashes(
      [](FileDoor& files) {
        (void)files.write("f", 0, "ab");
        (void)files.sync("f");
      },
      [&](FileDoor& files) { ++(files.size_of("f").ok() ? kept : lost); });
  EXPECT_GT(lost, 0);
  EXPECT_GT(kept, 0);
}

TEST(SimFileCrash, leaves_the_old_or_the_new_small_file) {
  std::map<std::string, int> seen;
  after_crashes(
      [](FileDoor& files) {
        (void)replace_small_file(files, "", "p", "old");
        (void)files.write("p.new", 0, "new");
        (void)files.sync("p.new");
        (void)files.rename("p.new", "p");
      },
      [&](FileDoor& files) { ++seen[files.read("p", 0, 9).value()]; });
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_GT(seen["old"], 0);
  EXPECT_GT(seen["new"], 0);
}

TEST(SimFileCrash, a_full_disk_refuses_and_changes_nothing) {
  SimDisk disk;
  ASSERT_TRUE(disk.files().write("f", 0, "12345").ok());
  disk.limit_bytes(8);
  const auto refused = disk.files().write("g", 0, "1234");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("no space"), std::string::npos);
  EXPECT_TRUE(disk.files().write("f", 5, "678").ok());
  EXPECT_TRUE(disk.files().remove("f").ok());
  EXPECT_EQ(disk.used_bytes(), 0u);
}

}  // namespace
}  // namespace troupe
