// Disks of bounded size, as far as they can be made without mounting one, and what a folder takes.

#include "actors/agent/oci/disk_quota.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;
constexpr const char* make_program = "/sbin/mkfs.ext4";
constexpr std::uint64_t one_mib = 1 << 20;

TEST(DiskQuota, IsNamedAsOperatorsWriteIt) {
  for (const DiskQuota quota :
       {DiskQuota::automatic, DiskQuota::loop, DiskQuota::accounting, DiskQuota::unenforced})
    EXPECT_EQ(parse_disk_quota(disk_quota_text(quota)).value(), quota);
  EXPECT_EQ(parse_disk_quota("quota").error().code, ErrorCode::invalid_argument);
}

TEST(DiskQuota, ADiskHasAFileSystemAndTakesNoRoomUntilItIsUsed) {
  const TempFolder folder;
  fs::create_directory(folder.file("disks"));
  EmptyDisks disks(folder.file("disks"), make_program);
  for (const char* name : {"a", "b"}) {
    ASSERT_TRUE(disks.make(folder.file(name), 100).ok());
    struct stat file {};
    ASSERT_EQ(stat(folder.file(name).c_str(), &file), 0);
    EXPECT_GE(file.st_size, static_cast<off_t>(100 * one_mib));
    EXPECT_LE(file.st_size, static_cast<off_t>(110 * one_mib));
    EXPECT_LT(static_cast<std::uint64_t>(file.st_blocks) * 512, 2 * one_mib);
    std::ifstream in(folder.file(name));
    in.seekg(1'024 + 0x38);
    EXPECT_EQ(in.get(), 0x53) << "ext4 says so";
    EXPECT_EQ(in.get(), 0xEF);
  }
  EXPECT_EQ(disks.make(folder.file("a"), 100).error().code, ErrorCode::io)
      << "never over a disk that is there";
  EmptyDisks broken(folder.file("disks"), "/no/such/program");
  EXPECT_EQ(broken.make(folder.file("c"), 50).error().code, ErrorCode::io);
}

TEST(DiskQuota, WhatAFolderTakesCountsEachFileOnceAndFollowsNothing) {
  const TempFolder folder;
  const std::uint64_t empty = disk_use_of(folder.path(), 100 * one_mib);
  std::ofstream(folder.file("file")) << std::string(one_mib, 'x') << std::flush;
  fs::create_hard_link(folder.file("file"), folder.file("again"));
  const TempFolder other;
  std::ofstream(other.file("far")) << std::string(4 * one_mib, 'x') << std::flush;
  fs::create_symlink(other.path(), folder.file("link"));
  fs::create_directory(folder.file("sub"));
  std::ofstream(folder.file("sub/file")) << std::string(one_mib, 'x') << std::flush;
  const std::uint64_t taken = disk_use_of(folder.path(), 100 * one_mib) - empty;
  EXPECT_GE(taken, 2 * one_mib);
  EXPECT_LT(taken, 3 * one_mib);
  EXPECT_GT(disk_use_of(folder.path(), one_mib), one_mib) << "enough to know";
  EXPECT_EQ(disk_use_of(folder.file("none"), one_mib), 0U);
}

}  // namespace
}  // namespace troupe::agent
