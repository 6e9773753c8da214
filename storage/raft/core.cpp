#include "storage/raft/core.hpp"

#include <algorithm>

#include "storage/raft/mutant.hpp"

namespace troupe::raft {

Core::Core(NodeId self, Config config, Restored restored, const LogView& view, std::uint64_t seed)
    : self_(self),
      config_(config),
      log_(view),
      random_(seed),
      hard_(restored.hard),
      hard_out_(restored.hard),
      durable_term_(restored.hard.term) {
  TROUPE_RAFT_CHECK(self.value != 0 && config.election_ticks > config.heartbeat_ticks &&
                    config.heartbeat_ticks > 0);
  TROUPE_RAFT_CHECK(restored.applied <= log_.last() && restored.applied.next() >= log_.first());
  applied_ = handed_out_ = restored.applied;
  commit_ = std::max(restored.applied, std::min(restored.commit, log_.last()));
  configs_.push_back({restored.applied, std::move(restored.membership)});
  restore_configs();
  // A crash after a snapshot was installed may have come before the term was written.
  if (log_.last_term() > hard_.term) hard_ = {log_.last_term(), {}};
  forward_number_ = mutated(Mutant::forward_ids_repeat) ? 0 : random_.next();
  role_out_ = {role_, hard_.term, leader_};
  reset_election_timer();
}

// What promises something waits until everything written so far is durable; the rest waits only for the term.
void Core::send(Message message) {
  message.from = self_;
  if (message.term == Term{}) message.term = hard_.term;
  const bool promise = message.type == MessageType::vote ||
                       (message.type == MessageType::vote_reply && !message.reject) ||
                       (message.type == MessageType::append_reply && !message.reject);
  const bool pre_vote = message.type == MessageType::pre_vote || message.type == MessageType::pre_vote_reply;
  bool now = pre_vote || (!promise && term_durable());
  if (mutated(Mutant::reply_before_sync) && message.type == MessageType::append_reply) now = true;
  if (mutated(Mutant::vote_before_sync) && message.type == MessageType::vote_reply) now = true;
  if (mutated(Mutant::ask_before_sync) && message.type == MessageType::vote) now = true;
  (now ? send_now_ : send_after_).push_back(std::move(message));
}

void Core::step(const Message& message) {
  if (message.to != self_ || message.from == self_ || message.from == NodeId{}) return;
  if (role_ == Role::leader && message.term == hard_.term) {
    if (const auto peer = peers_.find(message.from); peer != peers_.end()) {
      peer->second.active = true;
      peer->second.silent_ticks = 0;
    }
  }
  if (step_term(message)) dispatch(message);
}

// Brings the terms in line. False: the message ends here.
bool Core::step_term(const Message& message) {
  using enum MessageType;
  if (message.term == hard_.term) return true;
  if (message.term < hard_.term) {
    refuse_stale(message);
    return false;
  }
  const bool asks = message.type == vote || message.type == pre_vote;
  const bool released = message.transfer && !mutated(Mutant::transfer_respects_lease);
  if (asks && !released && lease_holds()) return false;
  const bool promise_of_pre_vote = message.type == pre_vote_reply && !message.reject;
  if (promise_of_pre_vote) return true;
  if (message.type == pre_vote && !mutated(Mutant::prevote_raises_term)) return true;
  const bool leads = message.type == append || message.type == heartbeat;
  become_follower(message.term, leads ? message.from : NodeId{});
  return true;
}

// A node that is ahead in terms but cannot win pre-votes is freed by its leader's stepping down on this
// answer.
void Core::refuse_stale(const Message& message) {
  using enum MessageType;
  Message reply{.to = message.from, .reject = true};
  switch (message.type) {
    case append:
    case heartbeat:
      if (mutated(Mutant::no_stuck_recovery)) return;
      reply.type = append_reply;
      break;
    case pre_vote:
      reply.type = pre_vote_reply;
      break;
    case vote:
      reply.type = vote_reply;
      break;
    case read_index:
      reply.type = read_index_reply;
      reply.sequence = message.sequence;
      break;
    case pre_vote_reply:
    case vote_reply:
    case append_reply:
    case heartbeat_reply:
    case read_index_reply:
    case timeout_now:
      return;
  }
  send(std::move(reply));
}

void Core::dispatch(const Message& message) {
  using enum MessageType;
  switch (message.type) {
    case pre_vote:
    case vote:
      return on_vote_request(message);
    case pre_vote_reply:
    case vote_reply:
      return on_vote_reply(message);
    case append:
      return on_append(message);
    case append_reply:
      return on_append_reply(message);
    case heartbeat:
      return on_heartbeat(message);
    case heartbeat_reply:
      return on_heartbeat_reply(message);
    case read_index:
      return on_read_index(message);
    case read_index_reply:
      return on_read_index_reply(message);
    case timeout_now:
      return on_timeout_now(message);
  }
}

void Core::tick() {
  tick_reads();
  if (role_ == Role::leader)
    tick_leader();
  else
    tick_election();
}

void Core::persisted(std::uint64_t ready_number) {
  const auto hard = log_.persisted(ready_number);
  if (hard) durable_term_ = std::max(durable_term_, hard->term);
  if (hard == hard_ && role_ == Role::candidate) {
    votes_[self_] = true;
    count_votes();
  }
  if (role_ == Role::leader) maybe_commit();
}

void Core::applied(Index index) {
  TROUPE_RAFT_CHECK(index <= handed_out_);
  applied_ = std::max(applied_, index);
  while (!unapplied_.empty() && unapplied_.front().last <= applied_) {
    unapplied_bytes_ -= unapplied_.front().bytes;
    unapplied_.pop_front();
  }
  // What is applied is never truncated, so only the newest applied configuration can still be needed.
  while (configs_.size() > 1 && configs_[1].index <= applied_) configs_.erase(configs_.begin());
}

Index Core::may_apply_to() const {
  return mutated(Mutant::apply_before_sync) ? commit_ : std::min(commit_, log_.durable());
}

bool Core::may_hand_out() const {
  return handed_out_ < may_apply_to() && unapplied_bytes_ < config_.max_unapplied_bytes;
}

void Core::hand_out_committed(Ready& ready) {
  if (!may_hand_out()) return;
  const std::size_t room = config_.max_unapplied_bytes - unapplied_bytes_;
  ready.committed = log_.slice(handed_out_.next(), may_apply_to().next(), room);
  if (ready.committed.empty()) return;  // The view has failed, and its driver will stop.
  TROUPE_RAFT_CHECK(ready.committed.front().index == handed_out_.next());
  handed_out_ = ready.committed.back().index;
  std::size_t bytes = 0;
  for (const Entry& entry : ready.committed) bytes += entry.bytes();
  unapplied_.push_back({handed_out_, bytes});
  unapplied_bytes_ += bytes;
}

bool Core::has_ready() const {
  if (!(hard_ == hard_out_) || log_.pending() || may_hand_out()) return true;
  if (!send_now_.empty() || !send_after_.empty() || !granted_.empty() || !lost_.empty()) return true;
  if (!(role_out_ == RoleChange{role_, hard_.term, leader_}) || !to_forward_.empty()) return true;
  return role_ == Role::leader && (may_start_round() || may_hand_over() || wants_to_send());
}

Ready Core::ready() {
  Ready ready;
  ready.number = ++ready_number_;
  forward_reads();
  if (role_ == Role::leader) {
    start_read_round();
    send_to_peers(ready);
    maybe_timeout_now();
  }
  if (const RoleChange now{role_, hard_.term, leader_}; !(now == role_out_)) ready.role = role_out_ = now;
  if (!(hard_ == hard_out_)) ready.hard = hard_out_ = hard_;
  hand_out_committed(ready);
  log_.hand_out(ready);
  ready.send_now = std::exchange(send_now_, {});
  ready.send_after = std::exchange(send_after_, {});
  ready.reads = std::exchange(granted_, {});
  ready.reads_lost = std::exchange(lost_, {});
  return ready;
}

}  // namespace troupe::raft
