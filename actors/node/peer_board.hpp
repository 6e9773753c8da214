#pragma once
// How the other nodes stand, as the leader sees it; for metrics and operators.

#include <mutex>
#include <vector>

#include "storage/raft/ready.hpp"

namespace troupe {

struct PeerStanding {
  NodeId id;
  bool learner = false;
  raft::PeerState state = raft::PeerState::probe;
  Index match;             ///< its log is known to agree up to here
  std::uint64_t lag = 0;   ///< entries that it lacks
  milliseconds silent{0};  ///< since its last message
};

/// Written by the replica some times a second, empty where this node does not lead. Thread-safe.
class PeerBoard {
 public:
  void set(std::vector<PeerStanding> peers) {
    const std::lock_guard lock(mutex_);
    peers_ = std::move(peers);
  }
  std::vector<PeerStanding> all() const {
    const std::lock_guard lock(mutex_);
    return peers_;
  }

 private:
  mutable std::mutex mutex_;  ///< guards peers_
  std::vector<PeerStanding> peers_;
};

}  // namespace troupe
