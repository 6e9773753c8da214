// What is here already: found without its source, kept while it is used, and deleted by the water marks.

#include "actors/agent/images/image_store.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "actors/agent/images/blob_text.hpp"
#include "storage/base/msgpack.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;

/// A registry that is down, or answers with one digest and has nothing else.
struct PoorSource final : ImageSource {
  Result<BlobLink> resolve(const ImageName&, Pull& pull) override {
    patience = pull.patience;
    if (digest.empty()) return Error{why, "the registry is down"};
    return BlobLink{"", digest, 0};
  }
  Result<Fd> open_blob(const ImageName&, const BlobWish&, Pull&) override {
    return Error{ErrorCode::unavailable, "the registry is down"};
  }
  std::string digest;
  ErrorCode why = ErrorCode::unavailable;
  Pull::Patience patience = Pull::Patience::full;
};

std::string digest_of(char letter) { return "sha256:" + std::string(64, letter); }

class ImageStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.folder = folder_.file("images");
    config_.helper = "/no/such/helper";
    config_.bytes_high = 250;
    config_.bytes_low = 100;
    reopen();
  }

  void reopen() {
    store_ = std::make_unique<ImageStore>(config_, source_);
    ASSERT_TRUE(store_->open().ok());
  }
  std::string layer(char letter) const { return config_.folder + "/layers/" + std::string(64, letter); }
  void add_layer(char letter, std::uint64_t bytes, int hours_old) {
    fs::create_directories(layer(letter) + "/fs");
    std::ofstream(layer(letter) + "/bytes") << bytes;
    const auto now = fs::last_write_time(layer(letter) + "/bytes");
    fs::last_write_time(layer(letter) + "/bytes", now - std::chrono::hours(hours_old));
  }
  void add_image(char manifest, char diff_id) {
    ImageConfig config;
    config.diff_ids = {digest_of(diff_id)};
    std::ofstream(config_.folder + "/images/" + std::string(64, manifest)) << packed(config);
  }

  TempFolder folder_;
  ImageStoreConfig config_;
  PoorSource source_;
  std::unique_ptr<ImageStore> store_;
};

TEST_F(ImageStoreTest, AnImageThatIsHereStartsWithTheRegistryDown) {
  add_layer('a', 10, 1);
  add_image('1', 'a');
  const std::string by_digest = "app@" + digest_of('1');
  EXPECT_THAT(store_->ensure(by_digest).value().layers, testing::ElementsAre(layer('a') + "/fs"));
  EXPECT_EQ(store_->ensure("app:v1").error().code, ErrorCode::unavailable) << "no tag was seen yet";
  EXPECT_EQ(source_.patience, Pull::Patience::full);
  source_.digest = digest_of('1');
  EXPECT_TRUE(store_->ensure("app:v1").ok());
  source_.digest.clear();
  reopen();
  EXPECT_EQ(store_->ensure("app:v1").value().digest, digest_of('1')) << "the tag's last digest is remembered";
  EXPECT_FALSE(store_->ensure("app:v1").value().was_fetched);
  EXPECT_EQ(source_.patience, Pull::Patience::brief) << "there is something to fall back to";
}

TEST_F(ImageStoreTest, ATagThatIsGoneIsNotAnsweredFromMemoryNorIsAStoppedTask) {
  add_layer('a', 10, 1);
  add_image('1', 'a');
  source_.digest = digest_of('1');
  ASSERT_TRUE(store_->ensure("app:v1").ok());
  source_.digest.clear();
  const auto stopped = store_->ensure("app:v1", [] {
    return Result<void>(Error{ErrorCode::conflict, "stopped"});
  });
  EXPECT_EQ(stopped.error().code, ErrorCode::conflict);
  source_.why = ErrorCode::not_found;
  EXPECT_EQ(store_->ensure("app:v1").error().code, ErrorCode::not_found) << "the registry is up and says no";
}

TEST_F(ImageStoreTest, AnImageWhoseLayerIsGoneIsNotHere) {
  add_image('1', 'a');
  EXPECT_EQ(store_->ensure("app@" + digest_of('1')).error().code, ErrorCode::unavailable);
}

TEST_F(ImageStoreTest, BeyondTheHighMarkTheLongestUnusedGoUntilTheLowMarkButNeverUsedOnes) {
  add_layer('a', 100, 5);  // the oldest, but in use
  add_layer('b', 100, 4);
  add_layer('c', 100, 3);
  add_image('1', 'a');
  store_->pin({layer('a') + "/fs"});
  EXPECT_EQ(store_->trim(), 100U);
  EXPECT_TRUE(fs::exists(layer('a')));
  EXPECT_FALSE(fs::exists(layer('b')));
  EXPECT_FALSE(fs::exists(layer('c')));
  store_->unpin({layer('a') + "/fs"});
  EXPECT_EQ(store_->trim(), 100U) << "below the high mark nothing goes";
  EXPECT_TRUE(fs::exists(layer('a')));
}

TEST_F(ImageStoreTest, AUseMakesALayerYoungAndPinsIt) {
  add_layer('a', 100, 5);
  add_layer('b', 100, 4);
  add_layer('c', 100, 3);
  add_image('1', 'a');
  const auto image = store_->ensure("app@" + digest_of('1'));
  ASSERT_TRUE(image.ok());
  store_->trim();
  EXPECT_TRUE(fs::exists(layer('a')));
  store_->unpin(image.value().layers);
  add_layer('d', 100, 2);
  add_layer('e', 100, 1);
  store_->trim();
  EXPECT_TRUE(fs::exists(layer('a'))) << "used last";
  EXPECT_FALSE(fs::exists(layer('d')));
}

TEST_F(ImageStoreTest, WhatACrashLeftHalfDoneIsDroppedAndOthersCannotLookInside) {
  fs::create_directories(layer('a') + ".tmp-7/fs");
  reopen();
  EXPECT_FALSE(fs::exists(layer('a') + ".tmp-7"));
  struct stat status {};
  ASSERT_EQ(stat(config_.folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(ImageStoreTest, ADocumentIsHeldToItsDigest) {
  EXPECT_EQ(sha256_digest("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(hold_to_digest("abc", sha256_digest("abc")).ok());
  EXPECT_EQ(hold_to_digest("abd", sha256_digest("abc")).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace troupe::agent
