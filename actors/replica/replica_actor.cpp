#include "actors/replica/replica_actor.hpp"

#include "actors/replica/hearing.hpp"
#include "actors/replica/member_requests.hpp"
#include "actors/replica/proposer.hpp"
#include "actors/runtime/logging.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

constexpr int silence_every_ticks = 5;  // How often the balancer hears how long the peers are silent.

LogRetention log_retention(const Settings& settings) {
  const auto megabytes = [&](const Setting& setting) {
    return static_cast<std::uint64_t>(settings.get(setting)) << 20;
  };
  LogRetention retention;
  retention.entries_max = static_cast<std::uint64_t>(settings.get(log_keep_entries));
  retention.bytes_max = megabytes(log_keep_mb);
  retention.pinned_bytes_max = megabytes(log_pinned_mb);
  retention.flush_bytes = megabytes(state_flush_mb);
  retention.flush_every = milliseconds(settings.get(state_flush_ms));
  return retention;
}

ReplicaConfig driver_config(const NodeContext& context, DiskBook* disks) {
  const auto ticks = [&](const Setting& setting) {
    return static_cast<std::uint32_t>(context.settings.get(setting) / replica_tick.count());
  };
  ReplicaConfig config;
  config.self = context.self;
  config.raft.heartbeat_ticks = std::max(1U, ticks(heartbeat_ms));
  config.raft.election_ticks = std::max(2U, ticks(election_ms));
  config.lease = milliseconds(context.settings.get(lease_ms));
  config.stall = milliseconds(context.settings.get(stall_ms));
  config.clock_leap = milliseconds(context.settings.get(clock_leap_ms));
  config.retention = log_retention(context.settings);
  config.initial = context.initial;
  config.seed = context.seed;
  config.disks = disks;
  config.level_known = context.machine->level_known();
  return config;
}

LogWriter::Done completions_to(const caf::actor& replica) {
  return [weak = caf::actor_cast<caf::weak_actor_ptr>(replica)](Result<std::uint64_t> done) {
    if (auto strong = weak.lock())
      caf::anon_send<caf::message_priority::high>(caf::actor_cast<caf::actor>(strong),
                                                  LogWritten{std::move(done)});
  };
}

class Replica {
 public:
  Replica(caf::event_based_actor* self, const ContextPtr& context, const raft::Restored& restored,
          DiskBook* disks)
      : self_(self),
        context_(context),
        writer_(context->make_log_writer(completions_to(caf::actor_cast<caf::actor>(self)))),
        driver_(driver_config(*context, disks), restored, *context->log, *writer_),
        proposer_(self, context, driver_),
        members_(self, context, driver_) {}

  caf::behavior start();

 private:
  template <class Message, class Handler>
  auto input(Handler handle) {
    return [this, handle](const Message& message) {
      handle(message);
      flush_soon();
    };
  }
  void flush_soon();
  void flush();
  void tick();
  void hear(const LinkReceived& received);
  void move_link(const net::LinkKey& link, bool up);
  void read(const AwaitRead& request);
  void perform(ReplicaEffects effects);
  void report(const ReplicaEffects& effects) const;
  void meet(const raft::Membership& membership);
  void send_snapshot(const raft::SnapshotNeed& need);
  void welcome(const raft::SnapshotMeta& snapshot);
  void tell_role(const raft::RoleChange& role);
  void tell_lease(bool held);
  void tell_silence();
  void answer(const ReadAnswer& answer);
  void publish_status();

  struct Asker {
    caf::strong_actor_ptr actor;
    std::uint64_t cookie = 0;
  };

  caf::event_based_actor* self_;
  ContextPtr context_;
  std::unique_ptr<LogWriter> writer_;
  ReplicaDriver driver_;
  Proposer proposer_;
  MemberRequests members_;
  MeetNode node_;
  bool flush_pending_ = false;
  bool leads_ = false;
  Hearing hearing_;
  int ticks_ = 0;
  NodeId leader_;
  raft::ReadToken next_token_ = 0;
  std::map<raft::ReadToken, Asker> readers_;
};

caf::behavior Replica::start() {
  return {
      [this](const MeetNode& node) {
        node_ = node;
        self_->delayed_send(self_, replica_tick, TickReplica{});
      },
      [this](TickReplica) { tick(); },
      [this](FlushReplica) { flush(); },
      input<LogWritten>(
          [this](const LogWritten& done) { driver_.written(done.ticket, now_of(*context_->clock)); }),
      input<StateApplied>([this](const StateApplied& state) {
        driver_.applied(state.applied->index);
        proposer_.applied(*state.applied);
      }),
      input<LinkRaised>([this](const LinkRaised& raised) { move_link(raised.link, true); }),
      input<LinkDropped>([this](const LinkDropped& dropped) { move_link(dropped.link, false); }),
      input<LinkRefused>([this](const LinkRefused& refused) {
        if (hearing_.link_refused(node_of_peer(refused.link.peer))) tell_silence();
      }),
      input<LinkReceived>([this](const LinkReceived& received) { hear(received); }),
      input<Propose>([this](const Propose& request) { proposer_.propose(request); }),
      input<MailProposals>([this](const MailProposals& mail) { proposer_.forwarded(mail); }),
      input<MailRefusals>([this](const MailRefusals& mail) { proposer_.refused(mail); }),
      input<ChangeMembers>([this](const ChangeMembers& request) { members_.change(request); }),
      input<TransferLeadership>([this](const TransferLeadership& request) { members_.transfer(request); }),
      input<StateKept>(
          [this](const StateKept& kept) { driver_.flushed(kept.flushed, now_of(*context_->clock)); }),
      input<SnapshotTaken>(
          [this](const SnapshotTaken& taken) { driver_.snapshot_started(taken.peer, taken.index); }),
      input<SnapshotSent>([this](const SnapshotSent& sent) { driver_.snapshot_sent(sent.peer, sent.index); }),
      input<SnapshotArrived>([this](const SnapshotArrived& arrived) { welcome(arrived.meta); }),
      input<StopReplica>([this](const StopReplica& request) { driver_.stop(request.why); }),
      input<AwaitRead>([this](const AwaitRead& request) { read(request); }),
      [this](TellReplica) {
        return ReplicaTold{driver_.status(), driver_.levels()};
      },
      [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
  };
}

void Replica::flush_soon() {
  if (flush_pending_) return;
  flush_pending_ = true;
  self_->send(self_, FlushReplica{});
}

void Replica::flush() {
  flush_pending_ = false;
  proposer_.offer();
  ReplicaEffects effects = driver_.take(now_of(*context_->clock));
  publish_status();  // First: who is told of a lease goes by the cell's time.
  perform(std::move(effects));
  members_.look();
}

void Replica::tick() {
  if (driver_.tick(now_of(*context_->clock)) == ReplicaDriver::Tick::again)
    return self_->send(self_, TickReplica{});  // Behind all that waits.
  proposer_.expire();
  if (++ticks_ % silence_every_ticks == 0) tell_silence();
  self_->delayed_send(self_, replica_tick, TickReplica{});
  flush_soon();
}

void Replica::move_link(const net::LinkKey& link, bool up) {
  const NodeId node = node_of_peer(link.peer);
  if (node.value == 0 || link.channel != net::Channel::consensus) return;
  hearing_.link_moved(node, up);
  if (up)
    driver_.link_up(node);
  else
    driver_.link_down(node);
  tell_silence();
}

void Replica::hear(const LinkReceived& received) {
  auto message = unpacked<ReplicaMessage>(received.bytes);
  if (message.ok() && message.value().message.from == node_of_peer(received.link.peer))
    return driver_.receive(message.value(), now_of(*context_->clock));
  logging::warn("bad_consensus_message node={} peer={}", context_->self.value, received.link.peer);
}

void Replica::read(const AwaitRead& request) {
  const raft::ReadToken token = ++next_token_;
  readers_.emplace(token, Asker{request.asker, request.cookie});
  if (auto asked = driver_.read(token, context_->clock->steady() + request.patience); !asked.ok())
    answer({token, asked.error()});
}

void Replica::perform(ReplicaEffects effects) {
  for (const raft::RoleChange& role : effects.roles) tell_role(role);
  for (const ReplicaMessage& message : effects.send)
    context_->hub->send({peer_name(message.message.to), net::Channel::consensus}, packed(message));
  if (!effects.apply.empty()) self_->send(node_.applier, ApplyEntries{std::move(effects.apply)});
  for (const ReadAnswer& read : effects.reads) answer(read);
  if (effects.lease) tell_lease(*effects.lease);
  if (effects.care != StateCare::none) self_->send(node_.keeper, CareForState{effects.care});
  if (effects.free_log) self_->send(node_.keeper, FreeLogSpace{});
  if (effects.membership) meet(*effects.membership);
  for (const raft::SnapshotNeed& need : effects.snapshots) send_snapshot(need);
  report(effects);
  if (effects.install) return context_->install_snapshot();
  if (effects.stop) context_->fail(*effects.stop);
}

void Replica::report(const ReplicaEffects& effects) const {
  const auto self = context_->self.value;
  if (effects.stalled) logging::warn("process_stalled node={} ms={}", self, effects.stalled->count());
  if (effects.clock_leapt)
    logging::error("clock_leapt node={} wall={}: hands over; set this machine's clock", self,
                   to_text(context_->clock->wall()));
}

/// Members that came by a change have their address with them.
void Replica::meet(const raft::Membership& membership) {
  logging::info("members node={} voters={} learners={}", context_->self.value, membership.voters.size(),
                membership.learners.size());
  context_->book.changed(membership);
  for (const raft::MemberAddress& member : membership.addresses) {
    if (member.node == context_->self || member.address.empty()) continue;
    for (const net::Channel channel : {net::Channel::consensus, net::Channel::mail})
      context_->hub->dial({peer_name(member.node), channel}, member.address);
  }
}

void Replica::send_snapshot(const raft::SnapshotNeed& need) {
  const NodeAddress address = context_->book.find(need.peer).value_or(NodeAddress{});
  self_->send(node_.keeper, SendSnapshot{need.peer, need.first_missing, driver_.term(), address.peer});
}

void Replica::welcome(const raft::SnapshotMeta& snapshot) {
  if (!context_->install_snapshot) return;
  switch (driver_.snapshot_arrived(snapshot)) {
    case ReplicaDriver::Arrival::unwanted:
      return self_->send(node_.keeper, ForgetSnapshot{});
    case ReplicaDriver::Arrival::waits:
      return;  // It is told again with each repeated offer.
    case ReplicaDriver::Arrival::installs:
      logging::info("snapshot_arrived node={} index={}", context_->self.value, snapshot.index.value);
      return;
  }
}

void Replica::tell_role(const raft::RoleChange& role) {
  if (role.leader != std::exchange(leader_, role.leader)) proposer_.leader_changed();
  hearing_.led_by(role.leader);
  logging::info("role_changed node={} role={} term={} leader={}", context_->self.value,
                static_cast<int>(role.role), role.term.value, role.leader.value);
  const bool leads = role.role == raft::Role::leader;
  if (std::exchange(leads_, leads) && !leads) self_->send(node_.keeper, DropSnapshots{});
  if (leads) tell_silence();  // First: the new leader's scheduler shall not rely on the dead one's hosts.
  self_->send(node_.scheduler, RoleMoved{role});
  self_->send(node_.balancer, RoleMoved{role});
  flush_soon();  // What waits for a leader can be offered.
}

void Replica::tell_lease(bool held) {
  context_->status.leased = held;
  self_->send(node_.directory, LeaseMoved{held});
}

void Replica::tell_silence() {
  if (driver_.role() != raft::Role::leader) return context_->peers.set({});
  const raft::Status status = driver_.status();
  std::vector<PeerStanding> standings;
  PeersHeard heard;
  heard.term = status.term;
  heard.levels = driver_.levels();
  for (const raft::PeerStatus& peer : status.peers) {
    const milliseconds silent = replica_tick * peer.silent_ticks;
    heard.peers.push_back(
        {peer.id, silent, hearing_.speaks(peer.id, peer.match.value != 0), hearing_.is_gone(peer.id)});
    const std::uint64_t lag = status.last.value - std::min(status.last.value, peer.match.value);
    standings.push_back({peer.id, peer.learner, peer.state, peer.match, lag, silent});
  }
  context_->peers.set(std::move(standings));
  self_->send(node_.scheduler, heard);
  self_->send(node_.balancer, std::move(heard));
}

void Replica::answer(const ReadAnswer& answer) {
  const auto found = readers_.find(answer.token);
  if (found == readers_.end()) return;
  self_->send(caf::actor_cast<caf::actor>(found->second.actor),
              ReadDone{found->second.cookie, answer.applied});
  readers_.erase(found);
}

void Replica::publish_status() {
  if (const auto offset = driver_.cell_time(now_of(*context_->clock)))
    context_->cell_time_ms = offset->count();
  NodeStatus& status = context_->status;
  status.term = driver_.term().value;
  status.leader = driver_.leader().value;
  status.commit = driver_.commit().value;
  status.applied = driver_.applied().value;
  status.last = driver_.last().value;
  status.first = driver_.first().value;
  status.log_bytes = driver_.log_bytes();
  status.unapplied_bytes = driver_.unapplied_bytes();
  status.writes_waiting = driver_.unsubmitted();
  status.readys_waiting = driver_.waiting_readys();
  status.mailbox = self_->mailbox().size();
  status.stalls = driver_.counters().stalls;
  status.leaps_refused = driver_.counters().leaps_refused;
  const ReplicaCounters& counters = driver_.counters();
  status.log_cuts = counters.cuts;
  status.log_syncs = counters.syncs;
  status.log_sync_us = static_cast<std::uint64_t>(counters.sync_time.count() / 1'000);
  status.log_sync_us_worst = static_cast<std::uint64_t>(counters.sync_worst.count() / 1'000);
  status.role = static_cast<std::uint8_t>(driver_.role());
  status.proposals_pending = proposer_.pending();
}

}  // namespace

caf::actor spawn_replica(caf::actor_system& system, const ContextPtr& context, const raft::Restored& restored,
                         DiskBook* disks) {
  return system.spawn([context, restored, disks](caf::event_based_actor* self) -> caf::behavior {
    auto replica = std::make_shared<Replica>(self, context, restored, disks);
    // The behaviour's handlers hold `replica` by address; this handler holds its life.
    self->attach_functor([replica]() mutable { replica.reset(); });
    return replica->start();
  });
}

}  // namespace troupe
