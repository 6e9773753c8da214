#include "actors/bench/log_node.hpp"

#include <algorithm>
#include <atomic>
#include <future>

#include "actors/directory/directory_actor.hpp"
#include "actors/replica/replica_actor.hpp"
#include "storage/replica/restore.hpp"

namespace troupe::bench {

struct StartLoad {
  Load load;
  std::shared_ptr<std::promise<Result<LoadFigures>>> done;
};

}  // namespace troupe::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::bench::StartLoad)

namespace troupe::bench {
namespace {

constexpr milliseconds patience{60'000};

std::uint64_t percentile(std::vector<std::uint64_t>& values, std::uint64_t per_cent) {
  if (values.empty()) return 0;
  const std::size_t at = std::min(values.size() - 1, values.size() * per_cent / 100);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

/// Keeps a number of commands or reads under way. One phase at a time.
class LoadSource {
 public:
  LoadSource(caf::event_based_actor* self, ContextPtr context, caf::actor replica)
      : self_(self), context_(std::move(context)), replica_(std::move(replica)) {}

  caf::behavior start() {
    return {
        [this](const StartLoad& start) { begin(start); },
        [this](const ProposalDone& done) { on_done(done.cookie, done.outcome); },
        [this](const ReadDone& done) { on_read(done); },
    };
  }

 private:
  Moment now() const { return context_->clock->steady(); }
  Term term() const { return Term{context_->status.term.load()}; }
  caf::strong_actor_ptr me() const { return caf::actor_cast<caf::strong_actor_ptr>(self_); }

  void begin(const StartLoad& start) {
    load_ = start.load;
    promise_ = start.done;
    latencies_.clear();
    failure_.reset();
    began_ = now();
    under_way_ = 0;
    if (load_.kind == Load::Kind::prepare) {
      core_ = std::make_unique<TransitionCore>(load_.transitions);
      random_ = Random(load_.transitions.seed + 1);
      return next_setup_step();
    }
    if (core_ == nullptr) return finish(Error{ErrorCode::precondition_failed, "prepare first"});
    for (std::uint32_t n = 0; n < load_.in_flight; ++n) load_.kind == Load::Kind::read ? read() : move_one();
    finish_if_over();
  }

  // ---- set-up ----
  void next_setup_step() {
    std::vector<Command> commands = core_->setup(term());
    if (commands.empty()) return begin_moving();
    step_outcomes_.assign(commands.size(), {});
    under_way_ = commands.size();
    for (std::size_t n = 0; n < commands.size(); ++n) propose(std::move(commands[n]), n);
    setting_up_ = true;
  }

  void on_step(std::uint64_t at, const Result<Outcome>& outcome) {
    if (!outcome.ok())
      failure_ = outcome.error();
    else
      step_outcomes_[at] = outcome.value();
    if (--under_way_ > 0) return;
    setting_up_ = false;
    if (failure_) return finish(*failure_);
    if (auto taken = core_->set_up(step_outcomes_); !taken.ok()) return finish(taken.error());
    next_setup_step();
  }

  // ---- units ----
  void begin_moving() {
    sent_.assign(core_->units(), {});
    idle_.clear();
    targets_.clear();
    for (std::size_t unit = 0; unit < core_->units(); ++unit) {
      targets_.push_back(static_cast<std::uint32_t>(1 + random_.below(TransitionCore::phases - 1)));
      idle_.push_back(unit);
    }
    for (std::uint32_t n = 0; n < load_.in_flight; ++n) move_one();
    finish_if_over();
  }

  void move_one() {
    if (failure_ || idle_.empty()) return;
    if (load_.kind == Load::Kind::commit && now() - began_ >= load_.span) return;
    std::size_t at = idle_.size() - 1;
    if (load_.kind == Load::Kind::commit) at = random_.below(idle_.size());
    const std::size_t unit = idle_[at];
    idle_[at] = idle_.back();
    idle_.pop_back();
    move(unit);
  }

  void move(std::size_t unit) {
    ++under_way_;
    sent_[unit] = now();
    propose(core_->next(unit, term()), unit);
  }

  void on_moved(std::size_t unit, const Result<Outcome>& outcome) {
    --under_way_;
    if (!outcome.ok()) {
      failure_ = outcome.error();
    } else if (auto moved = core_->moved(unit, outcome.value()); !moved.ok()) {
      // The leader's term has passed: nothing happened, and the next one's number is known by now.
      if (moved.error().code == ErrorCode::fenced) return move(unit);
      failure_ = moved.error();
    } else if (load_.kind == Load::Kind::commit) {
      note_latency(sent_[unit]);
      idle_.push_back(unit);
      move_one();
    } else if (core_->phase(unit) != targets_[unit]) {
      return move(unit);
    } else {
      move_one();
    }
    finish_if_over();
  }

  void on_done(std::uint64_t cookie, const Result<Outcome>& outcome) {
    setting_up_ ? on_step(cookie, outcome) : on_moved(cookie, outcome);
  }

  void propose(Command command, std::uint64_t cookie) {
    self_->send(replica_, Propose{std::move(command), cookie, patience, me()});
  }

  // ---- reads ----
  void read() {
    if (failure_ || now() - began_ >= load_.span) return;
    ++under_way_;
    self_->send(replica_, AwaitRead{static_cast<std::uint64_t>(now().ns), patience, me()});
  }

  void on_read(const ReadDone& done) {
    --under_way_;
    if (!done.applied.ok())
      failure_ = done.applied.error();
    else if (core_->units() > 0)
      (void)context_->reads().task(core_->task(random_.below(core_->units())));
    note_latency({static_cast<std::int64_t>(done.cookie)});
    read();
    finish_if_over();
  }

  // ---- the end ----
  void note_latency(Moment since) {
    latencies_.push_back(static_cast<std::uint64_t>((now() - since).count()) / 1000);
  }

  void finish_if_over() {
    if (under_way_ > 0) return;
    if (failure_) return finish(*failure_);
    if (load_.kind == Load::Kind::prepare) {
      idle_.resize(core_->units());
      for (std::size_t unit = 0; unit < idle_.size(); ++unit) idle_[unit] = unit;
    }
    LoadFigures figures;
    figures.took_us = static_cast<std::uint64_t>((now() - began_).count()) / 1000;
    figures.done = latencies_.size();
    figures.p50_us = percentile(latencies_, 50);
    figures.p99_us = percentile(latencies_, 99);
    figures.max_us = percentile(latencies_, 100);
    finish(figures);
  }

  void finish(Result<LoadFigures> result) {
    if (promise_ == nullptr) return;
    promise_->set_value(std::move(result));
    promise_.reset();
  }

  caf::event_based_actor* self_;
  ContextPtr context_;
  caf::actor replica_;
  std::unique_ptr<TransitionCore> core_;
  Random random_{1};
  Load load_;
  std::shared_ptr<std::promise<Result<LoadFigures>>> promise_;
  std::optional<Error> failure_;
  Moment began_;
  bool setting_up_ = false;
  std::size_t under_way_ = 0;
  std::vector<Outcome> step_outcomes_;
  std::vector<std::size_t> idle_;
  std::vector<std::uint32_t> targets_;  ///< prepare: the phase in which each unit is left
  std::vector<Moment> sent_;
  std::vector<std::uint64_t> latencies_;  ///< microseconds
};

class RunningLogNode final : public LogNode, private net::LinkListener {
 public:
  RunningLogNode(NodeConfig config, NodeSeams seams) : config_(std::move(config)), seams_(std::move(seams)) {}
  ~RunningLogNode() override;
  Result<void> start();
  Result<LoadFigures> run(const Load& load) override;
  const NodeStatus& status() const override { return context_->status; }
  const Reads& reads() const override { return machine_->reads(); }

 private:
  void on_link_up(const net::LinkKey& link) override { route(link, LinkRaised{link}); }
  void on_link_down(const net::LinkKey& link, std::string_view why) override {
    route(link, LinkDropped{link, std::string(why)});
  }
  void on_message(const net::LinkKey& link, Bytes message) override {
    route(link, LinkReceived{link, std::move(message)});
  }
  template <class Message>
  void route(const net::LinkKey& link, Message message);
  void fill_context();
  void spawn();

  NodeConfig config_;
  NodeSeams seams_;
  std::unique_ptr<LogStore> log_;
  std::unique_ptr<StateMachine> machine_;
  ContextPtr context_;
  raft::Restored restored_;
  std::unique_ptr<ActorHost> actors_;
  std::unique_ptr<net::LinkHub> hub_;
  MeetNode node_;
  caf::actor source_;
  std::atomic<bool> spawned_{false};
};

Result<void> RunningLogNode::start() {
  auto log = LogStore::open(*seams_.log);
  if (!log.ok()) return log.error();
  log_ = std::move(log).value();
  auto machine = StateMachine::open(*seams_.state);
  if (!machine.ok()) return machine.error();
  machine_ = std::move(machine).value();
  fill_context();
  auto restored = restore(*log_, machine_->applied(), context_->initial);
  if (!restored.ok()) return restored.error();
  restored_ = std::move(restored).value();
  auto hub = seams_.open_hub(*this);
  if (!hub.ok()) return hub.error();
  hub_ = std::move(hub).value();
  context_->hub = hub_.get();
  actors_ = ActorHost::with_threads(config_.threads);
  spawn();
  for (const auto& [id, address] : config_.nodes) {
    if (id == config_.self) continue;
    for (const net::Channel channel : {net::Channel::consensus, net::Channel::mail})
      hub_->dial({peer_name(id), channel}, address.peer);
  }
  return {};
}

void RunningLogNode::fill_context() {
  context_ = std::make_shared<NodeContext>();
  context_->self = config_.self;
  context_->life = config_.life;
  context_->seed = config_.seed;
  context_->cell = config_.cell;
  context_->settings = config_.settings;
  raft::Membership membership;
  for (const auto& [id, address] : config_.nodes) membership.voters.push_back(id);
  context_->book.begin(config_.nodes, membership);
  context_->initial = membership;
  context_->state_store = seams_.state;
  context_->clock = seams_.clock;
  context_->machine = machine_.get();
  context_->log = log_.get();
  context_->make_log_writer = [this](LogWriter::Done done) {
    return seams_.make_log_writer(*log_, std::move(done));
  };
  context_->fail = seams_.on_failure;
}

void RunningLogNode::spawn() {
  caf::actor_system& system = actors_->system();
  node_.replica = spawn_replica(system, context_, restored_);
  node_.keeper = spawn_keeper(system, context_, KeeperThread::own);
  node_.applier = spawn_applier(system, context_);
  node_.post = spawn_post(system, context_);
  source_ = system.spawn([context = context_, replica = node_.replica](caf::event_based_actor* self) {
    auto source = std::make_shared<LoadSource>(self, context, replica);
    self->attach_functor([source]() mutable { source.reset(); });
    return source->start();
  });
  spawned_ = true;
  for (const caf::actor& actor : {node_.applier, node_.keeper, node_.post, node_.replica})
    caf::anon_send(actor, node_);
}

template <class Message>
void RunningLogNode::route(const net::LinkKey& link, Message message) {
  if (!spawned_) return;
  if (link.channel == net::Channel::consensus) return caf::anon_send(node_.replica, std::move(message));
  if constexpr (std::is_same_v<Message, LinkReceived>)
    if (link.channel == net::Channel::mail) caf::anon_send(node_.post, std::move(message));
}

Result<LoadFigures> RunningLogNode::run(const Load& load) {
  StartLoad start{load, std::make_shared<std::promise<Result<LoadFigures>>>()};
  auto done = start.done->get_future();
  caf::anon_send(source_, std::move(start));
  return done.get();
}

RunningLogNode::~RunningLogNode() {
  if (hub_) hub_->close();
  if (actors_ && spawned_) {
    for (const caf::actor& actor : {source_, node_.post, node_.keeper, node_.applier, node_.replica})
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    node_ = {};
    source_ = nullptr;
    actors_->await_end();
  }
  actors_.reset();
}

}  // namespace

Result<std::unique_ptr<LogNode>> LogNode::start(NodeConfig config, NodeSeams seams) {
  auto node = std::make_unique<RunningLogNode>(std::move(config), std::move(seams));
  if (auto started = node->start(); !started.ok()) return started.error();
  return std::unique_ptr<LogNode>(std::move(node));
}

}  // namespace troupe::bench
