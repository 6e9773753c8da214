// Names, documents and archives of images: what is taken, and what is refused with which words.

#include <gmock/gmock.h>

#include "actors/agent/images/image_documents.hpp"
#include "actors/agent/images/layer_check.hpp"

namespace troupe::agent {
namespace {

using ::testing::HasSubstr;
using Kind = LayerEntry::Kind;

const std::string some_digest = "sha256:" + std::string(64, 'a');
const std::string other_digest = "sha256:" + std::string(64, 'b');

TEST(ImageNames, AreReadByTagOrDigest) {
  EXPECT_EQ(parse_image_name("busybox:1.36").value(), (ImageName{"busybox", "1.36", ""}));
  EXPECT_EQ(parse_image_name("registry:5000/team/app:v1").value(),
            (ImageName{"registry:5000/team/app", "v1", ""}));
  EXPECT_EQ(parse_image_name("app@" + some_digest).value(), (ImageName{"app", "", some_digest}));
  for (const char* bad : {"", "app", ":1", "app:", "../app:1", "a/../b:1", "/app:1", "app/:1", "app:a/b",
                          "app@sha256:12", "app@md5:00", "registry:5000/app", "a b:1"})
    EXPECT_FALSE(parse_image_name(bad).ok()) << bad;
}

TEST(ImageDocuments, DigestsBecomeFileNamesAndAreHeldToTheirForm) {
  EXPECT_TRUE(is_sha256_digest(some_digest));
  for (const std::string& bad :
       {std::string("sha256:"), "sha256:" + std::string(63, 'a'), "sha256:" + std::string(64, 'A'),
        "sha512:" + std::string(64, 'a'), "sha256:" + std::string(61, 'a') + "/.."})
    EXPECT_FALSE(is_sha256_digest(bad)) << bad;
}

std::string manifest_with(const std::string& layers) {
  return R"({"config": {"digest": ")" + some_digest + R"(", "size": 2}, "layers": [)" + layers + "]}";
}

std::string layer_link(const std::string& digest) {
  return R"({"mediaType": "x", "digest": ")" + digest + R"(", "size": 5})";
}

TEST(ImageDocuments, AManifestNamesItsLayersFromBelow) {
  const auto manifest =
      parse_manifest(manifest_with(layer_link(some_digest) + "," + layer_link(other_digest))).value();
  EXPECT_EQ(manifest.config.digest, some_digest);
  ASSERT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(manifest.layers[1].digest, other_digest);
  std::string many;
  for (std::size_t i = 0; i <= layers_max; ++i) many += (i ? "," : "") + layer_link(some_digest);
  for (const std::string& bad : {std::string("[]"), std::string("{"), std::string("{}"), manifest_with(""),
                                 manifest_with(layer_link("sha256:../../etc")), manifest_with("7"),
                                 manifest_with(many), std::string(document_bytes_max + 1, ' ')})
    EXPECT_EQ(parse_manifest(bad).error().code, ErrorCode::invalid_argument) << bad.substr(0, 80);
}

TEST(ImageDocuments, AnIndexIsSearchedForTheTagAndThisKindOfMachine) {
  const auto entry = [](const std::string& digest, const std::string& more) {
    return R"({"digest": ")" + digest + R"(", "size": 1)" + more + "}";
  };
  const std::string tagged = R"(, "annotations": {"org.opencontainers.image.ref.name": "v1"})";
  const std::string arm = R"(, "platform": {"os": "linux", "architecture": "arm64"})";
  const std::string amd = R"(, "platform": {"os": "linux", "architecture": "amd64"})";
  const std::string index = R"({"manifests": [)" + entry(other_digest, tagged + arm) + "," +
                            entry(some_digest, tagged + amd) + "]}";
  EXPECT_EQ(choose_manifest(index, "v1").value().digest, some_digest);
  EXPECT_EQ(choose_manifest(index, "").value().digest, some_digest);
  EXPECT_EQ(choose_manifest(index, "v2").error().code, ErrorCode::not_found);
  EXPECT_EQ(choose_manifest(R"({"manifests": 3})", "v1").error().code, ErrorCode::invalid_argument);
}

TEST(ImageDocuments, AConfigurationMustFitItsManifest) {
  const std::string text =
      R"({"config": {"Env": ["A=b"], "Entrypoint": null, "Cmd": ["c"], "User": "7", "WorkingDir": "/w"},
    "rootfs": {"type": "layers", "diff_ids": [")" +
      some_digest + R"("]}})";
  const ImageConfig config = parse_config(text, 1).value();
  EXPECT_EQ(config.command, std::vector<std::string>{"c"});
  EXPECT_TRUE(config.entry_point.empty());
  EXPECT_EQ(config.user, "7");
  EXPECT_FALSE(parse_config(text, 2).ok());
  EXPECT_FALSE(parse_config(R"({"rootfs": {"diff_ids": ["sha256:12"]}})", 1).ok());
  EXPECT_FALSE(parse_config(R"({"rootfs": {"diff_ids": []}, "config": {"Env": "A=b"}})", 0).ok());
}

LayerEntry layer_entry(std::string path, Kind kind = Kind::file, std::string target = {}) {
  return {std::move(path), kind, std::move(target), 0};
}

std::string complaint(const LayerEntry& entry) {
  LayerCheck check{LayerLimits{}};
  const auto step = check.take(entry);
  return step.ok() ? std::string() : step.error().message;
}

TEST(LayerCheck, RefusesWhateverLeadsOutOfTheLayer) {
  EXPECT_THAT(complaint(layer_entry("a/../../b")), HasSubstr("leads out of the layer"));
  EXPECT_THAT(complaint(layer_entry("..")), HasSubstr("leads out of the layer"));
  EXPECT_THAT(complaint(layer_entry("/etc/passwd")), HasSubstr("absolute"));
  EXPECT_THAT(complaint(layer_entry("")), HasSubstr("empty"));
  EXPECT_THAT(complaint(layer_entry(std::string(300, 'x'))), HasSubstr("too long"));
  EXPECT_THAT(complaint(layer_entry(std::string(5'000, '/'))), HasSubstr("absolute"));
  EXPECT_THAT(complaint(layer_entry("a", Kind::hardlink, "../b")), HasSubstr("hard link"));
  EXPECT_THAT(complaint(layer_entry("a", Kind::hardlink, "/etc/shadow")), HasSubstr("hard link"));
  EXPECT_THAT(complaint(layer_entry("a", Kind::hardlink, "")), HasSubstr("hard link"));
  EXPECT_THAT(complaint(layer_entry("./", Kind::file)), HasSubstr("root"));
  EXPECT_EQ(complaint(layer_entry("./", Kind::folder)), "");
  EXPECT_EQ(complaint(layer_entry("./a//b/./c")), "");
  EXPECT_EQ(complaint(layer_entry("a", Kind::symlink, "/anywhere/../else")), "") << "it is resolved inside";
  EXPECT_EQ(complaint(layer_entry("..a/b..")), "");
}

TEST(LayerCheck, RefusesDeviceNodesAndStrangeKinds) {
  EXPECT_THAT(complaint(layer_entry("dev/sda", Kind::device)), HasSubstr("device node"));
  EXPECT_THAT(complaint(layer_entry("x", Kind::other)), HasSubstr("kind"));
  EXPECT_EQ(complaint(layer_entry("x", Kind::fifo)), "");
}

TEST(LayerCheck, KnowsWhiteoutsAndOpaqueFolders) {
  LayerCheck check{LayerLimits{}};
  EXPECT_EQ(check.take(layer_entry("a/.wh.b")).value(), LayerStep::whiteout);
  EXPECT_EQ(whiteout_target("a/.wh.b"), "a/b");
  EXPECT_EQ(whiteout_target(".wh.b"), "b");
  EXPECT_EQ(check.take(layer_entry("a/.wh..wh..opq")).value(), LayerStep::opaque);
  EXPECT_EQ(check.take(layer_entry("a/b.wh.c")).value(), LayerStep::write);
  for (const char* bad : {".wh.", ".wh..", ".wh...", "a/.wh..wh.plnk"})
    EXPECT_FALSE(check.take(layer_entry(bad)).ok()) << bad;
}

TEST(LayerCheck, RefusesBombsBySizeCountAndRatio) {
  LayerLimits limits;
  limits.bytes_max = 100;
  limits.entries_max = 3;
  limits.ratio_max = 10;
  limits.ratio_free_bytes = 50;
  LayerCheck check{limits};
  LayerEntry half = layer_entry("a");
  half.bytes = 60;
  EXPECT_TRUE(check.take(half).ok());
  EXPECT_THAT(check.take(half).error().message, HasSubstr("larger than 100 bytes"));
  EXPECT_TRUE(LayerCheck{limits}.flowed(1, 50).ok()) << "small ones are harmless";
  EXPECT_THAT(LayerCheck{limits}.flowed(5, 70).error().message, HasSubstr("10 times"));
  EXPECT_TRUE(LayerCheck{limits}.flowed(7, 70).ok());
  EXPECT_THAT(LayerCheck{limits}.flowed(1'000, 300).error().message, HasSubstr("stream"));
  LayerCheck crowd{limits};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(crowd.take(layer_entry("f")).ok());
  EXPECT_THAT(crowd.take(layer_entry("f")).error().message, HasSubstr("one entry more than the 3"));
  LayerEntry forged = layer_entry("a");
  forged.bytes = ~0ULL;
  EXPECT_FALSE(LayerCheck{LayerLimits{}}.take(forged).ok());
}

}  // namespace
}  // namespace troupe::agent
