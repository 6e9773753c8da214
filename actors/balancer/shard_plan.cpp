#include "actors/balancer/shard_plan.hpp"

#include <algorithm>
#include <map>

namespace troupe {

std::vector<AssignShards::Move> plan_shards(const std::vector<ShardRecord>& shards,
                                            std::vector<NodeId> live) {
  if (live.empty()) return {};
  std::map<NodeId, std::vector<const ShardRecord*>> owned;
  for (const NodeId node : live) owned[node];
  std::vector<const ShardRecord*> homeless;
  for (const ShardRecord& shard : shards) {
    const auto owner = owned.find(shard.owner);
    if (owner == owned.end())
      homeless.push_back(&shard);
    else
      owner->second.push_back(&shard);
  }
  // Who has most keeps the larger share, so that nothing moves for the remainder's sake.
  std::sort(live.begin(), live.end(), [&](NodeId a, NodeId b) {
    return std::pair(owned[b].size(), a) < std::pair(owned[a].size(), b);
  });
  const std::size_t share = shards.size() / live.size();
  std::size_t larger = shards.size() % live.size();
  std::vector<std::pair<NodeId, std::size_t>> room;
  for (const NodeId node : live) {
    const std::size_t target = share + (larger > 0 ? 1 : 0);
    if (larger > 0) --larger;
    const auto& mine = owned[node];
    if (mine.size() < target) room.emplace_back(node, target - mine.size());
    // Given away evenly over its range, too: see below.
    for (std::size_t n = 0; mine.size() > target && n < mine.size(); ++n)
      if ((n + 1) * target / mine.size() == n * target / mine.size()) homeless.push_back(mine[n]);
  }
  std::sort(homeless.begin(), homeless.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  std::vector<AssignShards::Move> moves;
  // Dealt in turn: hosts that registered one after the other are in neighbouring shards.
  for (std::size_t n = 0, at = 0; n < homeless.size(); ++n, ++at) {
    while (room[at % room.size()].second == 0) ++at;
    auto& [node, left] = room[at % room.size()];
    --left;
    moves.push_back({homeless[n]->id, homeless[n]->epoch, node});
  }
  return moves;
}

Result<std::vector<AssignShards::Move>> plan_move(const std::vector<ShardRecord>& shards, ShardId shard,
                                                  NodeId to) {
  const auto found = std::ranges::find(shards, shard, &ShardRecord::id);
  if (found == shards.end())
    return Error{ErrorCode::not_found, "there is no shard " + std::to_string(shard.value)};
  if (found->owner == to)
    return Error{ErrorCode::precondition_failed,
                 "node " + to_text(to) + " owns shard " + std::to_string(shard.value) + " already"};
  std::vector<AssignShards::Move> moves{{found->id, found->epoch, to}};
  const auto owned = [&](NodeId node) { return std::ranges::count(shards, node, &ShardRecord::owner); };
  if (owned(to) < owned(found->owner)) return moves;
  // The next one in the order of numbers: always the same, and not always the first.
  const auto is_theirs = [&](const ShardRecord& one) { return one.owner == to; };
  auto back = std::find_if(found, shards.end(), is_theirs);
  if (back == shards.end()) back = std::find_if(shards.begin(), found, is_theirs);
  moves.push_back({back->id, back->epoch, found->owner});
  return moves;
}

}  // namespace troupe
