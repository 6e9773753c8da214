// What the core has to do with snapshots: when one is needed, when one is news, and where the log begins
// after it. The state itself never passes through here.

#include <algorithm>

#include "storage/raft/core.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe::raft {

SnapshotMeta Core::snapshot_meta() const {
  return {applied_, log_.term(applied_), configs_.front().membership, hard_.term};
}

bool Core::wants_snapshot(const SnapshotMeta& meta) const {
  if (mutated(Mutant::snapshot_stale)) return true;
  return role_ != Role::leader && meta.index > commit_;
}

void Core::snapshot_installed(const SnapshotMeta& meta) {
  if (!wants_snapshot(meta)) return;
  TROUPE_RAFT_CHECK(log_.first() == meta.index.next() && log_.term(meta.index) == meta.term);
  log_.restarted(meta.index);
  const Term known = std::max(meta.term, mutated(Mutant::snapshot_keeps_term) ? Term{} : meta.known_in);
  if (known > hard_.term || role_ != Role::follower) become_follower(std::max(known, hard_.term), {});
  commit_ = handed_out_ = applied_ = meta.index;
  unapplied_.clear();
  unapplied_bytes_ = 0;
  if (mutated(Mutant::snapshot_keeps_config)) return;
  std::erase_if(configs_,
                [&](const ConfigAt& at) { return at.index <= meta.index || at.index > log_.last(); });
  configs_.insert(configs_.begin(), {meta.index, meta.membership});
}

void Core::snapshot_sent(NodeId id, Index index) {
  const auto at = peers_.find(id);
  if (role_ != Role::leader || at == peers_.end() || at->second.state != PeerState::snapshot) return;
  Peer& peer = at->second;
  peer.probe_from(std::max(index.next(), peer.next));
  peer.paused = index == Index{};
}

}  // namespace troupe::raft
