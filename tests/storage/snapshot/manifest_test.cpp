// A manifest survives its bytes and nothing else does; a folder is what its manifest says, or is refused.

#include "storage/snapshot/manifest.hpp"

#include <gtest/gtest.h>

#include "storage/kv/memory_store.hpp"

namespace troupe {
namespace {

SnapshotManifest sample() {
  SnapshotManifest manifest;
  manifest.cell = "north";
  manifest.index = Index{7};
  manifest.term = Term{3};
  manifest.membership = {{NodeId{1}, NodeId{2}}, {NodeId{3}}};
  manifest.state_hash = 0x1122334455667788ULL;
  manifest.files = {{"a", 3, {1, 2}}, {"b", 0, {3, 4}}};
  return manifest;
}

/// A folder of some files, and its manifest.
struct Folder {
  SimDisk disk;
  FileDoor& files = disk.files();
  SnapshotManifest manifest = sample();
  Folder() {
    TROUPE_CHECK(files.make_folder("s").ok());
    manifest.files.clear();
    for (const auto& [name, size] : {std::pair{"empty", 0u}, {"large", 700'000u}, {"small", 10u}}) {
      Random random(size);
      Bytes bytes;
      while (bytes.size() < size) bytes.push_back(static_cast<char>(random.next()));
      TROUPE_CHECK(files.write(std::string("s/") + name, 0, bytes).ok());
      manifest.files.push_back(describe_file(files, "s", name).value());
    }
  }
  ErrorCode refusal() {
    const auto verified = verify_folder(files, "s", manifest);
    EXPECT_FALSE(verified.ok());
    return verified.ok() ? ErrorCode::internal : verified.error().code;
  }
};

TEST(Manifest, SurvivesItsBytes) { EXPECT_EQ(decode_manifest(encode_manifest(sample())).value(), sample()); }

TEST(Manifest, EveryFlippedBitIsNoticed) {
  const Bytes good = encode_manifest(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<char>(static_cast<unsigned char>(bad[bit / 8]) ^ (1u << (bit % 8)));
    EXPECT_FALSE(decode_manifest(bad).ok()) << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_manifest(good.substr(0, size)).ok()) << size;
}

TEST(Manifest, OfANewerFormatAsksForAnUpgrade) {
  Bytes newer = encode_manifest(sample());
  newer[0] = 2;
  EXPECT_EQ(decode_manifest(newer).error().code, ErrorCode::unavailable);
}

TEST(Manifest, NamesNeverLeadOutOfTheFolder) {
  for (const char* name : {"../x", "/etc/passwd", ".", "..", "", "a/b"}) {
    SnapshotManifest bad = sample();
    bad.files = {{name, 1, {}}};
    EXPECT_EQ(decode_manifest(encode_manifest(bad)).error().code, ErrorCode::corrupt) << name;
  }
  SnapshotManifest twice = sample();
  twice.files = {{"a", 1, {}}, {"a", 1, {}}};
  EXPECT_FALSE(decode_manifest(encode_manifest(twice)).ok());
  SnapshotManifest impossible = sample();
  impossible.files = {{"a", UINT64_MAX, {}}, {"b", 2, {}}};
  EXPECT_FALSE(decode_manifest(encode_manifest(impossible)).ok());
  SnapshotManifest empty = sample();
  empty.files.clear();
  EXPECT_FALSE(decode_manifest(encode_manifest(empty)).ok());
}

TEST(Folders, AreWhatTheirManifestSays) {
  Folder folder;
  EXPECT_TRUE(verify_folder(folder.files, "s", folder.manifest).ok());
  ASSERT_TRUE(copy_files(folder.files, "s", "copy", folder.manifest).ok());
  EXPECT_TRUE(verify_folder(folder.files, "copy", folder.manifest).ok());
  EXPECT_EQ(copy_files(folder.files, "s", "copy", folder.manifest).error().code, ErrorCode::io);
}

TEST(Folders, WithAFlippedBitALostOrAnAddedFileAreRefused) {
  for (const char* name : {"large", "small"}) {
    Folder folder;
    Random random(9);
    ASSERT_TRUE(folder.disk.flip_file_bit(std::string("s/") + name, random));
    EXPECT_EQ(folder.refusal(), ErrorCode::corrupt);
  }
  Folder lost;
  ASSERT_TRUE(lost.files.remove("s/empty").ok());
  EXPECT_EQ(lost.refusal(), ErrorCode::corrupt);
  Folder added;
  ASSERT_TRUE(added.files.write("s/other", 0, "x").ok());
  EXPECT_EQ(added.refusal(), ErrorCode::corrupt);
  Folder torn;
  ASSERT_TRUE(torn.files.write("s/large", 699'999, "").ok());
  EXPECT_EQ(torn.refusal(), ErrorCode::corrupt);
}

TEST(Folders, ACopyToAFullDiskFails) {
  Folder folder;
  folder.disk.limit_bytes(folder.disk.used_bytes() + 300'000);
  EXPECT_EQ(copy_files(folder.files, "s", "copy", folder.manifest).error().code, ErrorCode::io);
}

}  // namespace
}  // namespace troupe
