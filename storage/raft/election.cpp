// Elections, leadership and its transfer.

#include <algorithm>

#include "storage/raft/core.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe::raft {

void Core::reset_election_timer() {
  // Pre-votes need no disk, so they can be repeated quickly; a real vote gets the whole time to be synced.
  const bool quick = lost_leader_ != NodeId{} && role_ != Role::candidate;
  const std::uint32_t base = quick ? config_.link_retry_ticks : config_.election_ticks;
  elapsed_ticks_ = 0;
  timeout_ticks_ = base + static_cast<std::uint32_t>(random_.below(base));
}

// While the leader is heard nobody else gets a vote: a node that rejoins cannot depose it.
bool Core::lease_holds() const {
  if (mutated(Mutant::lease_ignored)) return false;
  return leader_ != NodeId{} && (role_ == Role::leader || elapsed_ticks_ < config_.election_ticks);
}

void Core::become_follower(Term term, NodeId leader) {
  if (term > hard_.term) hard_ = {term, {}};
  if (role_ == Role::leader) lose_reads();
  if (leader != leader_) lose_forwarded();
  if (leader != NodeId{}) lost_leader_ = {};
  role_ = Role::follower;
  leader_ = leader;
  votes_.clear();
  peers_.clear();
  uncommitted_.clear();
  uncommitted_bytes_ = 0;
  transferee_ = {};
  reset_election_timer();
}

void Core::campaign() {
  // Who cannot lead forgets a silent leader all the same: its vote may be the one that is missing.
  if (!may_campaign() && !mutated(Mutant::learner_remembers)) return become_follower(hard_.term, {});
  elapsed_ticks_ = 0;
  if (!may_campaign()) return;
  if (quorum() == 1 && is_voter(self_)) return start_election(false);
  become_follower(hard_.term, {});
  role_ = Role::pre_candidate;
  votes_[self_] = true;
  ask_votes(MessageType::pre_vote, hard_.term.next(), false);
}

void Core::start_election(bool transfer) {
  become_follower(hard_.term.next(), {});
  hard_.voted_for = self_;
  role_ = Role::candidate;
  reset_election_timer();
  ask_votes(MessageType::vote, hard_.term, transfer);
  if (mutated(Mutant::self_vote_before_sync)) votes_[self_] = true;
}

void Core::ask_votes(MessageType type, Term term, bool transfer) {
  for (const NodeId voter : membership().voters) {
    if (voter == self_) continue;
    send({.type = type,
          .to = voter,
          .term = term,
          .index = log_.last(),
          .log_term = log_.last_term(),
          .transfer = transfer});
  }
}

void Core::on_vote_request(const Message& message) {
  if (mutated(Mutant::learner_silent) && !is_voter(self_)) return;
  const bool pre = message.type == MessageType::pre_vote;
  const bool free = hard_.voted_for == message.from || (hard_.voted_for == NodeId{} && leader_ == NodeId{}) ||
                    (pre && message.term > hard_.term) || mutated(Mutant::vote_twice);
  const auto mine = std::pair(log_.last_term(), log_.last());
  const bool complete =
      std::pair(message.log_term, message.index) >= mine || mutated(Mutant::vote_for_short_log);
  const bool grant = free && complete;
  if (grant && pre && mutated(Mutant::prevote_takes_vote)) hard_ = {message.term, message.from};
  if (grant && !pre) {
    hard_.voted_for = message.from;
    // The candidate gets the whole time to be synced and counted, also after a broken link.
    if (!mutated(Mutant::hurry_after_vote)) lost_leader_ = {};
    reset_election_timer();
  }
  send({.type = pre ? MessageType::pre_vote_reply : MessageType::vote_reply,
        .to = message.from,
        .term = grant ? message.term : hard_.term,
        .reject = !grant});
}

void Core::on_vote_reply(const Message& message) {
  const bool pre = message.type == MessageType::pre_vote_reply;
  if (role_ != (pre ? Role::pre_candidate : Role::candidate)) return;
  if (pre && !message.reject && message.term != hard_.term.next()) return;
  votes_.emplace(message.from, !message.reject);
  count_votes();
}

void Core::count_votes() {
  std::size_t granted = 0, refused = 0;
  for (const auto& [node, grant] : votes_) {
    if (is_voter(node)) ++(grant ? granted : refused);
  }
  if (granted >= quorum()) {
    if (role_ == Role::pre_candidate) return start_election(false);
    return become_leader();
  }
  if (refused >= quorum()) become_follower(hard_.term, {});
}

void Core::become_leader() {
  role_ = Role::leader;
  leader_ = self_;
  lost_leader_ = {};
  elapsed_ticks_ = heartbeat_elapsed_ = 0;
  votes_.clear();
  term_start_ = log_.last().next();
  membership_changed();
  // Commits what earlier terms left: those entries may not be counted themselves.
  if (!mutated(Mutant::no_noop)) append_entry({hard_.term, term_start_, EntryKind::noop, {}, {}});
}

void Core::tick_election() {
  if (++elapsed_ticks_ >= timeout_ticks_) campaign();
}

void Core::tick_leader() {
  for (auto& [id, peer] : peers_) ++peer.silent_ticks;
  if (++heartbeat_elapsed_ >= config_.heartbeat_ticks) {
    heartbeat_elapsed_ = 0;
    for (auto& [id, peer] : peers_) peer.heartbeat_due = peer.stalled = true;
  }
  hand_over_when_removed();
  if (transferee_ != NodeId{} && !mutated(Mutant::transfer_forever) &&
      ++transfer_ticks_ >= config_.election_ticks) {
    transferee_ = {};
    if (is_removed()) return become_follower(hard_.term, {});
  }
  if (++elapsed_ticks_ >= config_.election_ticks) check_quorum();
}

void Core::check_quorum() {
  elapsed_ticks_ = 0;
  std::size_t active = 0;
  for (const NodeId voter : membership().voters) {
    if (voter == self_ || (peers_.contains(voter) && peers_.at(voter).active)) ++active;
  }
  for (auto& [id, peer] : peers_) peer.active = false;
  if (active < quorum() && !mutated(Mutant::no_check_quorum)) become_follower(hard_.term, {});
}

std::uint32_t Core::rank_without(NodeId gone) const {
  std::uint32_t rank = 0;
  for (const NodeId voter : membership().voters) {
    if (voter < self_ && voter != gone) ++rank;
  }
  return mutated(Mutant::no_rank) ? 0 : rank;
}

void Core::link_down(NodeId peer) {
  if (role_ == Role::leader) {
    if (const auto at = peers_.find(peer); at != peers_.end()) at->second.link_lost();
    return;
  }
  if (peer == NodeId{} || leader_ != peer || mutated(Mutant::link_down_ignored)) return;
  become_follower(hard_.term, {});
  lost_leader_ = peer;
  timeout_ticks_ = rank_without(peer) + 1;
}

void Core::link_up(NodeId peer) {
  if (role_ == Role::leader) {
    // From where it was: of a peer not heard in this term all the leader has is the guess that its log is as
    // long.
    if (const auto at = peers_.find(peer); at != peers_.end()) at->second.paused = false;
    return;
  }
  if (lost_leader_ != peer) return;
  lost_leader_ = {};
  reset_election_timer();
}

Result<void> Core::transfer(NodeId target) {
  if (role_ != Role::leader) return Error{ErrorCode::not_leader, "this node does not lead"};
  if (target == self_ || !is_voter(target)) {
    return Error{ErrorCode::invalid_argument, "leadership goes to another voter only"};
  }
  if (transferee_ != NodeId{}) return Error{ErrorCode::conflict, "leadership is being handed over"};
  transferee_ = target;
  transfer_ticks_ = 0;
  timeout_now_sent_ = false;
  return {};
}

void Core::resign() {
  if (role_ == Role::leader) become_follower(hard_.term, {});
}

bool Core::may_hand_over() const {
  if (transferee_ == NodeId{} || timeout_now_sent_) return false;
  const auto peer = peers_.find(transferee_);
  if (peer == peers_.end()) return false;
  return peer->second.match == log_.last() || mutated(Mutant::transfer_early);
}

void Core::maybe_timeout_now() {
  if (!may_hand_over()) return;
  timeout_now_sent_ = true;
  send({.type = MessageType::timeout_now, .to = transferee_});
  if (is_removed()) become_follower(hard_.term, {});
}

// Once its removal is committed it has no more to do than to name a successor, who spares the others their
// waiting.
void Core::hand_over_when_removed() {
  if (!is_removed() || transferee_ != NodeId{}) return;
  if (mutated(Mutant::removed_without_handover)) return become_follower(hard_.term, {});
  const Peer* best = nullptr;
  for (const auto& [id, peer] : peers_) {
    if (peer.learner || (best && best->match >= peer.match)) continue;
    best = &peer;
    transferee_ = id;
  }
  transfer_ticks_ = 0;
  timeout_now_sent_ = false;
}

void Core::on_timeout_now(const Message& message) {
  const bool trusted = message.from == leader_ || mutated(Mutant::timeout_now_trusted);
  if (role_ == Role::leader || !trusted || !is_voter(self_)) return;
  start_election(true);
}

}  // namespace troupe::raft
