#include "actors/balancer/shard_plan.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "storage/base/random.hpp"

namespace troupe {
namespace {

std::vector<ShardRecord> shards_of(std::uint16_t count, const std::vector<NodeId>& owners = {}) {
  std::vector<ShardRecord> shards;
  for (std::uint16_t n = 0; n < count; ++n)
    shards.push_back({ShardId{n}, owners.empty() ? NodeId{} : owners[n % owners.size()], Epoch{1}});
  return shards;
}

void carry_out(std::vector<ShardRecord>& shards, const std::vector<AssignShards::Move>& moves) {
  for (const auto& move : moves) {
    ShardRecord& shard = shards[move.shard.value];
    EXPECT_EQ(shard.epoch, move.expected);
    EXPECT_NE(shard.owner, move.owner) << "a move that moves nothing";
    shard.owner = move.owner;
    shard.epoch = shard.epoch.next();
  }
}

std::map<NodeId, int> counts(const std::vector<ShardRecord>& shards) {
  std::map<NodeId, int> owned;
  for (const ShardRecord& shard : shards) ++owned[shard.owner];
  return owned;
}

TEST(ShardPlan, SpreadsAFreshCellEvenly) {
  auto shards = shards_of(64);
  carry_out(shards, plan_shards(shards, {NodeId{1}, NodeId{2}, NodeId{3}}));
  for (const auto& [node, count] : counts(shards))
    EXPECT_TRUE(count == 21 || count == 22) << node.value << ": " << count;
  for (std::size_t n = 1; n < shards.size(); ++n)
    EXPECT_NE(shards[n].owner, shards[n - 1].owner) << "the first few hosts would all be one node's";
}

TEST(ShardMove, IsWhatWasAskedForAndLeavesNothingToBalance) {
  Random random(5);
  for (int n = 0; n < 300; ++n) {
    std::vector<NodeId> nodes;
    for (std::uint32_t node = 1; node <= 1 + random.below(5); ++node) nodes.push_back(NodeId{node});
    nodes.push_back(NodeId{9});
    auto shards = shards_of(static_cast<std::uint16_t>(1 + random.below(64)));
    carry_out(shards, plan_shards(shards, nodes));
    const ShardId shard{static_cast<std::uint16_t>(random.below(shards.size()))};
    const NodeId to = nodes[random.below(nodes.size())];
    const auto moves = plan_move(shards, shard, to);
    if (shards[shard.value].owner == to) {
      EXPECT_EQ(moves.error().code, ErrorCode::precondition_failed);
      continue;
    }
    ASSERT_TRUE(moves.ok());
    EXPECT_LE(moves.value().size(), 2U);
    carry_out(shards, moves.value());
    EXPECT_EQ(shards[shard.value].owner, to);
    EXPECT_TRUE(plan_shards(shards, nodes).empty()) << "the balancer would undo it";
  }
}

TEST(ShardMove, OfAShardThatIsNotThereIsRefused) {
  EXPECT_EQ(plan_move(shards_of(4, {NodeId{1}}), ShardId{4}, NodeId{1}).error().code, ErrorCode::not_found);
}

TEST(ShardPlan, SpreadsWhatTheFirstNodeHasTakenAlone) {
  auto shards = shards_of(64, {NodeId{1}});
  carry_out(shards, plan_shards(shards, {NodeId{1}, NodeId{2}, NodeId{3}}));
  for (const auto& [node, count] : counts(shards)) EXPECT_TRUE(count == 21 || count == 22);
  for (std::size_t n = 0; n + 6 <= shards.size(); ++n) {
    std::set<NodeId> owners;
    for (std::size_t k = n; k < n + 6; ++k) owners.insert(shards[k].owner);
    EXPECT_EQ(owners.size(), 3U) << "of six hosts that registered together, from shard " << n;
  }
}

TEST(ShardPlan, MovesOnlyADeadNodesShards) {
  auto shards = shards_of(64, {NodeId{1}, NodeId{2}, NodeId{3}});
  const auto moves = plan_shards(shards, {NodeId{1}, NodeId{3}});
  for (const auto& move : moves) EXPECT_EQ(shards[move.shard.value].owner, NodeId{2});
  carry_out(shards, moves);
  EXPECT_EQ(counts(shards), (std::map<NodeId, int>{{NodeId{1}, 32}, {NodeId{3}, 32}}));
}

TEST(ShardPlan, LeavesABalancedCellAlone) {
  EXPECT_TRUE(plan_shards(shards_of(64, {NodeId{3}, NodeId{1}, NodeId{2}}), {NodeId{1}, NodeId{2}, NodeId{3}})
                  .empty());
}

TEST(ShardPlan, MovesNothingWhenNobodyLives) { EXPECT_TRUE(plan_shards(shards_of(8), {}).empty()); }

TEST(ShardPlan, AnyHistoryOfDeathsAndReturnsEndsBalancedWithTheFewestMoves) {
  Random random(11);
  auto shards = shards_of(64);
  for (int round = 0; round < 500; ++round) {
    std::vector<NodeId> live;
    for (std::uint32_t n = 1; n <= 5; ++n)
      if (random.chance(60)) live.push_back(NodeId{n});
    if (live.empty()) continue;
    std::map<NodeId, int> before = counts(shards);
    const auto moves = plan_shards(shards, live);
    carry_out(shards, moves);
    const auto after = counts(shards);
    const int share = 64 / static_cast<int>(live.size());
    std::size_t needed = 0;
    for (const NodeId node : live) {
      EXPECT_GE(after.at(node), share);
      EXPECT_LE(after.at(node), share + 1);
      needed += static_cast<std::size_t>(std::max(0, after.at(node) - before[node]));
    }
    EXPECT_EQ(moves.size(), needed) << "a shard went around";
    EXPECT_TRUE(plan_shards(shards, live).empty());
  }
}

}  // namespace
}  // namespace troupe
