#include "actors/node/node.hpp"

#include "actors/balancer/balancer_actor.hpp"
#include "actors/console/console_actor.hpp"
#include "actors/directory/directory_actor.hpp"
#include "actors/gateway/gateway_actor.hpp"
#include "actors/gateway/gateway_settings.hpp"
#include "actors/gateway/mailed_reply.hpp"
#include "actors/operations/backup_actor.hpp"
#include "actors/operations/operations_actor.hpp"
#include "actors/replica/replica_actor.hpp"
#include "actors/runtime/logging.hpp"
#include "actors/scheduler/scheduler_actor.hpp"
#include "storage/base/random.hpp"
#include "storage/replica/disk_book.hpp"
#include "storage/replica/restore.hpp"
#include "storage/snapshot/self_repair.hpp"

namespace troupe {
namespace {

/// Asks the replica and goes when it has answered, which it always does.
template <class Request>
void ask_replica(caf::actor_system& system, const caf::actor& replica, Request request, Node::Done done) {
  system.spawn([replica, request = std::move(request),
                done = std::move(done)](caf::event_based_actor* self) mutable -> caf::behavior {
    request.asker = caf::actor_cast<caf::strong_actor_ptr>(self);
    self->send(replica, std::move(request));
    return {[self, done](const ReplicaDone& answer) {
      done(answer.done);
      self->quit();
    }};
  });
  ActorHost::leave_thread();
}

class RunningNode final : public Node, private net::LinkListener {
 public:
  RunningNode(NodeConfig config, NodeSeams seams) : config_(std::move(config)), seams_(std::move(seams)) {}
  ~RunningNode() override;

  Result<void> start();
  Result<void> open_log();
  Result<void> open_disks();
  Result<void> open_shelf();
  void handle(http::Request request, http::ReplyPtr reply) override {
    caf::anon_send(node_.gateway, HttpCall{std::move(request), gateway::MailedReply::of(std::move(reply))});
  }
  void change_members(raft::MemberChange change, Done done) override {
    ChangeMembers request;
    request.change = std::move(change);
    ask_replica(actors_->system(), node_.replica, std::move(request), std::move(done));
  }
  void transfer_leadership(NodeId target, Done done) override {
    TransferLeadership request;
    request.target = target;
    ask_replica(actors_->system(), node_.replica, std::move(request), std::move(done));
  }
  const NodeStatus& status() const override { return context_->status; }
  const Reads& reads() const override { return machine_->reads(); }
  ActorHost& actors() override { return *actors_; }
  const std::string& peer_address() const override { return peer_address_; }
  Result<void> flush() override { return seams_.state->flush(); }

 private:
  void on_link_up(const net::LinkKey& link) override {
    ++context_->status.links_up.at(static_cast<std::size_t>(link.channel));
    route(link, LinkRaised{link});
  }
  void on_link_down(const net::LinkKey& link, std::string_view why) override {
    --context_->status.links_up.at(static_cast<std::size_t>(link.channel));
    route(link, LinkDropped{link, std::string(why)});
  }
  void on_dial_failed(const net::LinkKey& link, net::DialFailure how, std::string_view) override {
    const bool is_consensus = link.channel == net::Channel::consensus;
    if (is_consensus && how == net::DialFailure::nobody_listens) route(link, LinkRefused{link});
  }
  void on_message(const net::LinkKey& link, Bytes message) override {
    route(link, LinkReceived{link, std::move(message)});
  }
  template <class Message>
  void route(const net::LinkKey& link, Message message);
  void fill_context();
  void spawn();
  void dial_peers();
  raft::Membership initial_membership() const;

  NodeConfig config_;
  NodeSeams seams_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<DiskBook> disks_;
  std::unique_ptr<SnapshotShelf> shelf_;
  std::unique_ptr<StateMachine> machine_;
  raft::Restored restored_;
  ContextPtr context_;
  std::unique_ptr<ActorHost> actors_;
  std::unique_ptr<net::LinkHub> hub_;
  std::string peer_address_;
  MeetNode node_;
  caf::actor backups_;
  std::atomic<bool> spawned_{false};
  std::atomic<bool> failed_{false};
};

Result<void> RunningNode::start() {
  if (auto opened = open_log(); !opened.ok()) return opened;
  if (auto opened = open_disks(); !opened.ok()) return opened;
  if (auto opened = open_shelf(); !opened.ok()) return opened;
  auto machine = StateMachine::open(*seams_.state, seams_.state_options);
  if (!machine.ok()) return machine.error();
  machine_ = std::move(machine).value();
  auto restored = restore(*log_, machine_->applied(), initial_membership());
  if (!restored.ok()) return restored.error();
  restored_ = std::move(restored).value();
  fill_context();
  auto hub = seams_.open_hub(*this);
  if (!hub.ok()) return hub.error();
  hub_ = std::move(hub).value();
  peer_address_ = hub_->address();
  context_->hub = hub_.get();
  actors_ = config_.threads == 0 ? ActorHost::simulated(config_.turns_seed)
                                 : ActorHost::with_threads(config_.threads);
  spawn();
  dial_peers();
  return {};
}

Result<void> RunningNode::open_log() {
  auto log = LogStore::open(*seams_.log);
  if (!log.ok()) return log.error();
  log_ = std::move(log).value();
  if (seams_.folder == nullptr) return {};
  const CurrentState& state = seams_.folder->current();
  const auto behind = begin_log_behind(*log_, {state.index, state.term}, state.membership);
  if (!behind.ok()) return behind.error();
  if (behind.value() == LogBegins::as_it_did) return {};
  auto again = LogStore::open(*seams_.log);
  if (!again.ok()) return again.error();
  log_ = std::move(again).value();
  return {};
}

Result<void> RunningNode::open_disks() {
  constexpr std::uint64_t stream = 0x6469736b;  // Apart from what else is drawn from this life's seed.
  const DiskId drawn = Random(config_.seed ^ stream).next() | 1;
  DiskBook::Keep keep;
  std::optional<DiskRecord> kept;
  if (seams_.folder != nullptr) {
    keep = [this](const DiskRecord& copy) { return keep_promise(*seams_.folder, copy); };
    auto found = kept_promise(*seams_.folder);
    if (!found.ok()) return found.error();
    kept = std::move(found).value();
  }
  auto disks = DiskBook::open(*seams_.log, config_.self, log_->head(), drawn, std::move(keep), kept);
  if (!disks.ok()) return disks.error();
  disks_ = std::move(disks).value();
  if (const std::string why = standing_text(disks_->standing()); !why.empty())
    logging::info("node_does_not_vote node={} why=\"{}\"", config_.self.value, why);
  return {};
}

Result<void> RunningNode::open_shelf() {
  if (seams_.folder == nullptr) return {};
  auto shelf = SnapshotShelf::open(seams_.folder->files(), seams_.folder->checkpoints_path(), seams_.look);
  if (!shelf.ok()) return shelf.error();
  shelf_ = std::move(shelf).value();
  return {};
}

void RunningNode::fill_context() {
  context_ = std::make_shared<NodeContext>();
  context_->self = config_.self;
  context_->life = config_.life;
  context_->seed = config_.seed;
  context_->cell = config_.cell;
  context_->settings = config_.settings;
  context_->policy = config_.policy;
  context_->book.begin(config_.nodes, restored_.membership);
  context_->initial = initial_membership();
  context_->clock = seams_.clock;
  context_->machine = machine_.get();
  context_->log = log_.get();
  context_->log_kv = seams_.log;
  context_->state_kv = seams_.state;
  context_->make_log_writer = [this](LogWriter::Done done) {
    return seams_.make_log_writer(*log_, std::move(done));
  };
  context_->state_store = seams_.state;
  context_->folder = seams_.folder;
  context_->shelf = shelf_.get();
  context_->install_snapshot = seams_.on_snapshot;
  context_->fail = [this](const std::string& why) {
    if (failed_.exchange(true)) return;
    logging::error("node_failed node={} why=\"{}\"", config_.self.value, why);
    if (seams_.on_failure) seams_.on_failure(why);
  };
  context_->note_fault = seams_.note_fault;
  context_->sign_audit = seams_.sign_audit;
  context_->fault_point = config_.fault_point;
  context_->identities = config_.identities;
  context_->images = config_.images;
  context_->status.applied = machine_->applied().value;
}

raft::Membership RunningNode::initial_membership() const {
  raft::Membership membership;
  if (config_.joins) return membership;
  for (const auto& [id, address] : config_.nodes) membership.voters.push_back(id);
  return membership;
}

void RunningNode::spawn() {
  caf::actor_system& system = actors_->system();
  node_.replica = spawn_replica(system, context_, restored_, disks_.get());
  node_.applier = spawn_applier(system, context_);
  node_.keeper =
      spawn_keeper(system, context_, actors_->is_simulated() ? KeeperThread::shared : KeeperThread::own);
  node_.operations = spawn_operations(system, context_, disks_.get());
  node_.directory = spawn_directory(system, context_);
  node_.door = spawn_door(system, context_);
  node_.post = spawn_post(system, context_);
  node_.scheduler = spawn_scheduler(system, context_);
  node_.balancer = spawn_balancer(system, context_);
  node_.console = spawn_console(system, context_);
  backups_ =
      spawn_backups(system, context_, actors_->is_simulated() ? BackupThread::shared : BackupThread::own);
  node_.gateway = spawn_gateway(system, context_, node_.replica, node_.post, backups_, node_settings());
  spawned_ = true;
  for (const caf::actor& actor : {node_.applier, node_.keeper, node_.operations, node_.directory, node_.door,
                                  node_.post, node_.scheduler, node_.balancer, node_.console, node_.replica})
    caf::anon_send(actor, node_);
  ActorHost::leave_thread();
}

void RunningNode::dial_peers() {
  for (const auto& [id, address] : config_.nodes) {
    if (id == config_.self) continue;
    for (const net::Channel channel : {net::Channel::consensus, net::Channel::mail})
      hub_->dial({peer_name(id), channel}, address.peer);
  }
}

template <class Message>
void RunningNode::route(const net::LinkKey& link, Message message) {
  if (!spawned_) return;  // Nobody is dialled before, and who dials us is heard at the next message.
  switch (link.channel) {
    case net::Channel::consensus:
      return caf::anon_send(node_.replica, std::move(message));
    case net::Channel::mail:
      if constexpr (std::is_same_v<Message, LinkReceived>) caf::anon_send(node_.post, std::move(message));
      return;
    case net::Channel::agent:
      return caf::anon_send(node_.door, std::move(message));
    case net::Channel::bulk:
      return caf::anon_send(node_.keeper, std::move(message));
  }
}

RunningNode::~RunningNode() {
  if (hub_) hub_->close();
  if (actors_ && spawned_) {
    for (const caf::actor& actor :
         {node_.gateway, backups_, node_.console, node_.balancer, node_.scheduler, node_.post, node_.door,
          node_.directory, node_.operations, node_.keeper, node_.applier, node_.replica})
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    node_ = {};
    backups_ = nullptr;
    actors_->await_end();
  }
  actors_.reset();
}

}  // namespace

Result<std::unique_ptr<Node>> Node::start(NodeConfig config, NodeSeams seams) {
  auto node = std::make_unique<RunningNode>(std::move(config), std::move(seams));
  if (auto started = node->start(); !started.ok()) return started.error();
  return std::unique_ptr<Node>(std::move(node));
}

std::vector<const Setting*> node_settings() {
  return {&lease_ms,
          &heartbeat_ms,
          &election_ms,
          &stall_ms,
          &clock_leap_ms,
          &log_keep_entries,
          &log_keep_mb,
          &log_pinned_mb,
          &snapshot_mb_per_s,
          &state_flush_mb,
          &state_flush_ms,
          &owner_dead_ms,
          &owner_back_ms,
          &crash_launches_per_s,
          &gateway::gateway_waiting_max,
          &gateway::gateway_streams_max,
          &gateway::gateway_logs_max,
          &gateway::gateway_events_max,
          &gateway::image_digest_required,
          &gateway::image_digest_age_ms,
          &gateway::set_aside_max,
          &gateway::audit_sign_ms};
}

}  // namespace troupe
