#include "storage/raft/peer.hpp"

#include <algorithm>

#include "storage/raft/mutant.hpp"

namespace troupe::raft {

bool Peer::open(const Config& config) const {
  if (state == PeerState::probe) return !paused;
  if (state == PeerState::snapshot) return false;
  if (mutated(Mutant::unbounded_inflight)) return true;
  return inflight.size() < config.max_inflight_appends && inflight_bytes < config.max_inflight_bytes;
}

void Peer::probe_from(Index index) {
  state = PeerState::probe;
  next = std::max(index, match.next());
  paused = false;
  inflight.clear();
  inflight_bytes = 0;
}

void Peer::start_replicating() {
  probe_from(match.next());
  state = PeerState::replicate;
}

void Peer::link_lost() {
  if (state == PeerState::replicate) probe_from(match.next());
  paused = false;
}

void Peer::sent(Index last, std::size_t bytes) {
  if (state == PeerState::probe) {
    paused = true;
    return;
  }
  next = last.next();
  inflight.push_back({last, bytes});
  inflight_bytes += bytes;
}

bool Peer::accepted(Index index) {
  while (!inflight.empty() && inflight.front().last <= index) {
    if (!mutated(Mutant::window_leaks)) inflight_bytes -= inflight.front().bytes;
    inflight.pop_front();
  }
  const bool grew = index > match;
  if (grew || mutated(Mutant::match_goes_back)) match = index;
  next = std::max(next, match.next());
  return grew;
}

}  // namespace troupe::raft
