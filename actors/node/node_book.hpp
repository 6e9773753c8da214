#pragma once
// Who belongs to the cell, and where they are found.

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>

#include "storage/raft/types.hpp"

namespace troupe {

/// Where another node of the cell is found.
struct NodeAddress {
  std::string peer;  ///< "host:port" of its peer listener: nodes and agents
  std::string http;  ///< "host:port" of its gateway; empty: not known here
};

/// Begins as the static list; the replica tells it of changed memberships. Thread-safe.
class NodeBook {
 public:
  void begin(std::map<NodeId, NodeAddress> listed, const raft::Membership& membership) {
    const std::unique_lock lock(mutex_);
    listed_ = std::move(listed);
    set(membership);
  }
  void changed(const raft::Membership& membership) {
    const std::unique_lock lock(mutex_);
    set(membership);
  }
  std::set<NodeId> voters() const {
    const std::shared_lock lock(mutex_);
    return voters_;
  }
  /// Members, and whoever the static list names.
  std::map<NodeId, NodeAddress> all() const {
    const std::shared_lock lock(mutex_);
    auto all = listed_;
    for (const auto& [node, address] : changed_) all[node].peer = address;
    return all;
  }
  std::optional<NodeAddress> find(NodeId node) const {
    const auto known = all();
    const auto found = known.find(node);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void set(const raft::Membership& membership) {
    voters_ = {membership.voters.begin(), membership.voters.end()};
    changed_.clear();
    for (const raft::MemberAddress& member : membership.addresses)
      if (!member.address.empty()) changed_[member.node] = member.address;
  }

  mutable std::shared_mutex mutex_;  ///< guards all below
  std::map<NodeId, NodeAddress> listed_;
  std::map<NodeId, std::string> changed_;  ///< peer addresses that came with a change
  std::set<NodeId> voters_;
};

}  // namespace troupe
