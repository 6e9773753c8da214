#include "actors/scheduler/scheduler_actor.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "actors/runtime/logging.hpp"
#include "actors/scheduler/crash_pacer.hpp"
#include "actors/scheduler/engine.hpp"
#include "actors/scheduler/explanation_json.hpp"
#include "actors/scheduler/hold_text.hpp"
#include "actors/scheduler/plan_told.hpp"
#include "actors/scheduler/state_lookups.hpp"
#include "storage/model/gang.hpp"
#include "storage/model/preemption.hpp"

namespace troupe {
namespace {

constexpr std::size_t plans_max = 8;  // Proposed and not yet settled; the next pass waits for one of them.
constexpr std::uint32_t level_of_gangs = 2;
constexpr milliseconds plan_patience{5'000};
constexpr milliseconds deaf_after{
    500};  // Sooner than its shards move; of a dead process the link tells at once.
constexpr milliseconds unheard_patience{5'000};  // For agents to find another node when theirs is gone.
constexpr milliseconds retry_pass_after{
    100};  // A pass that was cut short by plans_max is looked at again by then.

class SchedulerShell {
 public:
  SchedulerShell(caf::event_based_actor* self, ContextPtr context)
      : self_(self),
        context_(std::move(context)),
        pacer_(static_cast<std::uint32_t>(context_->settings.get(crash_launches_per_s))) {}

  caf::behavior start() {
    return {
        [this](const MeetNode& node) { node_ = node; },
        [this](const RoleMoved& moved) { on_role(moved.role); },
        [this](const PeersHeard& heard) { on_heard(heard); },
        [this](const StateApplied& state) {
          note_ends(*state.applied);
          if (engine_) on_applied(*state.applied);
        },
        [this](PassScheduler) {
          pass_pending_ = false;
          if (engine_) pass();
        },
        [this](const WakeScheduler& wake) {
          if (wake.number != wake_number_) return;
          wake_at_ = {};
          if (engine_) pass();
        },
        [this](const ProposalDone& done) { on_done(done); },
        [this](const Asked& asked) { on_asked(asked); },
        [this](TellMailbox) { return MailboxTold{self_->mailbox().size()}; },
    };
  }

 private:
  void on_role(const raft::RoleChange& role) {
    const bool leads = role.role == raft::Role::leader;
    if (leads && engine_ && role.term == term_) return;
    engine_.reset();
    plans_.clear();
    held_.clear();
    unheard_.clear();
    pacer_.forget_all();
    note_paced();
    has_limits_ = false;
    term_ = role.term;
    if (!leads) return;
    engine_.emplace(lookups_in(context_, [this] { return level_ >= level_needed(PreemptTasks{}); }));
    load();
  }

  /// A host gets no order while the node that holds its agent's link does not speak: it has no room until it
  /// does.
  void on_heard(const PeersHeard& heard) {
    std::set<NodeId> deaf;
    for (const PeersHeard::Peer& peer : heard.peers)
      if (!peer.speaks || peer.silent >= deaf_after) deaf.insert(peer.id);
    const std::set<NodeId> before = std::exchange(deaf_, std::move(deaf));
    if (!engine_ || before == deaf_) return;
    for (const HostFacts& host : context_->reads().hosts())
      if (before.contains(host.record.session_node) != deaf_.contains(host.record.session_node)) upsert(host);
    pass_soon();
  }

  // Everything is in derived tables: nothing is rebuilt from records. The state may be ahead of the events
  // that come next; each copy of a host says which of them it contains.
  void load() {
    level_ = context_->reads().level();
    index_ = Index{context_->status.applied.load()};
    look_at_groups();
    load_leaving();
    for (const HostFacts& host : context_->reads().hosts()) upsert(host);
    for (const WaitingTask& task : context_->reads().waiting(SIZE_MAX)) enqueue(task);
    logging::info("scheduler_loaded node={} term={} waiting={}", context_->self.value, term_.value,
                  engine_->status().queued);
    pass_soon();
  }

  // Whom the last leader has ended so that others have room: it kept the room for these, and so does this
  // one.
  void load_leaving() {
    if (!context_->reads().is_anybody_leaving()) return;
    context_->reads().scan_tasks([&](const TaskRecord& task, const JobRecord& job) {
      if (task.state != TaskState::kill_initiated || !task.is_placed()) return true;
      engine_->task_leaving(task.id, task.host, job.descriptor->resources);
      unheard_.insert(task.host);
      return true;
    });
    ends_nobody_until_ = context_->now() + unheard_patience;
  }

  /// Its limits, perhaps, or its level: who looked in vain for others to end may find them when that allows
  /// it.
  void look_at_cell() {
    level_ = context_->reads().level();
    for (const HostFacts& host : context_->reads().hosts()) upsert(host);
  }

  void upsert(const HostFacts& host) {
    scheduler::HostFacts facts;
    facts.id = host.record.id;
    facts.name = host.record.name;
    facts.host_group = host.record.host_group;
    facts.total = host.record.resources;
    facts.used = host.used;
    facts.as_of = host.as_of;
    facts.eligibility = host.record.eligibility;
    facts.phase = host.record.set_aside.empty() ? host.record.phase : HostPhase::quarantined;
    facts.connected = host.record.is_connected() && !deaf_.contains(host.record.session_node);
    if (facts.connected) unheard_.erase(facts.id);
    facts.attributes = host.record.attributes;
    facts.drivers = host.record.drivers;
    if (host.pause) facts.paused = scheduler::pause_text("the host", *host.pause);
    const LaunchRoom room = launch_room(host.launches, context_->now());
    facts.launches_left = room.left;
    if (room.left != LaunchRoom::unlimited) has_limits_ = true;
    if (room.left == 0 && room.again.is_set()) held_.insert({room.again, facts.id});
    engine_->upsert_host(facts);
  }
  /// A host at its limit of launches is looked at when time may have made room, or a launch of it has ended.
  void look_at_held_hosts(Instant now) {
    while (!held_.empty() && held_.begin()->first <= now) {
      const HostId host = held_.begin()->second;
      held_.erase(held_.begin());
      look_at_host(host);
    }
  }
  void look_if_held(HostId host) {
    if (has_limits_ && host.value != 0 && engine_->is_held(host)) look_at_host(host);
  }
  void look_at_host(HostId id) {
    if (const auto host = context_->reads().host_facts(id)) upsert(*host);
  }

  void look_at_groups() {
    std::set<std::string> before = std::exchange(groups_, {});
    pauses_ = context_->reads().wide_pauses();
    for (const auto& [record, use] : context_->reads().groups()) {
      const std::uint64_t left = pause_of_group(record.name) != nullptr ? 0 : group_launches_left(record);
      engine_->put_group({record.name, record.tier, reservation_of(record), use.placed, use.leaving, left,
                          most_at_once(record.launch_limit())});
      before.erase(record.name);
      groups_.insert(record.name);
    }
    for (const std::string& gone : before) engine_->drop_group(gone);
  }

  const PauseRecord* pause_of(const SchedulingScope& scope) const {
    const auto found = pauses_.empty() ? pauses_.end() : pauses_.find(scope.text());
    return found == pauses_.end() ? nullptr : &found->second;
  }
  const PauseRecord* pause_of_group(const std::string& name) const {
    return pause_of({SchedulingScope::Kind::group, name, {}});
  }

  std::uint64_t group_launches_left(const GroupRecord& record) {
    if (record.launch_limit().is_none()) return LaunchRoom::unlimited;
    const auto group = context_->reads().group(record.name);
    return group ? left_of(group->launches) : LaunchRoom::unlimited;
  }
  static std::uint64_t most_at_once(const LaunchLimit& limit) {
    const auto burst =
        limit.rate.is_none() ? LaunchRoom::unlimited : static_cast<std::uint64_t>(limit.rate.tokens_max());
    return limit.under_way_max == 0 ? burst : std::min(burst, limit.under_way_max);
  }
  /// Of the cell or a group; what time will bring is waited for: a first launch, or all that a gang may need.
  std::uint64_t left_of(const LaunchStanding& launches) {
    const LaunchRoom room = launch_room(launches, context_->now());
    Instant again = room.again;
    if (room.left > 0 && !launches.limit.rate.is_none()) again = launches.record.bucket.full_at();
    if (again > context_->now() && (!room_again_.is_set() || again < room_again_)) room_again_ = again;
    return room.left;
  }

  std::uint32_t gang_of(const JobId& job, const JobDescriptor& descriptor) {
    return level_ < level_of_gangs ? 0 : gang_size(context_->reads(), job, descriptor);
  }
  void enqueue(const WaitingTask& task) {
    enqueue({task.place.task,
             task.job,
             task.version,
             {task.place.created_at, task.place.slot.value},
             task.descriptor,
             priority_of(*task.descriptor),
             gang_of(task.job, *task.descriptor)});
  }
  void enqueue(scheduler::QueuedTask task) {
    if (engine_->knows(task.task) || !pacer_.hold(task, launch_of(task), context_->now()))
      return engine_->enqueue(std::move(task));
    note_paced();
    wake_in(*pacer_.next_release() - context_->now());
  }
  scheduler::CrashPacer::Launch launch_of(const scheduler::QueuedTask& task) {
    using Launch = scheduler::CrashPacer::Launch;
    if (!pacer_.is_alert()) return Launch::first;
    const bool follows = follows_crash(context_->reads(), task.job, SlotNumber{task.order.ordinal});
    return follows ? Launch::after_crash : Launch::first;
  }
  void release_paced(Instant now) {
    for (scheduler::QueuedTask& task : pacer_.release(now)) engine_->enqueue(std::move(task));
    note_paced();
  }
  void note_paced() { context_->status.launches_paced = pacer_.size(); }
  /// Also while another node leads: whoever is next knows what crashes.
  void note_ends(const Applied& applied) {
    for (const Event& event : applied.events)
      if (event.kind == EventKind::task_archived) pacer_.ended(*event.descriptor, event.reason, applied.now);
  }
  void forget(const TaskId& task) {
    pacer_.forget(task);
    note_paced();
    engine_->forget(task);
  }
  /// As it is now: it waits, perhaps at a newer version, or it does not concern the engine any more.
  void look_at_task(const TaskId& id) {
    if (const auto task = context_->reads().waiting_task(id))
      enqueue(*task);
    else
      forget(id);
  }

  void on_applied(const Applied& applied) {
    index_ = applied.index;
    for (const Event& event : applied.events) {
      switch (event.kind) {
        case EventKind::host_changed:
          look_at_host(event.host);
          break;
        case EventKind::task_created:
          enqueue({event.task,
                   event.job,
                   event.id.index,
                   {event.id.index, event.slot.value},
                   event.descriptor,
                   priority_of(*event.descriptor),
                   gang_of(event.job, *event.descriptor)});
          break;
        case EventKind::task_changed:
          on_task_changed(event);
          break;
        case EventKind::task_archived:
          forget(event.task);
          if (event.host.value != 0) on_ended(event);
          break;
        case EventKind::task_moved:
          engine_->task_moved(event.task, event.moved_from, event.job, event.host);
          break;
        case EventKind::group_changed:
          look_at_groups();
          break;
        case EventKind::cell_changed:
          look_at_cell();
          break;
        default:
          break;
      }
    }
    pass_soon();
  }

  void on_ended(const Event& event) {
    engine_->task_ended({event.task, event.job, event.host, event.descriptor->resources, event.id,
                         is_system_error(event.reason)});
    look_if_held(event.host);
  }

  void on_task_changed(const Event& event) {
    if (event.task_state == TaskState::kill_initiated)
      engine_->task_leaving(event.task, event.host, event.descriptor->resources);
    if (event.task_before != TaskState::accepted) return look_if_held(event.host);
    // Set aside, or released.
    if (event.task_state == TaskState::accepted) return look_at_task(event.task);
    pacer_.forget(event.task);
    if (!engine_->knows(event.task)) return look_at_host(event.host);
    if (event.task_state == TaskState::finished) return engine_->forget(event.task);
    engine_->settle(context_->now(), event.task, scheduler::Placed{event.id, event.host});
    look_if_held(event.host);
  }

  void pass_soon() {
    if (pass_pending_ || (engine_->status().queued == 0 && pacer_.size() == 0)) return;
    pass_pending_ = true;
    self_->send(self_, PassScheduler{});
  }

  bool may_end_others(Instant now) {
    if (unheard_.empty()) return true;
    if (now >= ends_nobody_until_)
      unheard_.clear();
    else
      wake_in(ends_nobody_until_ - now);
    return unheard_.empty();
  }

  /// False: more could be placed, but too many plans are out.
  bool pass() {
    const Instant now = context_->now();
    room_again_ = {};
    look_at_groups();
    look_at_held_hosts(now);
    if (pause_of({}) != nullptr) return true;  // Its end is an event.
    release_paced(now);
    const LaunchStanding cell = context_->reads().cell_launches();
    const std::uint64_t cell_left = left_of(cell);
    bool more = true, is_held = false;
    while (more && plans_.size() < plans_max) {
      scheduler::Budget budget;
      budget.gangs_preempt = level_ >= level_of_preempting_gangs;
      if (!may_end_others(now)) budget.preemptions_max = 0;
      const std::size_t in_flight = engine_->status().in_flight;
      if (cell_left != LaunchRoom::unlimited) {
        budget.launches_left = cell_left > in_flight ? cell_left - in_flight : 0;
        budget.launches_most = most_at_once(cell.limit);
        budget.placements_max = std::min<std::uint64_t>(budget.placements_max, budget.launches_left);
      }
      is_held = budget.placements_max == 0;
      if (is_held) break;
      scheduler::Plan plan = engine_->place(now, budget);
      more = plan.more;
      is_held = plan.is_held;
      if (plan.placements.empty() && plan.preemptions.empty()) break;
      propose(std::move(plan));
    }
    if (more && plans_.size() >= plans_max) {
      wake_in(retry_pass_after);
      return false;
    }
    if (more && !is_held) {
      pass_soon();  // Others first: a long look for victims goes on afterwards.
      return true;
    }
    Instant next = room_again_;
    for (const auto wake : {engine_->next_wake(), pacer_.next_release()})
      if (wake && wake->is_set() && (!next.is_set() || *wake < next)) next = *wake;
    if (!held_.empty() && (!next.is_set() || held_.begin()->first < next)) next = held_.begin()->first;
    if (next.is_set()) wake_in(next - now);
    return true;
  }

  void wake_in(milliseconds wait) {
    const Instant at = context_->now() + wait;
    if (wake_at_.is_set() && wake_at_ <= at) return;
    wake_at_ = at;
    self_->delayed_send(self_, std::max(wait, milliseconds(1)), WakeScheduler{++wake_number_});
  }

  // Several commands: what any level knows must not wait for one that gangs and preemption need.
  void propose(scheduler::Plan plan) {
    std::size_t together = 0;
    for (const std::uint32_t count : plan.together) together += count;
    const auto middle = plan.placements.begin() + static_cast<std::ptrdiff_t>(together);
    propose_places({plan.placements.begin(), middle}, std::move(plan.together));
    propose_places({middle, plan.placements.end()}, {});
    if (plan.preemptions.empty()) return;
    PreemptTasks body;
    for (const scheduler::Preemption& end : plan.preemptions)
      body.items.push_back({end.task, end.version, end.host, end.victims});
    body.together = std::move(plan.preempting_together);
    scheduler::Plan part;
    part.preemptions = std::move(plan.preemptions);
    propose(std::move(part), std::move(body));
  }
  void propose_places(std::vector<scheduler::Placement> placements, std::vector<std::uint32_t> together) {
    if (placements.empty()) return;
    PlaceTasks body;
    for (const scheduler::Placement& place : placements)
      body.items.push_back({place.task, place.version, place.host, place.eligibility});
    body.together = std::move(together);
    if (context_->fault_point && context_->fault_point({}, "plan")) err(body);
    scheduler::Plan part;
    part.placements = std::move(placements);
    propose(std::move(part), std::move(body));
  }
  void propose(scheduler::Plan plan, CommandBody body) {
    Command command;
    command.level = level_needed(body);
    command.fence = TermFence{term_};
    command.body = std::move(body);
    plans_[++next_cookie_] = std::move(plan);
    self_->send(node_.replica, Propose{std::move(command), next_cookie_, plan_patience,
                                       caf::actor_cast<caf::strong_actor_ptr>(self_)});
  }

  /// All on one host, whatever room it has: what apply must refuse.
  void err(PlaceTasks& body) const {
    const HostFacts* fullest = nullptr;
    const std::vector<HostFacts> hosts = context_->reads().hosts();
    for (const HostFacts& host : hosts)
      if (host.record.is_connected() && host.record.phase == HostPhase::active &&
          (fullest == nullptr || host.used.cpu_milli > fullest->used.cpu_milli))
        fullest = &host;
    if (fullest == nullptr) return;
    for (PlaceTasks::Item& item : body.items) {
      item.host = fullest->record.id;
      item.eligibility = fullest->record.eligibility;
    }
  }

  void on_done(const ProposalDone& done) {
    const auto found = plans_.find(done.cookie);
    if (found == plans_.end() || !engine_) return;
    const scheduler::Plan plan = std::move(found->second);
    plans_.erase(found);
    const Error* error = nullptr;
    if (!done.outcome.ok())
      error = &done.outcome.error();
    else if (done.outcome.value().error)
      error = &*done.outcome.value().error;
    std::map<std::uint32_t, const ItemRefusal*> refused;
    if (error == nullptr)
      for (const ItemRefusal& refusal : done.outcome.value().refused) refused[refusal.item] = &refusal;
    for (std::uint32_t n = 0; n < plan.placements.size(); ++n) {
      if (error != nullptr)
        on_refused(plan.placements[n], {error->code, error->message});
      else if (const auto why = refused.find(n); why != refused.end())
        on_refused(plan.placements[n], {why->second->code, why->second->message});
      else
        ++context_->status.placements;
      // It is placed: the event says at which position, and may be behind or before this.
    }
    for (std::uint32_t n = 0; n < plan.preemptions.size(); ++n) {
      if (error != nullptr)
        on_refused(plan.preemptions[n], {error->code, error->message});
      else if (const auto why = refused.find(n); why != refused.end())
        on_refused(plan.preemptions[n], {why->second->code, why->second->message});
    }
    pass_soon();
  }

  // The engine believed something that is not so, or nobody knows what came of it: the state does.
  void on_refused(const scheduler::Placement& place, const scheduler::Refused& why) {
    ++context_->status.placements_refused[static_cast<std::size_t>(why.code)];
    look_at_task(place.task);
    engine_->settle(context_->now(), place.task, why);
    look_at_host(place.host);
  }
  void on_refused(const scheduler::Preemption& end, const scheduler::Refused& why) {
    look_at_task(end.task);
    engine_->refuse_preemption(context_->now(), end, why);
    look_at_host(end.host);
  }

  void on_asked(const Asked& asked) {
    Answer answer = Answer::of(Error{ErrorCode::not_leader, "this node does not lead; try again"});
    if (const auto* why = std::get_if<AskScheduler>(&asked.question)) {
      if (engine_) answer = Answer::of(scheduler::explanation_json(why->task, explain(why->task)));
    } else if (const auto* plan = std::get_if<AskPlan>(&asked.question)) {
      if (engine_) answer = rehearse(*plan);
    } else {
      return;
    }
    self_->send(caf::actor_cast<caf::actor>(asked.asker), Answered{asked.cookie, answer});
  }
  scheduler::Explanation explain(const TaskId& task) {
    scheduler::Explanation explanation = engine_->explain(task);
    if (const auto waits = pacer_.holds(task) ? context_->reads().waiting_task(task) : std::nullopt) {
      explanation.standing = scheduler::Explanation::Standing::waiting;
      explanation.group.name = waits->descriptor->capacity_group;
      explanation.held_back = pacer_.why_held(task);
    }
    tell_hold(explanation);
    return explanation;
  }
  /// What keeps it although there may be room: the widest first.
  void tell_hold(scheduler::Explanation& explanation) {
    pauses_ = context_->reads().wide_pauses();
    const std::string group = "capacity group " + explanation.group.name;
    const std::uint64_t count = std::max<std::size_t>(explanation.gang, 1);
    if (const PauseRecord* pause = pause_of({})) {
      explanation.held_back = scheduler::pause_text("the cell", *pause);
    } else if (const PauseRecord* of_group = pause_of_group(explanation.group.name)) {
      explanation.held_back = scheduler::pause_text(group, *of_group);
    } else {
      const Instant now = context_->now();
      auto hold = scheduler::launch_hold("the cell", context_->reads().cell_launches(), count, now);
      const auto view = context_->reads().group(explanation.group.name);
      if (hold.sentence.empty() && view) hold = scheduler::launch_hold(group, view->launches, count, now);
      if (hold.sentence.empty()) return;
      explanation.held_back = std::move(hold.sentence);
      explanation.held_until = hold.until;
    }
  }

  /// Behind all that waits, as of what this actor has heard.
  Answer rehearse(const AskPlan& ask) {
    if (ask.descriptor == nullptr || ask.count > planned_places_max || ask.places.size() > ask.count)
      return Answer::of(Error{ErrorCode::invalid_argument,
                              "a plan is of at most " + std::to_string(planned_places_max) + " tasks"});
    const EventId last{index_.next(), 0};
    const bool is_gang = gang_patience(*ask.descriptor).has_value() && level_ >= level_of_gangs;
    const scheduler::QueuedTask like{
        {}, ask.job, {}, last, ask.descriptor, priority_of(*ask.descriptor), is_gang ? ask.count : 0};
    if (!ask.places.empty()) return Answer::of(packed(check(ask, like)));
    if (!pass() && engine_->status().queued > 0)
      return Answer::of(Error{ErrorCode::unavailable, "the scheduler has others to place first; try again"});
    scheduler::Rehearsal told = engine_->rehearse(like, ask.count, context_->now());
    if (pause_of({}) != nullptr) {
      told.places.clear();
      told.waits = told.waits.value_or(scheduler::Explanation{});
      told.waits->standing = scheduler::Explanation::Standing::waiting;
      told.waits->group.name = ask.descriptor->capacity_group;
    }
    if (told.waits) tell_hold(*told.waits);
    PlanTold answer{index_, {}, told.waits ? scheduler::explanation_json({}, *told.waits) : ""};
    for (const scheduler::Rehearsal::Place& place : told.places) {
      answer.places.push_back({place.host, place.host_name, place.eligibility, {}, place.waits});
      for (const scheduler::RunningTask& victim : place.victims)
        answer.places.back().victims.push_back({{victim.task, victim.version}, victim.job});
    }
    return Answer::of(packed(answer));
  }

  PlanChecked check(const AskPlan& ask, const scheduler::QueuedTask& like) {
    std::vector<scheduler::PromisedPlace> places;
    for (const PlannedPlace& place : ask.places) {
      places.push_back({place.host, {}});
      for (const Victim& victim : place.victims) places.back().victims.push_back(victim.task);
    }
    PlanChecked answer;
    // One that ends others starts whole when they have ended: from the level on at which the log knows that.
    const bool ends_others =
        std::any_of(places.begin(), places.end(), [](const auto& place) { return !place.victims.empty(); });
    const bool is_whole = ends_others ? level_ >= level_of_gang_plans : places.size() == ask.count;
    if (like.gang > 0 && !is_whole)
      answer.differences.emplace_back(
          "a gang starts whole, and not all of it had a place at once: submit it without the plan");
    for (const scheduler::BrokenPromise& broken : engine_->verify(like, places))
      answer.differences.push_back(
          "slot " + to_text(ask.places[broken.place].slot) + " on " +
          (broken.host_name.empty() ? "a host that is gone" : "host " + broken.host_name) + ": " +
          broken.why);
    return answer;
  }

  caf::event_based_actor* self_;
  ContextPtr context_;
  MeetNode node_;
  Term term_;
  Index index_;                                             // of the state, as far as it was heard of
  std::uint32_t level_ = 0;                                 // the cell's feature level
  std::set<std::string> groups_;                            // that the engine was told of
  std::map<std::string, PauseRecord, std::less<>> pauses_;  // of the last look
  std::set<NodeId> deaf_;                                   // nodes that do not speak
  bool pass_pending_ = false;
  Instant wake_at_;                          // unset: no WakeScheduler is awaited
  std::uint64_t wake_number_ = 0;            // of the one that is awaited
  std::optional<scheduler::Engine> engine_;  // while this node leads
  scheduler::CrashPacer pacer_;              // what it holds, while this node leads
  std::map<std::uint64_t, scheduler::Plan> plans_;
  std::uint64_t next_cookie_ = 0;
  std::set<std::pair<Instant, HostId>> held_;  // hosts at a limit of launches that time will lift
  std::set<HostId> unheard_;                   // since this node leads, and tasks are being ended there
  Instant ends_nobody_until_;
  bool has_limits_ = false;  // some host has one
  Instant room_again_;       // during a pass: when a group or the cell will have room
};

}  // namespace

caf::actor spawn_scheduler(caf::actor_system& system, const ContextPtr& context) {
  return system.spawn([context](caf::event_based_actor* self) -> caf::behavior {
    auto shell = std::make_shared<SchedulerShell>(self, context);
    self->attach_functor([shell]() mutable { shell.reset(); });
    return shell->start();
  });
}

}  // namespace troupe
