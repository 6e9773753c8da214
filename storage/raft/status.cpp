#include <algorithm>

#include "storage/raft/core.hpp"

namespace troupe::raft {

Status Core::status() const {
  Status status{.id = self_,
                .role = role_,
                .term = hard_.term,
                .voted_for = hard_.voted_for,
                .leader = leader_,
                .transferee = transferee_,
                .first = log_.first(),
                .last = log_.last(),
                .durable = log_.durable(),
                .commit = commit_,
                .applied = applied_,
                .silent_ticks = elapsed_ticks_,
                .uncommitted_bytes = uncommitted_bytes_,
                .membership = membership(),
                .peers = {}};
  for (const auto& [id, peer] : peers_) {
    status.peers.push_back({id, peer.learner, peer.state, peer.match, peer.next,
                            static_cast<std::uint32_t>(peer.inflight.size()), peer.silent_ticks});
  }
  if (role_ != Role::leader) return status;
  // The quorum's silence is that of its least recently heard member, when the best heard make the quorum.
  const auto heard = reached_by_quorum(
      UINT32_MAX, [](const Peer& peer) -> std::uint64_t { return UINT32_MAX - peer.silent_ticks; });
  status.silent_ticks = static_cast<std::uint32_t>(UINT32_MAX - heard);
  return status;
}

}  // namespace troupe::raft
