#include "actors/directory/directory_actor.hpp"

#include <set>

#include "actors/cores/care_time.hpp"
#include "actors/directory/activations.hpp"
#include "actors/directory/awake_report.hpp"
#include "actors/entities/entity_actor.hpp"
#include "actors/runtime/logging.hpp"
#include "storage/base/planted_bug.hpp"
#include "storage/base/random.hpp"
#include "storage/replica/replica_settings.hpp"

namespace troupe {
namespace {

constexpr milliseconds directory_tick{50};
constexpr milliseconds reports_wait{1};        // Reports of several hosts share one command.
constexpr std::size_t duties_per_look = 1024;  // Of one shard; the next look goes on as these settle.
constexpr milliseconds proposal_patience{5'000};
constexpr milliseconds rest_at_least{
    1'000};  // Of an entity whose core found nothing to do although it is due.

const Error* error_of(const Result<Outcome>& outcome) {
  if (!outcome.ok()) return &outcome.error();
  return outcome.value().error ? &*outcome.value().error : nullptr;
}

class Directory {
 public:
  Directory(caf::event_based_actor* self, ContextPtr context)
      : self_(self), context_(std::move(context)), random_(context_->seed ^ 0xd1ec) {}

  ~Directory() {
    for (const auto& [entity, active] : activations_.active())
      caf::anon_send_exit(active.actor, caf::exit_reason::kill);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  caf::behavior start();

 private:
  Instant now() const { return context_->now(); }
  bool owns(ShardId shard) const { return owned_.contains(shard); }
  ShardId shard_of_entity(const EntityRef& entity) const { return context_->reads().shard_of(entity); }
  void load_shards();
  void on_applied(const Applied& applied);
  void on_assigned(const Event& event);
  void finish_moves();
  void on_entity_event(const Event& event, std::set<EntityRef>& nudged);
  void nudge_groups(ShardId shard, std::set<EntityRef>& nudged);
  void nudge_or_rouse(const EntityRef& entity, std::set<EntityRef>& nudged);
  void on_lease(bool held);
  void tick();
  void begin_anew();
  void look(ShardId shard);
  Activations::Active* activate(const EntityRef& entity);
  void nudge(const EntityRef& entity);
  void nudge_if_active(const EntityRef& entity, std::set<EntityRef>& nudged);
  void drop_shard(ShardId shard);
  void on_down(const caf::down_msg& down);
  void set_aside(const EntityRef& entity);
  void on_restart(const RestartEntity& order);
  void on_proposes(const EntityProposes& message);
  void flush_reports();
  void on_done(const ProposalDone& done);
  Activations::Active* sender(const EntityRef& entity);
  template <class Message>
  void tell(Activations::Active& active, Message message);
  template <class Message>
  void to_host(HostId host, const Message& message);

  struct Asked {
    EntityRef entity;
    std::uint64_t number = 0;
    caf::actor_addr from;  // a later actor of the entity counts from 1 again, and must not take this outcome
  };
  void settle(const Asked& asked, Result<Outcome> outcome);

  caf::event_based_actor* self_;
  ContextPtr context_;
  Random random_;
  MeetNode node_;
  Activations activations_;
  std::uint16_t shard_count_ = 0;
  std::map<ShardId, Epoch> owned_;
  std::size_t gained_ = 0;     // of the events being handled
  std::vector<ShardId> lost_;  // likewise
  bool leased_ = false;
  cores::CareTime care_;
  Instant last_tick_;                      ///< unset: none yet
  std::map<EntityRef, Instant> rested_;    // until when; an event of the entity ends it sooner
  std::map<HostId, AgentArrived> agents_;  // whose link ends here and whose host is ours
  std::uint64_t next_cookie_ = 0;
  std::map<std::uint64_t, std::vector<Asked>> asked_;  // by cookie; several for merged reports, in order
  std::set<std::uint64_t> asked_reports_;              // of these, the merged reports
  ReportTasks reports_;
  std::vector<Asked> reports_asked_;
};

caf::behavior Directory::start() {
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  return {
      [this](const MeetNode& node) {
        node_ = node;
        load_shards();
        self_->delayed_send(self_, directory_tick, TickDirectory{});
      },
      [this](const StateApplied& state) { on_applied(*state.applied); },
      [this](const LeaseMoved& lease) { on_lease(lease.held); },
      [this](TickDirectory) {
        tick();
        self_->delayed_send(self_, directory_tick, TickDirectory{});
      },
      [this](const EntityProposes& message) { on_proposes(message); },
      [this](const EntityWakes& wakes) {
        if (auto* active = activations_.find(wakes.entity))
          activations_.set_wake(*active, wakes.entity, wakes.at);
      },
      [this](const EntityRests& rests) {
        auto* active = sender(rests.entity);
        const bool missed = planted(Bug::event_lost_on_passivation);
        // It was nudged meanwhile.
        if (active == nullptr || (active->nudges != rests.nudge && !missed)) return;
        rested_[rests.entity] = now() + (missed ? milliseconds(86'400'000) : rest_at_least);
        self_->send(activations_.remove(rests.entity), Passivate{});
      },
      [this](const RestartEntity& order) { on_restart(order); },
      [this](FlushReports) { flush_reports(); },
      [this](const ProposalDone& done) { on_done(done); },
      [this](const AgentArrived& arrived) {
        agents_[arrived.host] = arrived;
        if (activations_.find(EntityRef::of(arrived.host)) != nullptr)
          to_host(arrived.host, arrived);
        else
          activate(EntityRef::of(arrived.host));  // It is told of its agent when it starts.
      },
      [this](const AgentLeft& left) {
        if (const auto found = agents_.find(left.host);
            found != agents_.end() && found->second.link == left.link)
          agents_.erase(found);
        to_host(left.host, left);
      },
      [this](const AgentReported& reported) { to_host(reported.host, reported); },
      [this](const CloseAgent& close) { self_->send(node_.door, close); },
      [this](const TellAwake& question) { return awake_report(activations_, question); },
      [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
  };
}

void Directory::load_shards() {
  shard_count_ = context_->reads().shard_count();
  for (const ShardRecord& shard : context_->reads().shards())
    if (shard.owner == context_->self) owned_[shard.id] = shard.epoch;
}

void Directory::on_applied(const Applied& applied) {
  std::set<EntityRef> nudged;
  std::set<ShardId> touched;
  for (const Event& event : applied.events) {
    if (event.kind == EventKind::cell_changed && shard_count_ == 0)
      shard_count_ = context_->reads().shard_count();
    if (event.kind == EventKind::shard_assigned)
      on_assigned(event);
    else
      on_entity_event(event, nudged);
    if (owns(event.shard)) touched.insert(event.shard);
    if (event.host.value != 0 && shard_count_ != 0) touched.insert(shard_of(event.host, shard_count_));
  }
  finish_moves();
  for (const ShardId shard : touched) look(shard);
}

void Directory::on_assigned(const Event& event) {
  if (event.node == context_->self) {
    if (!owns(event.shard)) ++gained_;
    owned_[event.shard] = event.epoch;
  } else if (owns(event.shard)) {
    owned_.erase(event.shard);
    lost_.push_back(event.shard);
  }
}

void Directory::finish_moves() {
  if (gained_ == 0 && lost_.empty()) return;
  logging::info("shards_moved node={} gained={} lost={} owned={}", context_->self.value,
                std::exchange(gained_, 0), lost_.size(), owned_.size());
  for (const ShardId shard : lost_) drop_shard(shard);
  if (!lost_.empty()) self_->send(node_.door, ShardsLost{std::exchange(lost_, {})});
}

void Directory::on_entity_event(const Event& event, std::set<EntityRef>& nudged) {
  if (!event.job.is_nil()) nudge_or_rouse(EntityRef::of(event.job), nudged);
  if (!event.task.is_nil()) nudge_or_rouse(EntityRef::of(event.task), nudged);
  if (event.kind == EventKind::group_changed) nudge_groups(event.shard, nudged);
  if (event.host.value != 0) rested_.erase(EntityRef::of(event.host));
  if (event.kind == EventKind::host_changed)
    to_host(event.host, HostMoved{});
  else if (event.host.value != 0)
    to_host(event.host, HostTaskMoved{event.task});
}

void Directory::nudge_or_rouse(const EntityRef& entity, std::set<EntityRef>& nudged) {
  rested_.erase(entity);
  nudge_if_active(entity, nudged);
}

/// The event does not say which: there are few, and hardly ever is one awake.
void Directory::nudge_groups(ShardId shard, std::set<EntityRef>& nudged) {
  for (const EntityRef& entity : activations_.all_of(EntityKind::group))
    if (shard_of_entity(entity) == shard) nudge_or_rouse(entity, nudged);
}

void Directory::on_lease(bool held) {
  if (held == leased_) return;
  leased_ = held;
  logging::info("lease_moved node={} held={}", context_->self.value, held);
  self_->send(node_.door, LeaseMoved{held});
  if (!held) {
    care_.pause(now());
    for (const EntityRef& entity : activations_.all()) self_->send(activations_.remove(entity), Passivate{});
    return;
  }
  care_.resume(now());
  for (const auto& [shard, epoch] : owned_) look(shard);
}

/// Whoever is awake waits for moments that are far away, and counts from one that never was.
void Directory::begin_anew() {
  logging::warn("cell_time_stepped_back node={} by_ms={}", context_->self.value,
                (last_tick_ - now()).count());
  rested_.clear();
  activations_.forgive_all();
  if (!leased_) return care_.pause({});
  on_lease(false);
  care_.pause(last_tick_);
  on_lease(true);
}

void Directory::tick() {
  if (last_tick_.is_set() && now() + milliseconds(context_->settings.get(clock_leap_ms)) < last_tick_)
    begin_anew();
  last_tick_ = now();
  activations_.forget_old_crashes(now());
  std::erase_if(rested_, [this](const auto& rest) { return rest.second <= now(); });
  if (!leased_) return;
  for (const EntityRef& entity : activations_.take_due(now())) nudge(entity);
  for (const auto& [shard, epoch] : owned_) look(shard);
}

void Directory::look(ShardId shard) {
  if (!leased_ || !owns(shard)) return;
  for (const Duty& duty : context_->reads().duties(shard, now(), duties_per_look)) {
    // Awake ones look after themselves; one that rests although it is due waits for an event, or a while.
    if (activations_.find(duty.entity) != nullptr || rested_.contains(duty.entity)) continue;
    if (activate(duty.entity) != nullptr) nudge(duty.entity);
  }
}

Activations::Active* Directory::activate(const EntityRef& entity) {
  if (!leased_ || !owns(shard_of_entity(entity)) || !activations_.may_activate(entity, now())) return nullptr;
  const EntityHome home{context_, caf::actor_cast<caf::actor>(self_), entity, random_.next(), care_.since()};
  caf::actor actor;
  switch (entity.kind) {
    case EntityKind::job:
      actor = spawn_job(self_->system(), home);
      break;
    case EntityKind::task:
      actor = spawn_task(self_->system(), home);
      break;
    case EntityKind::host:
      actor = spawn_host(self_->system(), home);
      break;
    case EntityKind::group:
      actor = spawn_group(self_->system(), home);
      break;
  }
  self_->monitor(actor);
  Activations::Active& active = activations_.add(entity, actor, home.meter, now());
  if (entity.kind == EntityKind::host)
    if (const auto found = agents_.find(entity.host()); found != agents_.end()) tell(active, found->second);
  return &active;
}

void Directory::nudge(const EntityRef& entity) {
  if (auto* active = activations_.find(entity)) tell(*active, Nudge{++active->nudges});
}

void Directory::nudge_if_active(const EntityRef& entity, std::set<EntityRef>& nudged) {
  if (activations_.find(entity) != nullptr && nudged.insert(entity).second) nudge(entity);
}

template <class Message>
void Directory::tell(Activations::Active& active, Message message) {
  ++active.sent;
  self_->send(active.actor, std::move(message));
}

template <class Message>
void Directory::to_host(HostId host, const Message& message) {
  if (auto* active = activations_.find(EntityRef::of(host))) tell(*active, message);
}

void Directory::drop_shard(ShardId shard) {
  for (const EntityRef& entity : activations_.all())
    if (shard_of_entity(entity) == shard) self_->send(activations_.remove(entity), Passivate{});
  for (auto next = agents_.begin(); next != agents_.end();) {
    const auto at = next++;
    if (shard_of(at->first, shard_count_) == shard) agents_.erase(at);
  }
}

void Directory::on_down(const caf::down_msg& down) {
  const auto entity = activations_.entity_of(down.source);
  if (!entity) return;
  const std::string& said = activations_.find(*entity)->meter->failure;
  const std::string why = said.empty() ? self_->system().render(down.reason) : said;
  activations_.remove(*entity);
  const auto again = activations_.crashed(*entity, now(), why);
  logging::warn("entity_crashed node={} entity={} reason=\"{}\" set_aside={}", context_->self.value,
                entity->text(), why, !again);
  if (!again) set_aside(*entity);
  // Otherwise its duty, or its agent's next word, wakes it when the pause is over.
  else if (entity->kind == EntityKind::host && agents_.contains(entity->host()))
    self_->send(node_.door, CloseAgent{agents_.at(entity->host()).link, "its host's actor crashed"});
}

void Directory::on_restart(const RestartEntity& order) {
  const EntityRef& entity = order.entity;
  const auto asker = caf::actor_cast<caf::actor>(order.asker);
  if (!leased_ || shard_count_ == 0 || !owns(shard_of_entity(entity)))
    return self_->send(
        asker, ReplicaDone{order.cookie, Error{ErrorCode::fenced,
                                               "this node does not care for " + entity.text() + " (now)"}});
  logging::info("entity_restarted node={} entity={}", context_->self.value, entity.text());
  activations_.forgive(entity);
  rested_.erase(entity);
  if (activations_.find(entity) != nullptr) self_->send(activations_.remove(entity), Passivate{});
  // A host's agent comes with a new session, as to a new owner, and its word wakes the actor.
  if (entity.kind == EntityKind::host && agents_.contains(entity.host()))
    self_->send(node_.door, CloseAgent{agents_.at(entity.host()).link, "its host's actor is restarted"});
  else if (activate(entity) != nullptr)
    nudge(entity);
  self_->send(asker, ReplicaDone{order.cookie, Index{context_->status.applied.load()}});
}

void Directory::set_aside(const EntityRef& entity) {
  const ShardId shard = shard_of_entity(entity);
  if (!owns(shard)) return;
  Command command;
  command.fence = EpochFence{shard, owned_.at(shard)};
  command.caller = "troupe/supervision";
  command.body = SetAside{entity, "its actor crashed again and again"};
  self_->send(node_.replica, Propose{std::move(command), 0, proposal_patience,
                                     caf::actor_cast<caf::strong_actor_ptr>(self_)});
}

void Directory::on_proposes(const EntityProposes& message) {
  const ShardId shard = shard_of_entity(message.entity);
  const Asked asked{message.entity, message.number,
                    caf::actor_cast<caf::actor_addr>(self_->current_sender())};
  if (!leased_ || !owns(shard))
    return settle(asked, Error{ErrorCode::fenced, "this node does not own the shard any more"});
  if (const auto* report = std::get_if<ReportTasks>(&message.body)) {
    if (reports_.parts.empty()) self_->delayed_send(self_, reports_wait, FlushReports{});
    for (const auto& part : report->parts) {
      reports_.parts.push_back(part);
      reports_asked_.push_back(asked);
    }
    return;
  }
  Command command;
  command.fence = EpochFence{shard, owned_.at(shard)};
  command.body = message.body;
  asked_[++next_cookie_] = {asked};
  self_->send(node_.replica, Propose{std::move(command), next_cookie_, proposal_patience,
                                     caf::actor_cast<caf::strong_actor_ptr>(self_)});
}

void Directory::flush_reports() {
  if (reports_.parts.empty()) return;
  Command command;
  command.body = std::exchange(reports_, {});
  asked_[++next_cookie_] = std::exchange(reports_asked_, {});
  asked_reports_.insert(next_cookie_);
  self_->send(node_.replica, Propose{std::move(command), next_cookie_, proposal_patience,
                                     caf::actor_cast<caf::strong_actor_ptr>(self_)});
}

void Directory::on_done(const ProposalDone& done) {
  const auto found = asked_.find(done.cookie);
  if (found == asked_.end()) return;
  const std::vector<Asked> asked = std::move(found->second);
  asked_.erase(found);
  const bool reports = asked_reports_.erase(done.cookie) > 0;
  for (std::uint32_t part = 0; part < asked.size(); ++part) {
    Result<Outcome> own = done.outcome;
    if (reports && own.ok()) {
      // A part is refused as a whole, when its session is over.
      for (const ItemRefusal& refusal : std::exchange(own.value().refused, {}))
        if (refusal.item == part) own.value().error = Error{refusal.code, refusal.message};
    }
    settle(asked[part], std::move(own));
  }
}

void Directory::settle(const Asked& asked, Result<Outcome> outcome) {
  auto* active = activations_.find(asked.entity);
  if (active == nullptr || active->actor.address() != asked.from) return;
  if (context_->trace.is_on())
    context_->trace.settled(asked.entity, error_of(outcome), context_->trace_now());
  if (const Error* error = error_of(outcome))
    active->last_error = std::string(code_text(error->code)) + ": " + error->message;
  tell(*active, EntitySettled{asked.number, std::move(outcome)});
}

/// The entity's actor, if the message at hand is from it and not from one before it.
Activations::Active* Directory::sender(const EntityRef& entity) {
  auto* active = activations_.find(entity);
  const bool is_it = active != nullptr && self_->current_sender() != nullptr &&
                     active->actor.address() == caf::actor_cast<caf::actor_addr>(self_->current_sender());
  return is_it ? active : nullptr;
}

}  // namespace

caf::actor spawn_directory(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    auto directory = std::make_shared<Directory>(self, context);
    self->attach_functor([directory]() mutable { directory.reset(); });
    return directory->start();
  });
}

}  // namespace troupe
