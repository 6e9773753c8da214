// A backup fetched piece by piece: whole or recognisably not.

#include "storage/snapshot/backup_fetch.hpp"

#include <gmock/gmock.h>

#include "tests/storage/snapshot/world.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

/// Straight from a held snapshot; may fail or lie at one piece.
class HeldSource final : public BackupSource {
 public:
  explicit HeldSource(SnapshotPtr snapshot) : snapshot_(std::move(snapshot)) {}
  Result<Bytes> manifest() override { return encode_manifest(snapshot_->manifest()); }
  Result<Bytes> read(const SnapshotFile& file, std::uint64_t offset, std::size_t size) override {
    largest = std::max(largest, size);
    if (pieces_left-- == 0) return failure;
    const auto& files = snapshot_->manifest().files;
    const auto at = std::ranges::find(files, file.name, &SnapshotFile::name) - files.begin();
    return spoil(snapshot_->read(static_cast<std::uint32_t>(at), offset, size).value());
  }
  std::size_t largest = 0;
  std::size_t pieces_left = SIZE_MAX;
  Result<Bytes> failure = Error{ErrorCode::unavailable, "no node there"};
  std::function<Bytes(Bytes)> spoil = [](Bytes bytes) { return bytes; };

 private:
  SnapshotPtr snapshot_;
};

class Fetch : public testing::TestWithParam<std::pair<std::string, MakeMachine>> {
 protected:
  Source there{GetParam().second};
  std::unique_ptr<Machine> here = GetParam().second();
  std::string backup = here->root() + "/backup";
  HeldSource source{there.snapshot};
};

TEST_P(Fetch, BringsTheWholeSnapshotAndItsManifestLast) {
  ASSERT_TRUE(here->files().make_folder(backup).ok()) << "an empty folder will do";
  const auto fetched = fetch_backup(here->files(), source, backup);
  ASSERT_TRUE(fetched.ok()) << fetched.error().message;
  EXPECT_EQ(fetched.value(), there.snapshot->manifest());
  EXPECT_EQ(verify_backup(here->files(), backup).value(), there.snapshot->manifest());
  EXPECT_LE(source.largest, backup_piece_bytes);
  const auto left = here->files().list(backup).value();
  for (const FileEntry& entry : left) EXPECT_NE(entry.name, "UNFINISHED");
}

TEST_P(Fetch, ABreakLeavesAnUnfinishedFolderThatMayBeBegunAnew) {
  source.pieces_left = 1;
  EXPECT_EQ(fetch_backup(here->files(), source, backup).error().code, ErrorCode::unavailable);
  EXPECT_EQ(verify_backup(here->files(), backup).error().code, ErrorCode::not_found);
  source.pieces_left = SIZE_MAX;
  ASSERT_TRUE(fetch_backup(here->files(), source, backup).ok());
  EXPECT_TRUE(verify_backup(here->files(), backup).ok());
}

TEST_P(Fetch, DamageOnTheWayIsSeenAndNamesTheFile) {
  source.spoil = [](Bytes bytes) {
    if (!bytes.empty()) bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
    return bytes;
  };
  const auto damaged = fetch_backup(here->files(), source, backup);
  EXPECT_EQ(damaged.error().code, ErrorCode::corrupt);
  EXPECT_THAT(damaged.error().message, HasSubstr(there.snapshot->manifest().files.front().name));
  source.spoil = [](Bytes bytes) { return bytes.substr(0, bytes.size() / 2); };
  EXPECT_EQ(fetch_backup(here->files(), source, backup).error().code, ErrorCode::corrupt);
  EXPECT_EQ(verify_backup(here->files(), backup).error().code, ErrorCode::not_found);
}

TEST_P(Fetch, WhatSomebodyElseKeepsThereStays) {
  ASSERT_TRUE(here->files().make_folder(backup + "/photos").ok());
  EXPECT_EQ(fetch_backup(here->files(), source, backup).error().code, ErrorCode::precondition_failed);
  ASSERT_TRUE(here->files().list(backup + "/photos").ok());
  const std::string other = backup + "-2";
  ASSERT_TRUE(fetch_backup(here->files(), source, other).ok());
  EXPECT_EQ(fetch_backup(here->files(), source, other).error().code, ErrorCode::precondition_failed);
  EXPECT_TRUE(verify_backup(here->files(), other).ok()) << "a finished backup is not begun anew";
}

TEST_P(Fetch, DyingAtAnyStepLeavesAWholeBackupOrNone) {
  for (std::size_t steps = 0; steps < 500; ++steps) {
    DyingFiles dying(here->files(), steps);
    const bool finished = fetch_backup(dying, source, backup).ok();
    const auto verified = verify_backup(here->files(), backup);
    if (!verified.ok()) {
      EXPECT_FALSE(finished);
      EXPECT_EQ(verified.error().code, ErrorCode::not_found) << "step " << steps;
    } else {
      EXPECT_EQ(verified.value(), there.snapshot->manifest());
      ASSERT_TRUE(here->files().remove(backup).ok());
    }
    if (finished) {
      EXPECT_GT(steps, 8u);
      return;
    }
  }
  FAIL() << "a backup has fewer steps";
}

INSTANTIATE_TEST_SUITE_P(Disks, Fetch, testing::ValuesIn(machines()),
                         [](const auto& param) { return param.param.first; });

}  // namespace
}  // namespace troupe
