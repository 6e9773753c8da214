#include "tests/storage/raft/exhaustive/core_access.hpp"

#include <algorithm>

#include "storage/base/check.hpp"

namespace troupe::raft {

namespace {

// A new member of one of these must be added to the fingerprint, or the explorer merges states that differ.
static_assert(sizeof(Peer) == 144, "Peer has changed: see fingerprint()");
static_assert(sizeof(HardState) == 16 && sizeof(Membership) == 72);

void put(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
template <class Tag, class Rep>
void put(std::string& out, Number<Tag, Rep> number) {
  put(out, std::uint64_t{number.value});
}
void put(std::string& out, const HardState& hard) {
  put(out, hard.term);
  put(out, hard.voted_for);
}
void put(std::string& out, const Membership& membership) {
  put(out, membership.voters.size());
  for (const NodeId id : membership.voters) put(out, id);
  put(out, membership.learners.size());
  for (const NodeId id : membership.learners) put(out, id);
}
void put(std::string& out, const Peer& peer) {
  put(out, std::uint64_t{peer.learner} | std::uint64_t{peer.paused} << 1 |
               std::uint64_t{peer.heartbeat_due} << 2 | std::uint64_t{peer.stalled} << 3 |
               std::uint64_t{peer.verify} << 4);
  put(out, static_cast<std::uint64_t>(peer.state));
  put(out, peer.match);
  put(out, peer.next);
  put(out, peer.commit_told);
  put(out, peer.inflight.size());
  for (const auto& sent : peer.inflight) put(out, sent.last);
}

}  // namespace

void CoreAccess::fingerprint(const Core& core, std::string& out) {
  TROUPE_CHECK(!core.has_ready());  // What waits for a Ready is not part of it.
  TROUPE_CHECK(core.reads_pending_ == 0 && core.unapplied_.empty());
  put(out, core.hard_);
  put(out, core.durable_term_);
  put(out, static_cast<std::uint64_t>(core.role_));
  put(out, core.leader_);
  put(out, core.lost_leader_);
  put(out, core.configs_.size());
  for (const auto& config : core.configs_) {
    put(out, config.index);
    put(out, config.membership);
  }
  put(out, core.votes_.size());
  for (const auto& [node, granted] : core.votes_) put(out, node.value * 2u + (granted ? 1u : 0u));
  put(out, core.commit_);
  put(out, core.handed_out_);
  put(out, core.applied_);
  put(out, core.peers_.size());
  for (const auto& [id, peer] : core.peers_) {
    put(out, id);
    put(out, peer);
  }
  if (core.role_ == Role::leader) put(out, core.term_start_);
  put(out, core.uncommitted_.size());
  put(out, core.transferee_);
  put(out, core.timeout_now_sent_);
  put(out, core.log_.durable_);
  put(out, core.log_.writes_.size());
  for (const auto& write : core.log_.writes_) {
    put(out, core.ready_number_ - write.number);
    put(out, write.last);
    put(out, write.hard.value_or(HardState{}));
  }
}

void CoreAccess::forget_time(Core& core) {
  core.random_ = Random(1);
  core.elapsed_ticks_ = core.config_.election_ticks;
  core.timeout_ticks_ = core.config_.election_ticks + 1;
  core.heartbeat_elapsed_ = 0;
  core.transfer_ticks_ = 0;
  for (auto& [id, peer] : core.peers_) {
    peer.silent_ticks = 0;
    peer.active = true;
  }
}

void CoreAccess::elect(Core& core) {
  if (core.role_ != Role::leader && core.may_campaign()) core.start_election(false);
}

void CoreAccess::quorum_lost(Core& core) {
  if (core.role_ == Role::leader) core.become_follower(core.hard_.term, {});
}

void CoreAccess::heartbeat(Core& core) {
  if (core.role_ != Role::leader) return;
  core.elapsed_ticks_ = 0;
  core.heartbeat_elapsed_ = core.config_.heartbeat_ticks;
  core.tick();
}

void CoreAccess::lose_sent(Core& core) {
  for (auto& [id, peer] : core.peers_) {
    const bool at_rest = peer.state == PeerState::replicate && peer.inflight.empty();
    if (!at_rest) peer.probe_from(peer.match.next());
    peer.paused = !at_rest;
    peer.stalled = peer.verify = peer.heartbeat_due = false;
    peer.commit_told = std::min(core.commit_, peer.match);
  }
}

}  // namespace troupe::raft
