#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "fake_cell.hpp"
#include "net/json/value.hpp"
#include "tests/cmd/cli/unpacked.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string document_of(int node) {
  return R"({"about":{"node":)" + std::to_string(node) +
         R"(,"cell":"my/cell"},"log":{"gone":0,"lines":["one","two"]},"metrics":{"text":"a 1\n"}})";
}

struct BundleTest : testing::Test {
  BundleTest() { cell.on("GET /api/v3/debug", document_of(1)); }
  FakeCell cell;
  CommandLine line{cell.address()};
  TempFolder folder;
  std::string file = folder.file("b.tar.gz");

  /// Another node of the same cell.
  void have_nodes(const std::string& second_http) {
    cell.on("GET /api/v3/cell/status", R"({"leader":1,"items":[{"node":1,"http":")" + cell.address() +
                                           R"("},{"node":2,"http":")" + second_http + R"("}]})");
  }
};

TEST_F(BundleTest, OfTheNodeAtTheAddressHasItsDocumentLogAndMetrics) {
  ASSERT_EQ(line.run({"debug", "bundle", "-o", file}), exit_ok) << line.err.str();
  EXPECT_EQ(line.out.str(),
            file + ": " + std::to_string(std::filesystem::file_size(file)) + " bytes, 1 node\n");
  const auto files = unpacked_file(file);
  const std::string base = "troupe-debug-my_cell-node-1-19700101T001740Z/node-1/";
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files.at(base + "log.txt"), "one\ntwo\n");
  EXPECT_EQ(files.at(base + "metrics.txt"), "a 1\n");
  EXPECT_THAT(files.at(base + "debug.json"), HasSubstr(R"("cell": "my/cell")"));
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(BundleTest, IsNeverWrittenOverAFile) {
  std::ofstream(file) << "kept";
  EXPECT_EQ(line.run({"debug", "bundle", "-o", file}), exit_refused);
  EXPECT_THAT(line.err.str(), HasSubstr("is there already"));
  EXPECT_TRUE(cell.asked("GET /api/v3/debug").empty());
  EXPECT_EQ(std::filesystem::file_size(file), 4u);
}

TEST_F(BundleTest, ThatCannotBeWrittenSaysWhy) {
  EXPECT_EQ(line.run({"debug", "bundle", "-o", folder.file("none/b")}), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("No such file"));
}

TEST_F(BundleTest, GoesToStandardOutputWithoutAWordOfOurs) {
  ASSERT_EQ(line.run({"debug", "bundle", "--output", "-"}), exit_ok) << line.err.str();
  EXPECT_EQ(unpacked_text(line.out.str()).size(), 3u);
  EXPECT_FALSE(line.out.str().ends_with(std::string(16, '\0'))) << "padded";
  EXPECT_THAT(line.err.str(), StartsWith("-: "));
}

TEST_F(BundleTest, OfAllNotesWhoDidNotAnswer) {
  have_nodes("127.0.0.1:1");
  ASSERT_EQ(line.run({"debug", "bundle", "--all", "-o", file, "--json"}), exit_ok) << line.err.str();
  const auto told = json::parse(line.out.str());
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told.value().find("missing")->array()->size(), 1u);
  EXPECT_THAT(line.err.str(), HasSubstr("node 2 did not answer"));
  const auto files = unpacked_file(file);
  const std::string base = "troupe-debug-my_cell-all-19700101T001740Z/";
  EXPECT_EQ(files.count(base + "cell-status.json"), 1u);
  EXPECT_EQ(files.count(base + "node-1/debug.json"), 1u);
  EXPECT_FALSE(files.at(base + "node-2/missing.txt").empty());
}

TEST_F(BundleTest, OfAllHasEachNode) {
  FakeCell other;
  other.on("GET /api/v3/debug", document_of(2));
  have_nodes(other.address());
  ASSERT_EQ(line.run({"debug", "bundle", "--all", "-o", file}), exit_ok) << line.err.str();
  EXPECT_THAT(line.out.str(), HasSubstr("2 nodes"));
  EXPECT_EQ(unpacked_file(file).size(), 7u);
}

TEST_F(BundleTest, OfANodeByNumberIsAskedOfThatNode) {
  FakeCell other;
  other.on("GET /api/v3/debug", document_of(2));
  have_nodes(other.address());
  ASSERT_EQ(line.run({"debug", "bundle", "--node", "2", "-o", file}), exit_ok) << line.err.str();
  EXPECT_TRUE(cell.asked("GET /api/v3/debug").empty());
  EXPECT_EQ(other.asked("GET /api/v3/debug").at(0).header("x-titus-callerid"), "tester");
  EXPECT_EQ(line.run({"debug", "bundle", "--node", "3"}), exit_not_found);
  EXPECT_THAT(line.err.str(), HasSubstr("no node 3"));
}

TEST_F(BundleTest, WithoutAnyAnswerIsNone) {
  CommandLine lost("127.0.0.1:1");
  EXPECT_EQ(lost.run({"debug", "bundle", "-o", file}), exit_unavailable);
  EXPECT_EQ(lost.run({"debug", "bundle", "--all", "-o", file}), exit_unavailable);
  cell.on("GET /api/v3/debug", "{}");
  EXPECT_EQ(line.run({"debug", "bundle", "-o", file}), exit_internal);
  EXPECT_THAT(line.err.str(), HasSubstr("something else"));
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace troupe::cli
