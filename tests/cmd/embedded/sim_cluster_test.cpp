// A whole cell in one thread under virtual time, with in-memory disks and a byte network.

#include "cmd/embedded/sim_cluster.hpp"

#include <gtest/gtest.h>

namespace troupe::embedded {
namespace {

constexpr std::string_view batch_job = R"({
  "owner": {"teamEmail": "dev@example.com"},
  "applicationName": "sums",
  "attributes": {"troupe.sim": "start=20ms run=2s exit=0"},
  "container": {"resources": {"cpu": 1, "memoryMB": 128, "diskMB": 100}, "entryPoint": ["/bin/true"]},
  "batch": {"size": 5, "runtimeLimitSec": 600, "retryPolicy": {"immediate": {"retries": 3}}}
})";

std::string id_of(const http::Response& response) {
  const std::string key = "\"id\":\"";
  const auto at = response.body.find(key);
  return at == std::string::npos ? "" : response.body.substr(at + key.size(), 36);
}

bool is_finished(SimCluster& cluster, std::uint32_t node, const std::string& job) {
  const http::Response response = cluster.call(node, "GET", "/api/v3/jobs/" + job);
  return response.status == 200 && response.body.find(R"("state":"Finished")") != std::string::npos;
}

/// Submit, end the leader, and see the job through on the others.
struct Story {
  std::uint64_t hash = 0;
  bool finished = false;
  std::uint32_t first_leader = 0, second_leader = 0;
};

Story submit_and_crash_the_leader(std::uint64_t seed) {
  SimOptions options;
  options.seed = seed;
  options.hosts = 2;
  SimCluster cluster(options);
  Story story;
  EXPECT_TRUE(cluster.run_until([&] { return cluster.leader() != 0; }, milliseconds(5'000)));
  EXPECT_TRUE(
      cluster.run_until([&] { return cluster.reads(1)->cell().hosts_connected == 2; }, milliseconds(10'000)));
  story.first_leader = cluster.leader();
  const http::Response made =
      cluster.call(story.first_leader, "POST", "/api/v3/jobs", std::string(batch_job));
  EXPECT_EQ(made.status, 202) << made.body;
  const std::string job = id_of(made);
  cluster.run_for(milliseconds(500));
  cluster.crash_node(story.first_leader);
  EXPECT_TRUE(cluster.run_until(
      [&] { return cluster.leader() != 0 && cluster.leader() != story.first_leader; }, milliseconds(5'000)));
  story.second_leader = cluster.leader();
  for (int tries = 0; tries < 20 && !story.finished; ++tries) {
    cluster.run_for(milliseconds(1'000));
    story.finished = is_finished(cluster, story.second_leader, job);
  }
  story.hash = cluster.history_hash();
  return story;
}

TEST(SimCluster, ElectsALeaderAndBootstrapsTheCell) {
  SimCluster cluster({});
  ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() != 0; }, milliseconds(5'000)));
  ASSERT_TRUE(cluster.run_until([&] { return cluster.reads(1)->shard_count() == 64; }, milliseconds(5'000)));
  cluster.run_for(milliseconds(5'000));
  std::map<std::uint32_t, int> owned;
  for (const ShardRecord& shard : cluster.reads(2)->shards()) ++owned[shard.owner.value];
  EXPECT_EQ(owned.size(), 3u);
  for (const auto& [node, count] : owned)
    EXPECT_TRUE(count == 21 || count == 22) << "node " << node << " owns " << count;
}

TEST(SimCluster, M1_alpha_AJobOutlivesTheLeaderThatTookIt) {
  const Story story = submit_and_crash_the_leader(42);
  EXPECT_TRUE(story.finished);
  EXPECT_NE(story.first_leader, story.second_leader);
}

TEST(SimCluster, TheSameSeedGivesTheSameHistory) {
  const Story first = submit_and_crash_the_leader(7);
  const Story second = submit_and_crash_the_leader(7);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_NE(first.hash, submit_and_crash_the_leader(8).hash);
}

}  // namespace
}  // namespace troupe::embedded
