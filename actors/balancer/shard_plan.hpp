#pragma once
// Who should own which shard. Pure.

#include <vector>

#include "storage/model/command.hpp"

namespace troupe {

/// The fewest moves after which every shard belongs to a live node and no two live nodes differ by more than
/// one shard. Deterministic: shards and nodes in order of their numbers. Empty when all is well or nobody
/// lives.
std::vector<AssignShards::Move> plan_shards(const std::vector<ShardRecord>& shards, std::vector<NodeId> live);

}  // namespace troupe
