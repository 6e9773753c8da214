// What is made ahead of containers. What needs root is skipped without it.

#include "actors/agent/oci/ready_parts.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "actors/agent/oci/id_namespace.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

class ReadyPartsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (const auto opened = disks_.open(); !opened.ok()) GTEST_SKIP() << opened.error().message;
  }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_.file("disks")))
      count += entry.path().filename().string().starts_with("ready-") ? 1 : 0;
    return count;
  }
  const TempFolder folder_;
  EmptyDisks disks_{folder_.file("disks"), "/sbin/mkfs.ext4"};
};

TEST_F(ReadyPartsTest, ADiskOfASizeThatWasAskedForIsReadyTheNextTime) {
  std::string image;
  {
    ReadyParts parts(&disks_);
    EXPECT_FALSE(parts.take_disk(16).has_value()) << "nobody knew";
    parts.await_made();
    EXPECT_FALSE(parts.take_disk(16).has_value()) << "once is not often";
    parts.await_made();
    const auto disk = parts.take_disk(16);
    ASSERT_TRUE(disk.has_value());
    image = disk->image;
    struct statfs system {};
    ASSERT_EQ(fstatfs(disk->mount.get(), &system), 0);
    EXPECT_EQ(system.f_type, 0xEF53) << "an ext4";
    EXPECT_GE(system.f_blocks * static_cast<std::uint64_t>(system.f_bsize), std::uint64_t{16} << 20);
    EXPECT_FALSE(parts.take_disk(24).has_value()) << "another size";
    const std::string shown = [] {
      std::ifstream in("/proc/self/mountinfo");
      return std::string(std::istreambuf_iterator<char>(in), {});
    }();
    EXPECT_EQ(shown.find(folder_.path()), std::string::npos) << "mounted nowhere";
  }
  EXPECT_EQ(files(), 1U) << "what nobody took is gone";
  EXPECT_TRUE(fs::exists(image)) << "what was taken is its taker's";
}

TEST_F(ReadyPartsTest, OnlyTheLatestSizesAreKept) {
  ReadyParts parts(&disks_);
  std::size_t taken = 0;
  for (std::int64_t size = 16; size <= 32; size += 4)
    for (int i = 0; i < 3; ++i) {
      taken += parts.take_disk(size) ? 1U : 0U;
      parts.await_made();
    }
  EXPECT_EQ(taken, 5U) << "the third of each";
  EXPECT_EQ(files() - taken, ReadyParts::sizes_max * ReadyParts::disks_each_max);
  EXPECT_TRUE(parts.take_disk(20).has_value());
  EXPECT_FALSE(parts.take_disk(16).has_value());
}

TEST_F(ReadyPartsTest, SizesThatNobodyAsksForAgainCostNothing) {
  ReadyParts parts(&disks_);
  for (int round = 0; round < 2; ++round)
    for (std::int64_t size = 16; size <= 32; size += 4) EXPECT_FALSE(parts.take_disk(size).has_value());
  parts.await_made();
  EXPECT_EQ(files(), 0U);
}

TEST_F(ReadyPartsTest, WithoutDisksInFilesNoneIsGiven) {
  ReadyParts parts(nullptr);
  EXPECT_FALSE(parts.take_disk(16).has_value());
}

TEST_F(ReadyPartsTest, ARangesUserNamespaceIsKeptForItsNextContainer) {
  if (!make_id_namespace(1'500'000'000, 65'536).is_open()) GTEST_SKIP() << "no user namespaces here";
  ReadyParts parts(nullptr);
  const auto range_of = [](const Fd& fd) {
    struct stat status {};
    fstat(fd.get(), &status);
    return status.st_ino;
  };
  EXPECT_FALSE(parts.ids_of(1'500'000'000, 65'536).is_open()) << "nobody knew";
  parts.await_made();
  const Fd first = parts.ids_of(1'500'000'000, 65'536), again = parts.ids_of(1'500'000'000, 65'536);
  ASSERT_TRUE(first.is_open() && again.is_open());
  EXPECT_EQ(range_of(first), range_of(again)) << "the same";
  for (std::uint32_t i = 1; i < ReadyParts::ranges_max; ++i)
    (void)parts.ids_of(1'500'000'000 + i * 65'536, 65'536);
  EXPECT_FALSE(parts.ids_of(2'000'000'000, 65'536).is_open()) << "one too many";
}

}  // namespace
}  // namespace troupe::agent
