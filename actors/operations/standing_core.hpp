#pragma once
// How the whole cell stands, put together from what its nodes say of themselves. Pure.

#include <map>
#include <optional>
#include <string>

#include "storage/base/id.hpp"
#include "storage/base/result.hpp"

namespace troupe::operations {

/// What was asked of each node the cell knows; no text: it did not answer, and why.
struct NodeSaid {
  std::string address;                 ///< of its peer listener
  std::string http;                    ///< of its gateway; empty: not known here
  std::optional<std::string> members;  ///< members_json() of that node
  std::string why;
};

/// {"leader", "term", "commit", "spared"?, "items": [{"node", "role", "reachable", "why"?, "address", "http",
/// "term", "last", "commit", "applied", "snapshot", "voteWithheld"?, "build", "shardsOwned", "lag",
/// "lastContactMs"}]}. Role, lag and last contact as the leader sees them; without a leader's answer as the
/// node itself does, and lag and contact are missing. `snapshot`: what lies before the node's log. A node
/// that is no member has the role NONE. What did not answer is not reachable, and why says why.
std::string standing_json(const std::map<NodeId, NodeSaid>& said);

}  // namespace troupe::operations
