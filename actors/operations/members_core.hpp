#pragma once
// The cell's membership for operators: how it stands, and whether an order still has anything to do. Pure.

#include <map>
#include <string>

#include "actors/node/spare_board.hpp"
#include "actors/operations/cell_order.hpp"

namespace troupe::operations {

/// What a node says of itself, beside its replica.
struct OwnStanding {
  std::string build;  ///< as build_id(); empty: nothing of this is told
  std::uint64_t shards_owned = 0;
  std::optional<SparedNode> spared;  ///< of the leader: which node hands over
  milliseconds spared_for{0};        ///< for how long still
};

/// {"term", "leader", "commit", "last", "applied", "snapshot", "voteWithheld"?, "build"?, "shardsOwned"?,
/// "spared"?: {"node", "by", "reason", "forMs"}, "items": [{"node", "role",
/// "address", "state", "match", "lag", "lastContactMs", "levelKnown"?}]}. Of this node: the end of its log,
/// what it has applied, what lies before its log, why it does not vote for now. Indexes are texts, as
/// everywhere in the API. `addresses`: peer listeners, as far as they are known. On a node that does not
/// lead, the others' match, lag and contact are missing. `levels`: the feature levels that the members'
/// builds know.
std::string members_json(const raft::Status& status, const std::map<NodeId, std::string>& addresses,
                         milliseconds tick, const std::map<NodeId, std::uint32_t>& levels = {},
                         const std::string& vote_withheld = {}, const OwnStanding& own = {});

/// Is what the order wants true already? Then repeating it, after an answer that was lost, does no harm.
bool is_fulfilled(const CellOrder& order, const raft::Membership& membership);

/// {"index": "7"}: the membership's entry, committed.
std::string done_json(Index index);

}  // namespace troupe::operations
