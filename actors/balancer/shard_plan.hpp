#pragma once
// Who should own which shard. Pure.

#include <vector>

#include "storage/base/result.hpp"
#include "storage/model/command.hpp"

namespace troupe {

/// The fewest moves after which every shard belongs to a live node and no two live nodes differ by more than
/// one shard. Deterministic: shards and nodes in order of their numbers. Empty when all is well or nobody
/// lives.
std::vector<AssignShards::Move> plan_shards(const std::vector<ShardRecord>& shards, std::vector<NodeId> live);

/// What an operator's wish takes: the shard goes to `to`, and where that would leave nodes with shares too
/// different for plan_shards, one of its own comes back. Errors: not_found (no such shard),
/// precondition_failed (it is there already).
Result<std::vector<AssignShards::Move>> plan_move(const std::vector<ShardRecord>& shards, ShardId shard,
                                                  NodeId to);

}  // namespace troupe
