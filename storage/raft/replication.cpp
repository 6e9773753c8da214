// Appends, commits and heartbeats.

#include <algorithm>

#include "storage/raft/core.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe::raft {

Result<Index> Core::propose(std::span<const Proposal> proposals) {
  if (role_ != Role::leader) return Error{ErrorCode::not_leader, "this node does not lead"};
  if (proposals.empty()) return Error{ErrorCode::invalid_argument, "nothing proposed"};
  if (transferee_ != NodeId{} && !mutated(Mutant::propose_in_transfer)) {
    return Error{ErrorCode::unavailable, "leadership is being handed over; try again"};
  }
  const Index first = log_.last().next();
  std::size_t bytes = 0;
  for (const Proposal& proposal : proposals) bytes += Entry{.data = proposal.data}.bytes();
  // A batch above the limit on its own still passes when nothing else waits.
  if (uncommitted_bytes_ > 0 && uncommitted_bytes_ + bytes > config_.max_uncommitted_bytes &&
      !mutated(Mutant::unbounded_uncommitted)) {
    return Error{ErrorCode::overloaded, "too much waits to be committed; try again"};
  }
  for (const Proposal& proposal : proposals) {
    append_entry({hard_.term, log_.last().next(), EntryKind::command, proposal.stamp, proposal.data});
  }
  uncommitted_.push_back({log_.last(), bytes});
  uncommitted_bytes_ += bytes;
  return first;
}

// ---- the follower ----

void Core::hear_leader(const Message& message) {
  TROUPE_RAFT_INVARIANT(role_ != Role::leader);  // else two lead in one term
  const bool fresh = role_ != Role::follower || leader_ != message.from || lost_leader_ != NodeId{};
  if (fresh) become_follower(hard_.term, message.from);
  elapsed_ticks_ = 0;
}

namespace {
bool well_formed(const Message& message) {
  Index index = message.index;
  Term term = message.log_term;
  for (const Entry& entry : message.entries) {
    if (entry.index != index.next() || entry.term < term || entry.term > message.term) return false;
    index = entry.index;
    term = entry.term;
  }
  return true;
}
}  // namespace

void Core::on_append(const Message& message) {
  hear_leader(message);
  if (!well_formed(message)) return;
  Message reply{.type = MessageType::append_reply, .to = message.from};
  if (log_.matches(message.index, message.log_term)) {
    reply.index = take_entries(message);
    commit_to(std::min(message.commit, mutated(Mutant::commit_own_last) ? log_.last() : reply.index));
    if (mutated(Mutant::ack_own_last)) reply.index = log_.last();
  } else if (message.index < commit_) {
    reply.index = commit_;  // What is committed agrees with every later leader.
  } else {
    reply.reject = true;
    reply.index = message.index;
    reply.hint = find_conflict(std::min(message.index, log_.last()), message.log_term);
    reply.hint_term = log_.term(reply.hint);
  }
  send(std::move(reply));
}

// Appends what is new; the last index at which the log is now known to agree.
Index Core::take_entries(const Message& message) {
  for (const Entry& entry : message.entries) {
    if (entry.index <= log_.last()) {
      if (log_.matches(entry.index, entry.term)) continue;
      truncate(entry.index);
    }
    append_entry(entry);
  }
  const Index checked{message.index.value + message.entries.size()};
  if (mutated(Mutant::truncate_matching) && log_.last() > checked) truncate(checked.next());
  return checked;
}

// The last index up to `index` whose term is at most `term`: before it the logs may agree, after it they
// cannot.
Index Core::find_conflict(Index index, Term term) const {
  while (index.next() > log_.first() && log_.term(index) > term) --index.value;
  return index;
}

void Core::on_heartbeat(const Message& message) {
  hear_leader(message);
  commit_to(std::min(message.commit, log_.last()));
  send({.type = MessageType::heartbeat_reply, .to = message.from, .sequence = message.sequence});
}

void Core::commit_to(Index index) { commit_ = std::max(commit_, index); }

// ---- the leader ----

void Core::on_append_reply(const Message& message) {
  const auto at = peers_.find(message.from);
  if (role_ != Role::leader || at == peers_.end()) return;
  Peer& peer = at->second;
  if (message.reject) return on_append_refused(message, peer);
  if (message.index > log_.last()) return;
  peer.stalled = false;
  const bool grew = peer.accepted(message.index);
  if (peer.state == PeerState::probe) peer.start_replicating();
  if (peer.state == PeerState::snapshot && peer.match.next() >= log_.first()) peer.start_replicating();
  if (grew) maybe_commit();
}

void Core::on_append_refused(const Message& message, Peer& peer) {
  if (peer.state == PeerState::snapshot || message.index <= peer.match) return;
  if (peer.state == PeerState::replicate) return peer.probe_from(peer.match.next());
  if (message.index.next() != peer.next) return;  // an answer to an earlier probe
  const Index hint = find_conflict(std::min(message.hint, log_.last()), message.hint_term);
  if (mutated(Mutant::hint_ignored)) return peer.probe_from(message.index);
  if (mutated(Mutant::hint_trusted)) peer.accepted(hint);
  peer.probe_from(std::min(message.index, hint.next()));
}

void Core::on_heartbeat_reply(const Message& message) {
  const auto at = peers_.find(message.from);
  if (role_ != Role::leader || at == peers_.end()) return;
  Peer& peer = at->second;
  peer.paused = false;
  if (peer.stalled && !peer.inflight.empty()) peer.verify = true;
  peer.stalled = false;
  if (message.sequence > read_sequence_) return;
  peer.read_acked = std::max(peer.read_acked, message.sequence);
  confirm_reads();
}

void Core::maybe_commit() {
  const Index own = mutated(Mutant::self_ack_before_sync) ? log_.last() : log_.durable();
  const Index reached{reached_by_quorum(own.value, [](const Peer& peer) { return peer.match.value; })};
  if (reached <= commit_) return;
  // Entries of earlier terms are committed by the first one of this term, never by counting.
  if (log_.term(reached) != hard_.term && !mutated(Mutant::count_old_terms)) return;
  commit_to(reached);
  while (!uncommitted_.empty() && uncommitted_.front().last <= commit_) {
    uncommitted_bytes_ -= uncommitted_.front().bytes;
    uncommitted_.pop_front();
  }
  hand_over_when_removed();
}

bool Core::wants_append(const Peer& peer) const {
  if (peer.verify && peer.state == PeerState::replicate) return true;
  if (!peer.open(config_)) return false;
  return peer.state == PeerState::probe || peer.next <= log_.last();
}

bool Core::wants_commit(const Peer& peer) const {
  return std::min(commit_, peer.match) > peer.commit_told && !mutated(Mutant::commit_silently);
}

bool Core::wants_to_send() const {
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& at) {
    return at.second.heartbeat_due || wants_append(at.second) || wants_commit(at.second);
  });
}

void Core::send_to_peers(Ready& ready) {
  for (auto& [id, peer] : peers_) {
    while (wants_append(peer) && send_append(id, peer, ready)) continue;
    if (peer.heartbeat_due || wants_commit(peer)) send_heartbeat(id, peer);
  }
}

// False: nothing follows, because the view has failed.
bool Core::send_append(NodeId id, Peer& peer, Ready& ready) {
  if (mutated(Mutant::snapshot_never_needed)) peer.next = std::max(peer.next, log_.first());
  if (peer.next < log_.first()) {
    peer.state = PeerState::snapshot;
    ready.snapshots.push_back({id, peer.next});
    return true;
  }
  Message message{
      .type = MessageType::append, .to = id, .index = Index{peer.next.value - 1}, .commit = commit_};
  message.log_term = log_.term(message.index);
  if (peer.open(config_)) {
    const std::size_t most = mutated(Mutant::append_unbounded) ? SIZE_MAX : config_.max_append_bytes;
    message.entries = log_.slice(peer.next, log_.last().next(), most);
    if (message.entries.empty() && peer.next <= log_.last()) return false;
  }
  const Index last{message.index.value + message.entries.size()};
  std::size_t bytes = 0;
  for (const Entry& entry : message.entries) bytes += entry.bytes();
  if (bytes > 0 || peer.state == PeerState::probe) peer.sent(last, bytes);
  peer.verify = false;
  peer.commit_told = std::max(peer.commit_told, std::min(commit_, last));
  send(std::move(message));
  return true;
}

void Core::send_heartbeat(NodeId id, Peer& peer) {
  const Index known = mutated(Mutant::heartbeat_commit_all) ? commit_ : std::min(commit_, peer.match);
  peer.heartbeat_due = false;
  peer.commit_told = std::max(peer.commit_told, known);
  send({.type = MessageType::heartbeat, .to = id, .commit = known, .sequence = read_sequence_});
}

}  // namespace troupe::raft
