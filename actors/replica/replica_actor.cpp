#include "actors/replica/replica_actor.hpp"

#include <spdlog/spdlog.h>

#include "actors/replica/proposal_desk.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

constexpr milliseconds tick_every{10};
constexpr int lease_every_ticks = 5;  // How often the lease and the peers' silence are looked at.
constexpr std::size_t reads_waiting_max = 16'384;  // Beyond: overloaded.

raft::Config raft_config(const Settings& settings) {
  raft::Config config;
  config.heartbeat_ticks =
      static_cast<std::uint32_t>(std::max<std::int64_t>(1, settings.get(heartbeat_ms) / tick_every.count()));
  config.election_ticks =
      static_cast<std::uint32_t>(std::max<std::int64_t>(2, settings.get(election_ms) / tick_every.count()));
  return config;
}

struct Asker {
  caf::strong_actor_ptr actor;
  std::uint64_t cookie = 0;
  Moment deadline;
};

class Replica {
 public:
  Replica(caf::event_based_actor* self, ContextPtr context, raft::Restored restored)
      : self_(self),
        context_(std::move(context)),
        cache_(*context_->log),
        core_(context_->self, raft_config(context_->settings), std::move(restored), cache_, context_->seed),
        desk_(context_->self, context_->life),
        applied_(context_->machine->applied()) {}

  caf::behavior start();

 private:
  Moment now() const { return context_->clock->steady(); }
  caf::actor me() { return caf::actor_cast<caf::actor>(self_); }
  void flush_soon();
  void flush();
  void take_ready();
  void submit_writes();
  void on_written(const Result<std::uint64_t>& ticket);
  void send(const std::vector<raft::Message>& messages);
  void on_link(const net::LinkKey& link, bool up);
  void on_consensus(const LinkReceived& received);
  void on_tick();
  void on_applied(const Applied& applied);
  void on_role(const raft::RoleChange& role);
  void look_at_lease();
  void set_lease(bool held);
  void stop(const std::string& why);
  void propose(const Propose& request);
  void offer_proposals();
  void lead(std::vector<raft::Proposal> proposals, const std::vector<std::uint64_t>& counts);
  void on_forwarded(const MailProposals& mail);
  void lead_forwarded();
  void settle(std::vector<ProposalDesk::Settled> settled);
  void await_read(const AwaitRead& request);
  void answer_reads();
  Instant stamp();
  void mail(NodeId to, const Mail& mail);
  void publish_status();

  caf::event_based_actor* self_;
  ContextPtr context_;
  LogCache cache_;
  raft::Core core_;
  ProposalDesk desk_;
  std::unique_ptr<LogWriter> writer_;
  MeetNode node_;
  bool flush_pending_ = false;
  bool stopped_ = false;
  int ticks_ = 0;
  bool leased_ = false;
  Instant last_stamp_;
  Index applied_;
  NodeId leader_;
  // Writes that the log writer would not take yet, and the Readys that wait for durability, in order.
  std::deque<LogWrite> unsubmitted_;
  struct Waiting {
    std::uint64_t number;
    std::uint64_t last_write;
    std::vector<raft::Message> send_after;
  };
  std::deque<Waiting> waiting_;
  std::uint64_t written_ = 0;       // the highest Ready number whose writes are durable
  std::uint64_t last_writing_ = 0;  // the last Ready number that wrote something
  std::vector<std::pair<NodeId, Blob>> forwarded_;
  std::uint64_t next_ticket_ = 0;
  std::map<std::uint64_t, Asker> askers_;  // by desk ticket
  std::map<std::uint64_t, Asker> reads_;   // by read token
  std::multimap<Index, Asker> granted_;    // waiting for apply
};

caf::behavior Replica::start() {
  writer_ = context_->make_log_writer(
      [actor = caf::actor_cast<caf::weak_actor_ptr>(me())](Result<std::uint64_t> done) {
        if (auto strong = actor.lock())
          caf::anon_send<caf::message_priority::high>(caf::actor_cast<caf::actor>(strong),
                                                      LogWritten{std::move(done)});
      });
  return {
      [this](const MeetNode& node) {
        node_ = node;
        self_->delayed_send(me(), tick_every, TickReplica{});
      },
      [this](TickReplica) {
        on_tick();
        if (!stopped_) self_->delayed_send(me(), tick_every, TickReplica{});
      },
      [this](FlushReplica) { flush(); },
      [this](const LogWritten& done) { on_written(done.ticket); },
      [this](const StateApplied& state) { on_applied(*state.applied); },
      [this](const LinkRaised& raised) { on_link(raised.link, true); },
      [this](const LinkDropped& dropped) { on_link(dropped.link, false); },
      [this](const LinkReceived& received) { on_consensus(received); },
      [this](const Propose& request) { propose(request); },
      [this](const MailProposals& mail) { on_forwarded(mail); },
      [this](const MailRefusals& mail) {
        settle(desk_.refused(mail.mail.counts, mail.mail.code));
        flush_soon();
      },
      [this](const AwaitRead& request) { await_read(request); },
      [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
  };
}

void Replica::flush_soon() {
  if (flush_pending_ || stopped_) return;
  flush_pending_ = true;
  self_->send(self_, FlushReplica{});
}

void Replica::flush() {
  flush_pending_ = false;
  if (stopped_) return;
  offer_proposals();
  lead_forwarded();
  while (core_.has_ready()) take_ready();
  submit_writes();
  answer_reads();
  publish_status();
}

void Replica::take_ready() {
  raft::Ready ready = core_.ready();
  if (ready.truncate_from) cache_.truncate_from(*ready.truncate_from);
  if (!ready.append.empty()) cache_.append(ready.append);
  if (ready.role) on_role(*ready.role);
  send(ready.send_now);
  if (ready.writes()) {
    LogWrite write;
    write.hard = ready.hard;
    write.truncate_from = ready.truncate_from;
    write.append = std::move(ready.append);
    write.ticket = ready.number;
    last_writing_ = ready.number;
    unsubmitted_.push_back(std::move(write));
  }
  waiting_.push_back({ready.number, last_writing_, std::move(ready.send_after)});
  if (!ready.committed.empty()) self_->send(node_.applier, ApplyEntries{std::move(ready.committed)});
  for (const raft::ReadGrant& grant : ready.reads) {
    const auto found = reads_.find(grant.token);
    if (found == reads_.end()) continue;
    granted_.emplace(grant.index, std::move(found->second));
    reads_.erase(found);
  }
  for (const raft::ReadToken token : ready.reads_lost) {
    const auto found = reads_.find(token);
    if (found == reads_.end()) continue;
    if (core_.read(token).ok()) continue;  // Asked again; without a leader it fails, below.
    self_->send(
        caf::actor_cast<caf::actor>(found->second.actor),
        ReadDone{found->second.cookie, Error{ErrorCode::unavailable, "no leader at the moment; try again"}});
    reads_.erase(found);
  }
  on_written(written_);  // A Ready without writes may be complete already.
}

void Replica::submit_writes() {
  while (!unsubmitted_.empty()) {
    auto taken = writer_->submit(std::move(unsubmitted_.front()));
    if (!taken.ok()) {
      if (taken.error().code == ErrorCode::overloaded) return;  // Tried again at the next completion.
      return stop("the log cannot be written: " + taken.error().message);
    }
    unsubmitted_.pop_front();
  }
}

void Replica::on_written(const Result<std::uint64_t>& ticket) {
  if (!ticket.ok()) return stop("the log cannot be written: " + ticket.error().message);
  if (ticket.value() > written_) {
    written_ = ticket.value();
    cache_.durable(context_->log->head().tail.index, context_->log->head().tail.term);
    flush_soon();
  }
  // A Ready is durable when the last write up to it is.
  while (!waiting_.empty() && waiting_.front().last_write <= written_) {
    const Waiting done = std::move(waiting_.front());
    waiting_.pop_front();
    send(done.send_after);
    core_.persisted(done.number);
    flush_soon();
  }
}

void Replica::send(const std::vector<raft::Message>& messages) {
  for (const raft::Message& message : messages)
    context_->hub->send({peer_name(message.to), net::Channel::consensus}, packed(message));
}

void Replica::on_link(const net::LinkKey& link, bool up) {
  const NodeId node = node_of_peer(link.peer);
  if (node.value == 0 || link.channel != net::Channel::consensus) return;
  if (up)
    core_.link_up(node);
  else
    core_.link_down(node);
  flush_soon();
}

void Replica::on_consensus(const LinkReceived& received) {
  auto message = unpacked<raft::Message>(received.bytes);
  if (!message.ok() || message.value().from != node_of_peer(received.link.peer)) {
    spdlog::warn("bad_consensus_message node={} peer={}", context_->self.value, received.link.peer);
    return;
  }
  core_.step(message.value());
  flush_soon();
}

void Replica::on_tick() {
  if (stopped_) return;
  core_.tick();
  settle(desk_.expire(now()));
  if (++ticks_ % lease_every_ticks == 0) look_at_lease();
  if (cache_.failure()) return stop("the log cannot be read: " + cache_.failure()->message);
  for (auto next = reads_.begin(); next != reads_.end();) {
    const auto at = next++;
    if (at->second.deadline > now()) continue;
    self_->send(caf::actor_cast<caf::actor>(at->second.actor),
                ReadDone{at->second.cookie,
                         Error{ErrorCode::unavailable, "no leader confirmed the read in time; try again"}});
    reads_.erase(at);
  }
  flush_soon();
}

void Replica::on_applied(const Applied& applied) {
  applied_ = applied.index;
  core_.applied(applied.index);
  settle(desk_.applied(applied.outcomes));
  flush_soon();
}

void Replica::on_role(const raft::RoleChange& role) {
  if (role.leader != leader_) desk_.leader_changed();
  leader_ = role.leader;
  spdlog::info("role_changed node={} role={} term={} leader={}", context_->self.value,
               static_cast<int>(role.role), role.term.value, role.leader.value);
  self_->send(node_.scheduler, RoleMoved{role});
  self_->send(node_.balancer, RoleMoved{role});
}

void Replica::look_at_lease() {
  const raft::Status status = core_.status();
  const milliseconds silent = tick_every * status.silent_ticks;
  const bool held = status.leader.value != 0 && silent < milliseconds(context_->settings.get(lease_ms));
  set_lease(held);
  if (status.role != raft::Role::leader) return;
  PeersHeard heard;
  heard.term = status.term;
  for (const raft::PeerStatus& peer : status.peers)
    heard.peers.push_back({peer.id, tick_every * peer.silent_ticks});
  self_->send(node_.balancer, std::move(heard));
}

void Replica::set_lease(bool held) {
  if (held == leased_) return;
  leased_ = held;
  context_->status.leased = held;
  self_->send(node_.directory, LeaseMoved{held});
}

/// Nobody looks at the lease any more: without its end the agents would stay with a node that cannot act.
void Replica::stop(const std::string& why) {
  if (std::exchange(stopped_, true)) return;
  context_->status.role = static_cast<std::uint8_t>(raft::Role::follower);
  context_->status.leader = 0;
  set_lease(false);
  context_->fail(why);
}

void Replica::propose(const Propose& request) {
  const std::uint64_t ticket = ++next_ticket_;
  auto added = desk_.add(request.command, ticket, now(), request.patience);
  if (!added.ok()) {
    self_->send(caf::actor_cast<caf::actor>(request.asker), ProposalDone{request.cookie, added.error()});
    return;
  }
  ++context_->status.proposals;
  askers_.emplace(ticket, Asker{request.asker, request.cookie, {}});
  flush_soon();
}

void Replica::offer_proposals() {
  if (leader_.value == 0 || desk_.pending() == 0) return;
  const std::vector<ProposalDesk::Attempt> attempts = desk_.due(now());
  if (attempts.empty()) return;
  std::vector<std::uint64_t> counts;
  if (core_.role() == raft::Role::leader) {
    std::vector<raft::Proposal> proposals;
    for (const auto& attempt : attempts) {
      proposals.push_back({stamp(), attempt.command});
      counts.push_back(attempt.count);
    }
    return lead(std::move(proposals), counts);
  }
  ForwardProposals forward;
  for (const auto& attempt : attempts) {
    forward.commands.push_back(attempt.command);
    desk_.attempted(attempt.count, now());
  }
  mail(leader_, forward);
}

void Replica::lead(std::vector<raft::Proposal> proposals, const std::vector<std::uint64_t>& counts) {
  const auto taken = core_.propose(proposals);
  if (taken.ok())
    for (const std::uint64_t count : counts) desk_.attempted(count, now());
  else
    settle(desk_.refused(counts, taken.error().code));
}

void Replica::on_forwarded(const MailProposals& mail) {
  for (const Blob& command : mail.mail.commands) forwarded_.emplace_back(mail.from, command);
  flush_soon();
}

void Replica::lead_forwarded() {
  if (forwarded_.empty()) return;
  std::vector<raft::Proposal> proposals;
  for (const auto& [from, command] : forwarded_) proposals.push_back({stamp(), command});
  const auto taken = core_.propose(proposals);
  std::map<NodeId, RefuseProposals> refusals;
  if (!taken.ok()) {
    for (const auto& [from, bytes] : forwarded_) {
      auto command = decode_command(bytes.view());
      if (!command.ok() || command.value().proposal.node != from) continue;
      refusals[from].counts.push_back(command.value().proposal.count);
      refusals[from].code = taken.error().code;
    }
  }
  forwarded_.clear();
  for (const auto& [to, refusal] : refusals) mail(to, refusal);
}

void Replica::settle(std::vector<ProposalDesk::Settled> settled) {
  for (auto& item : settled) {
    const auto found = askers_.find(item.ticket);
    if (found == askers_.end()) continue;
    self_->send(caf::actor_cast<caf::actor>(found->second.actor),
                ProposalDone{found->second.cookie, std::move(item.outcome)});
    askers_.erase(found);
  }
}

void Replica::await_read(const AwaitRead& request) {
  const Error busy{ErrorCode::overloaded, "too many reads wait on this node; try again in a second"};
  const std::uint64_t token = ++next_ticket_;
  auto asked = reads_.size() >= reads_waiting_max ? Result<void>(busy) : core_.read(token);
  if (!asked.ok()) {
    self_->send(caf::actor_cast<caf::actor>(request.asker), ReadDone{request.cookie, asked.error()});
    return;
  }
  reads_.emplace(token, Asker{request.asker, request.cookie, now() + request.patience});
  flush_soon();
}

void Replica::answer_reads() {
  for (auto next = granted_.begin(); next != granted_.end() && next->first <= applied_;) {
    self_->send(caf::actor_cast<caf::actor>(next->second.actor), ReadDone{next->second.cookie, applied_});
    next = granted_.erase(next);
  }
}

Instant Replica::stamp() {
  last_stamp_ = std::max(last_stamp_, context_->clock->wall());
  return last_stamp_;
}

void Replica::mail(NodeId to, const Mail& mail) {
  context_->hub->send({peer_name(to), net::Channel::mail}, packed(mail));
}

void Replica::publish_status() {
  NodeStatus& status = context_->status;
  status.term = core_.term().value;
  status.leader = core_.leader().value;
  status.commit = core_.commit().value;
  status.applied = applied_.value;
  status.last = cache_.last().value;
  status.role = static_cast<std::uint8_t>(core_.role());
  status.proposals_pending = desk_.pending();
}

}  // namespace

caf::actor spawn_replica(caf::actor_system& system, const ContextPtr& context,
                         const raft::Restored& restored) {
  return system.spawn([context, restored](caf::event_based_actor* self) -> caf::behavior {
    auto replica = std::make_shared<Replica>(self, context, restored);
    // The behaviour's handlers hold `replica` by address; this handler holds its life.
    self->attach_functor([replica]() mutable { replica.reset(); });
    return replica->start();
  });
}

}  // namespace troupe
