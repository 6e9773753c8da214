#include "actors/scheduler/engine.hpp"

#include "actors/scheduler/engine_state.hpp"
#include "storage/base/planted_bug.hpp"

namespace troupe::scheduler {

Engine::Engine(Lookups lookups) : state_(std::make_unique<State>(std::move(lookups))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::upsert_host(const HostFacts& facts) {
  ++state_->changes;
  state_->inventory.upsert(facts);
}

void Engine::remove_host(HostId host) { state_->inventory.remove(host); }

void Engine::put_group(const GroupFacts& facts) { state_->queue.put_group(facts); }

void Engine::drop_group(const std::string& name) { state_->queue.drop_group(name); }

void Engine::enqueue(QueuedTask task) {
  TROUPE_CHECK(task.descriptor != nullptr);
  if (const auto known = state_->tasks.find(task.task); known != state_->tasks.end()) {
    if (task.version <= known->second->facts.version) return;
    state_->erase(known);
  }
  auto fresh = std::make_unique<State::Task>();
  fresh->kind = state_->queue.join(task);
  fresh->facts = std::move(task);
  state_->queue.wait(fresh->kind, turn_of(fresh->facts));
  const TaskId id = fresh->facts.task;
  state_->tasks.emplace(id, std::move(fresh));
}

void Engine::forget(TaskId task) {
  if (const auto known = state_->tasks.find(task); known != state_->tasks.end()) state_->erase(known);
}

void Engine::task_ended(const EndedTask& task) {
  ++state_->changes;
  state_->preemptor.ended(task.task);
  state_->inventory.ended(task);
}

void Engine::task_moved(const TaskId& task, const JobId& from, const JobId& to, HostId host) {
  ++state_->changes;
  state_->preemptor.told(task);
  state_->inventory.moved(task, from, to, host);
}

void Engine::task_leaving(TaskId task, HostId host, const Resources& resources) {
  ++state_->changes;
  state_->preemptor.told(task);
  state_->preemptor.leaves(task, host, resources);
}

Plan Engine::place(Instant now, const Budget& budget) {
  Plan plan;
  state_->wake_rested(now);
  state_->inventory.settle();
  state_->look_at_claims(now, budget, plan);
  // Besides the budget: else what helps many might leave nothing for any of them.
  std::size_t looked_at = 0;
  std::size_t hosts_left = budget.preemption_hosts_max;
  state_->queue.unblock(looked_at);
  TaskClass* kind = state_->queue.first();
  for (; kind != nullptr; kind = state_->queue.first()) {
    if (plan.placements.size() >= budget.placements_max || plan.evaluations >= budget.evaluations_max) break;
    if (kind->gang > 0) {
      const bool is_admitted = budget.admits(plan.placements.size(), kind->gang);
      // A whole gang in one plan: another one has room for it.
      if (is_admitted && !plan.placements.empty() &&
          plan.placements.size() + kind->gang > budget.placements_max)
        break;
      const auto how = state_->place_gang(*kind, is_admitted, plan);
      // Others do not pass it, or it would wait for ever; for one that fits nowhere nobody waits.
      plan.is_held = how == State::GangPlaced::not_yet;
      if (plan.is_held) break;
      if (how == State::GangPlaced::all) continue;
      state_->queue.block(kind);
      state_->keep_room_for_gang(*kind, now, budget, plan);
      continue;
    }
    const Host* host = state_->inventory.find(kind->demand, plan.evaluations);
    if (host == nullptr) {
      state_->queue.block(kind);
      state_->keep_room(*kind, now, hosts_left);
      continue;
    }
    state_->put_on(*state_->tasks.at(kind->waiting.begin()->task), *host, plan);
  }
  plan.more = kind != nullptr || !state_->changed_claims.empty();
  if (!plan.more && budget.preemptions_max > 0) state_->preempt(now, budget, plan);
  plan.evaluations += looked_at;
  state_->counts.evaluations += plan.evaluations;
  return plan;
}

std::optional<Instant> Engine::next_wake() const {
  std::optional<Instant> next = state_->queue.next_look(state_->changes);
  for (const auto* times : {&state_->resting, &state_->claim_ends})
    if (!times->empty() && (!next || times->begin()->first < *next)) next = times->begin()->first;
  return next;
}

void Engine::refuse_preemption(Instant now, const Preemption& plan, const Refused& why) {
  // Also where nobody waits any more: they may have to give way to others.
  for (const Victim& victim : plan.victims) state_->preemptor.told(victim.task);
  const auto known = state_->tasks.find(plan.task);
  if (known == state_->tasks.end() || !known->second->claims_until) return;
  State::Task& entry = *known->second;
  ++state_->counts.refused;
  // A gang is refused whole.
  std::vector<TaskId> all{plan.task};
  if (const auto gang = state_->gang_claims.find(entry.kind->number); gang != state_->gang_claims.end()) {
    all = std::move(gang->second);
    state_->gang_claims.erase(gang);
  }
  for (const TaskId& task : all) {
    state_->tasks.at(task)->last_refusal = why.message;
    state_->put_to_rest(*state_->tasks.at(task), now);
  }
}

void Engine::settle(Instant now, TaskId task, const std::variant<Placed, Refused>& outcome) {
  const auto known = state_->tasks.find(task);
  if (known == state_->tasks.end()) return;
  State::Task& entry = *known->second;
  if (const auto* placed = std::get_if<Placed>(&outcome)) return state_->settle_placed(known, *placed);
  if (!entry.in_flight) return;
  const Refused& refused = std::get<Refused>(outcome);
  ++state_->counts.refused;
  if (planted(Bug::refused_placement_forgotten)) return state_->erase(known);
  entry.last_refusal = refused.message;
  state_->put_to_rest(entry, now);
}

bool Engine::is_held(HostId host) const {
  const auto at = state_->inventory.hosts().find(host);
  return at != state_->inventory.hosts().end() && at->second->is_held();
}

bool Engine::knows(TaskId task) const { return state_->tasks.contains(task); }

Explanation Engine::explain(TaskId task) const {
  Explanation explanation;
  explanation.hosts = state_->inventory.hosts().size();
  const auto known = state_->tasks.find(task);
  if (known == state_->tasks.end()) return explanation;
  const State::Task& entry = *known->second;
  explanation.last_refusal = entry.last_refusal;
  scheduler::explain(*entry.kind, explanation);
  if (entry.in_flight) {
    explanation.standing = Explanation::Standing::in_flight;
    return explanation;
  }
  if (entry.claims_until) {
    explanation.standing = Explanation::Standing::preempting;
    explanation.gang = entry.kind->gang;
    explanation.preemption = state_->preempting(entry);
    const auto host = state_->inventory.hosts().find(entry.ticket.host);
    if (host != state_->inventory.hosts().end()) explanation.preemption.host = host->second->facts.name;
    return explanation;
  }
  explanation.standing = entry.rests_until ? Explanation::Standing::resting : Explanation::Standing::waiting;
  explanation.gang = entry.kind->gang;
  explanation.gang_waiting = entry.kind->gang > 0 ? entry.kind->waiting.size() : 0;
  explanation.position = state_->queue.before(*entry.kind, turn_of(entry.facts));
  explain_hosts(state_->inventory, *entry.kind, *entry.facts.descriptor, explanation);
  if (explanation.fitting == 0 || explanation.group.is_capped || entry.kind->gang > 0)
    explanation.preemption.kind = state_->preemption_kind(*entry.kind);
  return explanation;
}

EngineStatus Engine::status() const {
  EngineStatus status = state_->counts;
  status.hosts = state_->inventory.hosts().size();
  status.in_flight = state_->in_flight;
  status.resting = state_->resting.size();
  status.preempting = state_->claim_ends.size();
  status.queued = state_->tasks.size() - state_->in_flight;
  status.classes = state_->queue.classes();
  status.blocked = state_->queue.blocked();
  return status;
}

}  // namespace troupe::scheduler
