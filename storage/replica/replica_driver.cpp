#include "storage/replica/replica_driver.hpp"

#include <iterator>

namespace troupe {
namespace {

constexpr std::uint32_t lease_every_ticks = 5;  // How often the lease is looked at.

Error stopped() { return Error{ErrorCode::unavailable, "this node has stopped"}; }

}  // namespace

ReplicaDriver::ReplicaDriver(ReplicaConfig config, raft::Restored restored, const LogStore& log,
                             LogWriter& writer)
    : config_(config),
      log_(log),
      writer_(writer),
      cache_(log, config.cache_bytes_max),
      core_(config.self, config.raft, restored, cache_, config.seed),
      applied_(restored.applied) {}

void ReplicaDriver::receive(const raft::Message& message) {
  if (!stopped_) core_.step(message);
}

void ReplicaDriver::tick(Now now) {
  if (stopped_) return;
  core_.tick();
  reads_.expire(now.steady);
  if (++ticks_ % lease_every_ticks == 0) look_at_lease();
}

Result<Index> ReplicaDriver::propose(std::span<const Blob> commands, Now now) {
  if (stopped_) return stopped();
  last_stamp_ = std::max(last_stamp_, now.wall);
  std::vector<raft::Proposal> proposals;
  proposals.reserve(commands.size());
  for (const Blob& command : commands) proposals.push_back({last_stamp_, command});
  return core_.propose(proposals);
}

Result<void> ReplicaDriver::read(raft::ReadToken token, Moment deadline) {
  if (stopped_) return stopped();
  if (reads_.is_full())
    return Error{ErrorCode::overloaded, "too many reads wait on this node; try again in a second"};
  if (auto asked = core_.read(token); !asked.ok()) return asked;
  reads_.add(token, deadline);
  return {};
}

void ReplicaDriver::written(const Result<std::uint64_t>& ticket) {
  if (stopped_) return;
  if (!ticket.ok()) return stop("the log cannot be written: " + ticket.error().message);
  if (ticket.value() > written_) {
    written_ = ticket.value();
    const LogEdge tail = log_.head().tail;
    cache_.durable(tail.index, tail.term);
  }
  finish_durable();
}

void ReplicaDriver::applied(Index index) {
  if (stopped_) return;
  applied_ = index;
  core_.applied(index);
}

// Nobody looks at the lease any more: without its end the agents would stay with a node that cannot act.
void ReplicaDriver::stop(std::string why) {
  if (std::exchange(stopped_, true)) return;
  effects_.send.clear();
  effects_.apply.clear();
  waiting_.clear();
  unsubmitted_.clear();
  reads_.lose_all(stopped());
  set_lease(false);
  effects_.stop = std::move(why);
}

ReplicaEffects ReplicaDriver::take() {
  while (!stopped_ && core_.has_ready()) take_ready();
  if (!stopped_) submit();
  if (!stopped_ && cache_.failure()) stop("the log cannot be read: " + cache_.failure()->message);
  if (!stopped_) reads_.applied(applied_);
  effects_.reads = reads_.take_answers();
  return std::exchange(effects_, {});
}

void ReplicaDriver::take_ready() {
  raft::Ready ready = core_.ready();
  keep(ready);
  if (ready.role) effects_.roles.push_back(*ready.role);
  send(std::move(ready.send_now));
  waiting_.push_back({ready.number, last_writing_, std::move(ready.send_after)});
  std::move(ready.committed.begin(), ready.committed.end(), std::back_inserter(effects_.apply));
  end_reads(ready);
  finish_durable();  // A Ready without writes may be complete already.
}

void ReplicaDriver::keep(raft::Ready& ready) {
  if (ready.truncate_from) cache_.truncate_from(*ready.truncate_from);
  if (!ready.append.empty()) cache_.append(ready.append);
  if (!ready.writes()) return;
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

void ReplicaDriver::submit() {
  while (!unsubmitted_.empty()) {
    auto taken = writer_.submit(std::move(unsubmitted_.front()));
    if (!taken.ok()) {
      if (taken.error().code == ErrorCode::overloaded) return;  // Tried again at the next completion.
      return stop("the log cannot be written: " + taken.error().message);
    }
    unsubmitted_.pop_front();
  }
}

void ReplicaDriver::end_reads(const raft::Ready& ready) {
  for (const raft::ReadGrant& grant : ready.reads) reads_.granted(grant);
  for (const raft::ReadToken token : ready.reads_lost) {
    if (!reads_.waits(token) || core_.read(token).ok()) continue;  // Asked again, while there is a leader.
    reads_.lose(token, Error{ErrorCode::unavailable, "no leader at the moment; try again"});
  }
}

void ReplicaDriver::look_at_lease() {
  const raft::Status status = core_.status();
  set_lease(status.leader.value != 0 && replica_tick * status.silent_ticks < config_.lease);
}

void ReplicaDriver::set_lease(bool held) {
  if (held != leased_) effects_.lease = leased_ = held;
}

void ReplicaDriver::send(std::vector<raft::Message>&& messages) {
  std::move(messages.begin(), messages.end(), std::back_inserter(effects_.send));
}

}  // namespace troupe
