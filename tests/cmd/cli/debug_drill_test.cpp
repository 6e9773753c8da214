// `debug bundle` at a whole cell in this process: what a real node tells, and a cell with a dead node.

#include <gmock/gmock.h>

#include "cmd/embedded/real_cluster.hpp"
#include "cmd/troupe/cli_value.hpp"
#include "fake_cell.hpp"
#include "net/json/writer.hpp"
#include "tests/cmd/cli/unpacked.hpp"
#include "tests/cmd/embedded/await.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::seconds bundle_patience{30};

class DebugDrill : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TROUPE_DEBUG_DRILL", "hunter2", 1);  // Nothing of the environment may be told.
    embedded::RealOptions options;
    options.nodes = 3;
    options.hosts = 1;
    options.data = folder.path() + "/cell";
    auto started = embedded::RealCluster::start(std::move(options));
    ASSERT_TRUE(started.ok()) << started.error().message;
    cluster = std::move(started).value();
    ASSERT_TRUE(await([&] { return cluster->leader() != 0; }));
    line = std::make_unique<CommandLine>("127.0.0.1:" + std::to_string(cluster->http_port(1)));
    ASSERT_TRUE(await([&] { return line->run({"host", "show", "host-1"}) == exit_ok; }));
  }
  static bool await(const std::function<bool()>& done) { return await_within(bundle_patience, done); }
  std::map<std::string, std::string> bundle(std::vector<std::string> more) {
    const std::string file = folder.file("bundle-" + std::to_string(++bundles) + ".tar.gz");
    more.insert(more.begin(), {"debug", "bundle", "-o", file});
    EXPECT_EQ(line->run(more), exit_ok) << line->err.str();
    return unpacked_file(file);
  }
  static const std::string& at_end(const std::map<std::string, std::string>& files, const std::string& end) {
    static const std::string none;
    for (const auto& [name, text] : files)
      if (name.ends_with(end)) return text;
    ADD_FAILURE() << "no file " << end;
    return none;
  }

  const TempFolder folder;
  std::unique_ptr<embedded::RealCluster> cluster;
  std::unique_ptr<CommandLine> line;
  int bundles = 0;
};

TEST_F(DebugDrill, ANodeTellsAllSectionsAndNoSecrets) {
  const auto files = bundle({"--node", "2"});
  const std::string& text = at_end(files, "/node-2/debug.json");
  const auto parsed = json::parse(text);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const json::Value& document = parsed.value();
  for (const json::Member& section : *document.object())
    EXPECT_EQ(section.value.find("missing"), nullptr) << section.name << ": " << json::to_json(section.value);
  EXPECT_EQ(text_at(document, "about/node"), "2");
  EXPECT_EQ(integer_at(document, "settings/lease_ms/value"),
            integer_at(document, "settings/lease_ms/default"));
  EXPECT_GT(integer_at(document, "settings/lease_ms/value"), 0);
  EXPECT_EQ(value_at(document, "peers/nodes")->array()->size(), 3u);
  EXPECT_GT(value_at(document, "threads/threads")->array()->size(), 3u);
  EXPECT_FALSE(value_at(document, "actors")->object()->empty());
  EXPECT_GT(integer_at(document, "disk/free"), 0);
  EXPECT_GT(integer_at(document, "stores/log/syncs"), 0);
  EXPECT_GT(integer_at(document, "stores/state/cur-size-all-mem-tables"), 0);
  EXPECT_FALSE(items_of(*value_at(document, "members")).empty());
  EXPECT_THAT(at_end(files, "/node-2/metrics.txt"), HasSubstr("troupe_raft_applied_index"));
  for (const auto& [name, content] : files) EXPECT_THAT(content, Not(HasSubstr("hunter2"))) << name;
}

TEST_F(DebugDrill, ACellWithoutAMajorityTellsWhatItHas) {
  cluster->crash_node(2);
  cluster->crash_node(3);
  const auto files = bundle({"--all"});
  EXPECT_THAT(at_end(files, "/node-1/debug.json"), HasSubstr("\"serves\""));
  EXPECT_FALSE(at_end(files, "/node-2/missing.txt").empty());
  EXPECT_FALSE(at_end(files, "/node-3/missing.txt").empty());
  EXPECT_THAT(line->err.str(), HasSubstr("node 2 did not answer"));
}

}  // namespace
}  // namespace troupe::cli
