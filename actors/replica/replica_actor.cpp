#include "actors/replica/replica_actor.hpp"

#include <spdlog/spdlog.h>

#include "actors/replica/proposer.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

constexpr int silence_every_ticks = 5;  // How often the balancer hears how long the peers are silent.

ReplicaConfig driver_config(const NodeContext& context) {
  const auto ticks = [&](const Setting& setting) {
    return static_cast<std::uint32_t>(context.settings.get(setting) / replica_tick.count());
  };
  ReplicaConfig config;
  config.self = context.self;
  config.raft.heartbeat_ticks = std::max(1U, ticks(heartbeat_ms));
  config.raft.election_ticks = std::max(2U, ticks(election_ms));
  config.lease = milliseconds(context.settings.get(lease_ms));
  config.seed = context.seed;
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
  Replica(caf::event_based_actor* self, const ContextPtr& context, const raft::Restored& restored)
      : self_(self),
        context_(context),
        writer_(context->make_log_writer(completions_to(caf::actor_cast<caf::actor>(self)))),
        driver_(driver_config(*context), restored, *context->log, *writer_),
        proposer_(self, context, driver_) {}

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
  MeetNode node_;
  bool flush_pending_ = false;
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
      input<LogWritten>([this](const LogWritten& done) { driver_.written(done.ticket); }),
      input<StateApplied>([this](const StateApplied& state) {
        driver_.applied(state.applied->index);
        proposer_.applied(*state.applied);
      }),
      input<LinkRaised>([this](const LinkRaised& raised) { move_link(raised.link, true); }),
      input<LinkDropped>([this](const LinkDropped& dropped) { move_link(dropped.link, false); }),
      input<LinkReceived>([this](const LinkReceived& received) { hear(received); }),
      input<Propose>([this](const Propose& request) { proposer_.propose(request); }),
      input<MailProposals>([this](const MailProposals& mail) { proposer_.forwarded(mail); }),
      input<MailRefusals>([this](const MailRefusals& mail) { proposer_.refused(mail); }),
      input<AwaitRead>([this](const AwaitRead& request) { read(request); }),
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
  perform(driver_.take());
  publish_status();
}

void Replica::tick() {
  driver_.tick(now_of(*context_->clock));
  proposer_.expire();
  if (++ticks_ % silence_every_ticks == 0) tell_silence();
  self_->delayed_send(self_, replica_tick, TickReplica{});
  flush_soon();
}

void Replica::move_link(const net::LinkKey& link, bool up) {
  const NodeId node = node_of_peer(link.peer);
  if (node.value == 0 || link.channel != net::Channel::consensus) return;
  if (up)
    driver_.link_up(node);
  else
    driver_.link_down(node);
}

void Replica::hear(const LinkReceived& received) {
  auto message = unpacked<raft::Message>(received.bytes);
  if (message.ok() && message.value().from == node_of_peer(received.link.peer))
    return driver_.receive(message.value());
  spdlog::warn("bad_consensus_message node={} peer={}", context_->self.value, received.link.peer);
}

void Replica::read(const AwaitRead& request) {
  const raft::ReadToken token = ++next_token_;
  readers_.emplace(token, Asker{request.asker, request.cookie});
  if (auto asked = driver_.read(token, context_->clock->steady() + request.patience); !asked.ok())
    answer({token, asked.error()});
}

void Replica::perform(ReplicaEffects effects) {
  for (const raft::RoleChange& role : effects.roles) tell_role(role);
  for (const raft::Message& message : effects.send)
    context_->hub->send({peer_name(message.to), net::Channel::consensus}, packed(message));
  if (!effects.apply.empty()) self_->send(node_.applier, ApplyEntries{std::move(effects.apply)});
  for (const ReadAnswer& read : effects.reads) answer(read);
  if (effects.lease) tell_lease(*effects.lease);
  if (effects.stop) context_->fail(*effects.stop);
}

void Replica::tell_role(const raft::RoleChange& role) {
  if (role.leader != std::exchange(leader_, role.leader)) proposer_.leader_changed();
  spdlog::info("role_changed node={} role={} term={} leader={}", context_->self.value,
               static_cast<int>(role.role), role.term.value, role.leader.value);
  self_->send(node_.scheduler, RoleMoved{role});
  self_->send(node_.balancer, RoleMoved{role});
  flush_soon();  // What waits for a leader can be offered.
}

void Replica::tell_lease(bool held) {
  context_->status.leased = held;
  self_->send(node_.directory, LeaseMoved{held});
}

void Replica::tell_silence() {
  if (driver_.role() != raft::Role::leader) return;
  const raft::Status status = driver_.status();
  PeersHeard heard;
  heard.term = status.term;
  for (const raft::PeerStatus& peer : status.peers)
    heard.peers.push_back({peer.id, replica_tick * peer.silent_ticks});
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
  NodeStatus& status = context_->status;
  status.term = driver_.term().value;
  status.leader = driver_.leader().value;
  status.commit = driver_.commit().value;
  status.applied = driver_.applied().value;
  status.last = driver_.last().value;
  status.role = static_cast<std::uint8_t>(driver_.role());
  status.proposals_pending = proposer_.pending();
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
