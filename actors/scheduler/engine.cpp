#include "actors/scheduler/engine.hpp"

#include <algorithm>

#include "actors/scheduler/explain.hpp"
#include "actors/scheduler/waiting_queue.hpp"
#include "storage/base/planted_bug.hpp"

namespace troupe::scheduler {

struct Engine::State {
  struct Task {
    QueuedTask facts;
    TaskClass* kind = nullptr;
    bool in_flight = false;
    Ticket ticket;         ///< in flight
    milliseconds rest{0};  ///< the last one; 0: never refused
    std::optional<Instant> rests_until{};
    std::string last_refusal{};
  };
  // The tasks are looked up by id, and never walked.
  using Tasks = absl::flat_hash_map<TaskId, std::unique_ptr<Task>>;

  explicit State(Lookups lookups) : inventory(std::move(lookups)) {}

  void put_to_rest(Task& task, Instant now) {
    take_down(task);
    task.rest = std::clamp(2 * task.rest, rest_first, rest_max);
    task.rests_until = now + task.rest;
    resting.insert({*task.rests_until, task.facts.task});
  }
  void wake_rested(Instant now) {
    while (!resting.empty() && resting.begin()->first <= now) {
      Task& task = *tasks.at(resting.begin()->second);
      resting.erase(resting.begin());
      task.rests_until.reset();
      queue.wait(task.kind, turn_of(task.facts));
    }
  }
  void take_down(Task& task) {
    inventory.give_back(task.ticket, task.facts.task, task.facts.job, task.kind->demand);
    queue.land(task.kind);
    task.in_flight = false;
    --in_flight;
  }
  void take_from_queue(Task& task) {
    if (task.rests_until)
      resting.erase({*task.rests_until, task.facts.task});
    else
      queue.stop_waiting(task.kind, turn_of(task.facts));
  }
  void erase(Tasks::iterator at) {
    Task& task = *at->second;
    if (task.in_flight)
      take_down(task);
    else
      take_from_queue(task);
    queue.leave(task.kind);
    tasks.erase(at);
  }
  void settle_placed(Tasks::iterator at, const Placed& placed) {
    Task& task = *at->second;
    // It may wait again, or be planned elsewhere by now, because its first plan's outcome was unknown.
    const HostId host = placed.host.value != 0 ? placed.host : task.ticket.host;
    queue.settle_in(task.kind);
    if (task.in_flight) {
      inventory.drop(task.ticket, task.kind->demand);
      queue.land(task.kind);
      --in_flight;
    } else {
      take_from_queue(task);
    }
    inventory.count(host, task.facts.task, task.facts.job, task.kind->demand, placed.at);
    queue.leave(task.kind);
    tasks.erase(at);
    ++counts.placed;
  }
  void put_on(Task& task, const Host& host, Plan& plan) {
    queue.stop_waiting(task.kind, turn_of(task.facts));
    task.in_flight = true;
    ++in_flight;
    task.ticket = inventory.assume(host, task.facts.task, task.facts.job, task.kind->demand);
    queue.fly(task.kind);
    plan.placements.push_back(
        {task.facts.task, task.facts.job, task.facts.version, host.facts.id, host.facts.eligibility});
  }

  Inventory inventory;
  WaitingQueue queue{inventory};
  Tasks tasks;
  std::set<std::pair<Instant, TaskId>> resting;
  std::size_t in_flight = 0;
  EngineStatus counts;
};

Engine::Engine(Lookups lookups) : state_(std::make_unique<State>(std::move(lookups))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::upsert_host(const HostFacts& facts) { state_->inventory.upsert(facts); }

void Engine::remove_host(HostId host) { state_->inventory.remove(host); }

void Engine::put_group(const GroupFacts& facts) { state_->queue.put_group(facts); }

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

void Engine::task_ended(const EndedTask& task) { state_->inventory.ended(task); }

Plan Engine::place(Instant now, const Budget& budget) {
  Plan plan;
  state_->wake_rested(now);
  state_->inventory.settle_layout();
  state_->queue.unblock();
  TaskClass* kind = state_->queue.first();
  for (; kind != nullptr; kind = state_->queue.first()) {
    if (plan.placements.size() >= budget.placements_max || plan.evaluations >= budget.evaluations_max) break;
    const Host* host = state_->inventory.find(kind->demand, plan.evaluations);
    if (host == nullptr) {
      state_->queue.block(kind);
      continue;
    }
    state_->put_on(*state_->tasks.at(kind->waiting.begin()->task), *host, plan);
  }
  plan.more = kind != nullptr;
  state_->counts.evaluations += plan.evaluations;
  return plan;
}

std::optional<Instant> Engine::next_rested() const {
  if (state_->resting.empty()) return std::nullopt;
  return state_->resting.begin()->first;
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
  explanation.standing = entry.rests_until ? Explanation::Standing::resting : Explanation::Standing::waiting;
  explanation.position = state_->queue.before(*entry.kind, turn_of(entry.facts));
  explain_hosts(state_->inventory, *entry.kind, *entry.facts.descriptor, explanation);
  return explanation;
}

EngineStatus Engine::status() const {
  EngineStatus status = state_->counts;
  status.hosts = state_->inventory.hosts().size();
  status.in_flight = state_->in_flight;
  status.resting = state_->resting.size();
  status.queued = state_->tasks.size() - state_->in_flight;
  status.classes = state_->queue.classes();
  status.blocked = state_->queue.blocked();
  return status;
}

}  // namespace troupe::scheduler
