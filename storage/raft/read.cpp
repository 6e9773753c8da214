// Linearizable reads without log entries: a read is served at the commit index noted before a round of
// heartbeats that a quorum answers (Ongaro, section 6.4).

#include <algorithm>

#include "storage/raft/core.hpp"
#include "storage/raft/mutant.hpp"

namespace troupe::raft {

Result<void> Core::read(ReadToken token) {
  if (leader_ == NodeId{}) return Error{ErrorCode::unavailable, "no leader is known; try again"};
  if (reads_pending_ >= config_.max_pending_reads) {
    return Error{ErrorCode::overloaded, "too many reads wait; try again"};
  }
  ++reads_pending_;
  if (role_ != Role::leader)
    to_forward_.push_back(token);
  else
    reads_waiting_.push_back({self_, token});
  return {};
}

void Core::on_read_index(const Message& message) {
  if (role_ == Role::leader && reads_pending_ < config_.max_pending_reads) {
    ++reads_pending_;
    reads_waiting_.push_back({message.from, message.sequence});
    return;
  }
  send({.type = MessageType::read_index_reply,
        .to = message.from,
        .reject = true,
        .sequence = message.sequence});
}

bool Core::may_start_round() const {
  if (reads_waiting_.empty() || read_rounds_.size() >= config_.max_read_rounds) return false;
  // Before its first own commit a leader may not know all that is committed.
  return commit_ >= term_start_ || mutated(Mutant::read_before_term_commit);
}

void Core::start_read_round() {
  if (!may_start_round()) return;
  if (!mutated(Mutant::read_round_reused) || read_sequence_ == 0) ++read_sequence_;
  const Index index = mutated(Mutant::read_from_applied) ? applied_ : commit_;
  read_rounds_.push_back({read_sequence_, index, std::exchange(reads_waiting_, {})});
  for (auto& [id, peer] : peers_) {
    if (!peer.learner) peer.heartbeat_due = true;
  }
  confirm_reads();
}

void Core::confirm_reads() {
  if (read_rounds_.empty()) return;
  auto reached = reached_by_quorum(read_sequence_, [](const Peer& peer) { return peer.read_acked; });
  if (mutated(Mutant::read_without_round)) reached = read_sequence_;
  while (!read_rounds_.empty() && read_rounds_.front().sequence <= reached) {
    const ReadRound round = std::move(read_rounds_.front());
    read_rounds_.pop_front();
    for (const ReadRequest& request : round.requests) answer_read(request, round.index);
  }
}

void Core::answer_read(const ReadRequest& request, Index index) {
  --reads_pending_;
  if (request.from == self_) return granted_.push_back({request.number, index});
  send({.type = MessageType::read_index_reply,
        .to = request.from,
        .index = index,
        .sequence = request.number});
}

// One message for all reads since the last Ready.
void Core::forward_reads() {
  if (to_forward_.empty()) return;
  const std::uint64_t number = ++forward_number_;
  forwarded_.push_back({number, 0, std::exchange(to_forward_, {})});
  send({.type = MessageType::read_index, .to = leader_, .sequence = number});
}

void Core::on_read_index_reply(const Message& message) {
  const auto at = std::find_if(forwarded_.begin(), forwarded_.end(),
                               [&](const Forwarded& sent) { return sent.number == message.sequence; });
  if (at == forwarded_.end()) return;
  reads_pending_ -= at->tokens.size();
  for (const ReadToken token : at->tokens) {
    if (message.reject)
      lost_.push_back(token);
    else
      granted_.push_back({token, message.index});
  }
  forwarded_.erase(at);
}

void Core::lose_forwarded() {
  for (const Forwarded& sent : forwarded_) lost_.insert(lost_.end(), sent.tokens.begin(), sent.tokens.end());
  lost_.insert(lost_.end(), to_forward_.begin(), to_forward_.end());
  for (const Forwarded& sent : forwarded_) reads_pending_ -= sent.tokens.size();
  reads_pending_ -= to_forward_.size();
  forwarded_.clear();
  to_forward_.clear();
}

void Core::lose_reads() {
  const auto lose = [&](const ReadRequest& request) {
    --reads_pending_;
    if (request.from == self_) lost_.push_back(request.number);
  };
  for (const ReadRequest& request : reads_waiting_) lose(request);
  for (const ReadRound& round : read_rounds_)
    std::for_each(round.requests.begin(), round.requests.end(), lose);
  reads_waiting_.clear();
  read_rounds_.clear();
}

void Core::tick_reads() {
  for (Forwarded& sent : forwarded_) ++sent.age_ticks;
  while (!forwarded_.empty() && forwarded_.front().age_ticks > 2 * config_.election_ticks) {
    const Forwarded old = std::move(forwarded_.front());
    forwarded_.pop_front();
    reads_pending_ -= old.tokens.size();
    lost_.insert(lost_.end(), old.tokens.begin(), old.tokens.end());
  }
}

}  // namespace troupe::raft
