#include "storage/replica/replica_driver.hpp"

#include <iterator>

#include "storage/base/msgpack.hpp"
#include "storage/replica/mutant.hpp"

namespace troupe {
namespace {

Error stopped() {
  return Error{ErrorCode::unavailable, "this node is taking a snapshot or has stopped; try again"};
}

raft::Membership membership_at_edge(const LogStore& log, const raft::Membership& initial) {
  const LogHead head = log.head();
  return head.edge.index == Index{} ? initial : head.membership;
}

}  // namespace

ReplicaDriver::ReplicaDriver(ReplicaConfig config, raft::Restored restored, const LogStore& log,
                             LogWriter& writer)
    : config_(std::move(config)),
      log_(log),
      writer_(writer),
      cache_(log, config_.cache_bytes_max),
      core_(config_.self, config_.raft, restored, cache_, config_.seed),
      clocks_(config_.clock_leap),
      confirmations_(config_.seed),
      keeper_(config_.retention, membership_at_edge(log, config_.initial), restored.applied),
      applied_(restored.applied) {
  for (const raft::Entry& entry : log.configs_at_open())
    if (entry.index <= restored.applied) keeper_.committed(entry);
}

void ReplicaDriver::receive(const ReplicaMessage& message, Now now) {
  if (stopped_) return;
  const NodeId from = message.message.from;
  if (!admits(message)) return;
  levels_[from] = message.level;
  // Whoever was silent may only have been late: then its clock tells the time of long ago.
  const auto age = confirmations_.heard(from, message.sent, message.echo, now.steady);
  if (age && *age <= ClockGuard::late_max)
    clocks_.heard(from, message.wall, Moment{static_cast<std::int64_t>(message.sent)}, now.steady);
  core_.step(message.message);
  note_term(now);
  if (core_.leader() != from || core_.term() != message.message.term) return;
  auto at = confirmations_.confirmed(from);
  if (mutated(replica::Mutant::lease_by_receipt)) at = now.steady;
  if (at && !counts(from, *at) && !mutated(replica::Mutant::lease_by_any_word)) return;
  if (at) confirmed_ = std::max(confirmed_.value_or(*at), *at);
}

void ReplicaDriver::note_term(Now now) {
  if (std::exchange(noted_term_, core_.term()) != core_.term()) term_since_ = now.steady;
}

// The leader may have heard this node ask for a vote, or in an earlier term, and have given it up all the
// same.
bool ReplicaDriver::counts(NodeId leader, Moment heard) const {
  const auto other = of_other_terms_.find(leader);
  return heard >= term_since_ && (other == of_other_terms_.end() || heard > other->second);
}

void ReplicaDriver::link_up(NodeId peer) {
  if (stopped_) return;
  greet(peer);
  core_.link_up(peer);
}

void ReplicaDriver::link_down(NodeId peer) {
  if (!stopped_) core_.link_down(peer);
}

Result<Index> ReplicaDriver::propose(std::span<const Blob> commands, Now now) {
  if (stopped_) return stopped();
  if (role() == raft::Role::leader && clock_has_leapt(now))
    return Error{ErrorCode::unavailable, "the leader's clock has leapt; another node takes over"};
  const Instant at = std::max(last_stamp_, now.wall);
  std::vector<raft::Proposal> proposals;
  proposals.reserve(commands.size());
  for (const Blob& command : commands) proposals.push_back({at, command});
  return stamped(core_.propose(proposals), at);
}

Result<Index> ReplicaDriver::change(raft::MemberChange change, Now now) {
  if (stopped_) return stopped();
  change.stamp = clock_has_leapt(now) ? last_stamp_ : std::max(last_stamp_, now.wall);
  return stamped(core_.change(change), change.stamp);
}

// What is refused leaves no stamp behind: nobody has looked at a follower's clock.
Result<Index> ReplicaDriver::stamped(Result<Index> appended, Instant at) {
  if (appended.ok()) last_stamp_ = at;
  return appended;
}

Result<void> ReplicaDriver::transfer(NodeId target) {
  if (stopped_) return stopped();
  return core_.transfer(target);
}

Result<void> ReplicaDriver::read(raft::ReadToken token, Moment deadline) {
  if (stopped_) return stopped();
  if (reads_.is_full())
    return Error{ErrorCode::overloaded, "too many reads wait on this node; try again in a second"};
  if (core_.leader() == NodeId{})
    unasked_.push_back(token);
  else if (auto asked = core_.read(token); !asked.ok())
    return asked;
  reads_.add(token, deadline);
  return {};
}

void ReplicaDriver::written(const Result<std::uint64_t>& ticket, Now now) {
  if (stopped_) return;
  if (!ticket.ok() && mutated(replica::Mutant::failed_write_counts)) {
    written_ = last_writing_;
    return finish_durable();
  }
  if (!ticket.ok()) return stop("the log cannot be written: " + ticket.error().message);
  if (ticket.value() > written_) {
    written_ = ticket.value();
    measure_sync(now);
    const LogEdge tail = log_.head().tail;
    cache_.durable(tail.index, tail.term);
  }
  if (freeing_ && log_.head().edge.index >= *freeing_) {
    effects_.free_log = true;
    freeing_.reset();
  }
  finish_durable();
}

void ReplicaDriver::applied(Index index) {
  if (stopped_) return;
  applied_ = index;
  core_.applied(index);
}

void ReplicaDriver::flushed(const Result<Index>& index, Now now) {
  if (stopped_) return;
  const bool counts = index.ok() || mutated(replica::Mutant::failed_flush_counts);
  if (!counts) return stop("the state cannot be flushed: " + index.error().message);
  keeper_.flushed(index.ok() ? index.value() : applied_, now.steady);
  cut_log();
}

void ReplicaDriver::stop(std::string why) {
  if (stopped_) return;
  end();
  effects_.stop = std::move(why);
}

// Nobody looks at the lease any more: without its end the agents would stay with a node that cannot act.
void ReplicaDriver::end() {
  stopped_ = true;
  effects_.send.clear();
  effects_.apply.clear();
  to_send_.clear();
  greetings_.clear();
  waiting_.clear();
  unsubmitted_.clear();
  reads_.lose_all(stopped());
  set_lease(false);
}

ReplicaEffects ReplicaDriver::take(Now now) {
  // A read of the log that failed leaves the core with something ready that it cannot hand out.
  ask_again();
  while (!stopped_ && !cache_.failure() && core_.has_ready()) take_ready();
  if (!stopped_) submit(now);
  if (!stopped_ && cache_.failure()) stop("the log cannot be read: " + cache_.failure()->message);
  if (!stopped_) reads_.applied(mutated(replica::Mutant::read_before_apply) ? Index{UINT64_MAX} : applied_);
  if (!stopped_) tell_membership();
  address(now);
  effects_.reads = reads_.take_answers();
  return std::exchange(effects_, {});
}

void ReplicaDriver::take_ready() {
  raft::Ready ready = core_.ready();
  keep(ready);
  if (ready.role) effects_.roles.push_back(*ready.role);
  send(std::move(ready.send_now));
  if (mutated(replica::Mutant::answer_before_sync)) send(std::exchange(ready.send_after, {}));
  waiting_.push_back({ready.number, last_writing_, std::move(ready.send_after)});
  for (const raft::Entry& entry : ready.committed) keeper_.committed(entry);
  std::move(ready.committed.begin(), ready.committed.end(), std::back_inserter(effects_.apply));
  effects_.snapshots.insert(effects_.snapshots.end(), ready.snapshots.begin(), ready.snapshots.end());
  end_reads(ready);
  if (mutated(replica::Mutant::persisted_before_sync)) core_.persisted(ready.number);
  finish_durable();  // A Ready without writes may be complete already.
}

void ReplicaDriver::keep(raft::Ready& ready) {
  if (ready.truncate_from) cache_.truncate_from(*ready.truncate_from);
  if (!ready.append.empty()) {
    cache_.append(ready.append);
    last_stamp_ = std::max(last_stamp_, ready.append.back().stamp);
  }
  if (!ready.writes()) return;
  if (ready.hard) promise_in(ready.hard->term);
  LogWrite write;
  write.hard = ready.hard;
  write.truncate_from = ready.truncate_from;
  write.append = std::move(ready.append);
  write.ticket = last_writing_ = ready.number;
  unsubmitted_.push_back(std::move(write));
}

// A Ready is durable when the last write up to it is.
void ReplicaDriver::finish_durable() {
  while (!waiting_.empty() && waiting_.front().last_write <= written_) {
    Waiting done = std::move(waiting_.front());
    waiting_.pop_front();
    send(std::move(done.send_after));
    core_.persisted(done.number);
  }
}

void ReplicaDriver::submit(Now now) {
  while (!unsubmitted_.empty()) {
    const std::uint64_t ticket = unsubmitted_.front().ticket;
    auto taken = writer_.submit(std::move(unsubmitted_.front()));
    if (!taken.ok()) {
      if (taken.error().code == ErrorCode::overloaded) return;  // Tried again at the next completion.
      return stop("the log cannot be written: " + taken.error().message);
    }
    unsubmitted_.pop_front();
    submitted_.emplace_back(ticket, now.steady);
  }
}

void ReplicaDriver::end_reads(const raft::Ready& ready) {
  for (const raft::ReadGrant& grant : ready.reads) reads_.granted(grant);
  for (const raft::ReadToken token : ready.reads_lost) {
    if (!reads_.waits(token) || core_.read(token).ok()) continue;
    unasked_.push_back(token);
  }
}

// A failover costs a read its time, not its answer: the next leader is asked, within the read's own deadline.
void ReplicaDriver::ask_again() {
  if (stopped_ || unasked_.empty()) return;
  if (core_.leader() == NodeId{}) {
    std::erase_if(unasked_, [&](raft::ReadToken token) { return !reads_.waits(token); });
    return;
  }
  std::erase_if(unasked_,
                [&](raft::ReadToken token) { return !reads_.waits(token) || core_.read(token).ok(); });
}

void ReplicaDriver::send(std::vector<raft::Message>&& messages) {
  std::move(messages.begin(), messages.end(), std::back_inserter(to_send_));
}

void ReplicaDriver::address(Now now) {
  const auto add = [&](raft::Message&& message, bool greets) {
    const NodeId to = message.to;
    if (message.term != core_.term()) of_other_terms_[to] = now.steady;
    effects_.send.push_back(
        {std::move(message), now.wall, confirmations_.sent_at(now.steady), confirmations_.echo_to(to)});
    effects_.send.back().level = config_.level_known;
    sign(effects_.send.back(), greets);
  };
  for (raft::Message& greeting : greetings_) add(std::move(greeting), true);
  for (raft::Message& message : to_send_) add(std::move(message), false);
  greetings_.clear();
  to_send_.clear();
}

}  // namespace troupe
