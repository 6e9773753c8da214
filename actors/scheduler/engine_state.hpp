#pragma once
// What an engine holds. Only for its own source files.

#include <algorithm>
#include <utility>

#include "actors/scheduler/engine.hpp"
#include "actors/scheduler/explain.hpp"
#include "actors/scheduler/preemptor.hpp"
#include "actors/scheduler/waiting_queue.hpp"

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
    std::optional<Instant> claims_until{};  ///< it waits for its victims to end
    std::vector<TaskId> victims{};
  };
  // The tasks are looked up by id, and never walked.
  using Tasks = absl::flat_hash_map<TaskId, std::unique_ptr<Task>>;

  explicit State(Lookups asked) : lookups(std::move(asked)) {
    if (lookups.running_on) queue.allow_preemption();
  }

  void put_to_rest(Task& task, Instant now) {
    if (task.claims_until)
      give_up_claim(task);
    else
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
    if (task.claims_until && task.kind->gang > 0) disband(*task.kind);
    if (task.in_flight)
      take_down(task);
    else if (task.claims_until)
      give_up_claim(task);
    else
      take_from_queue(task);
    queue.leave(task.kind);
    tasks.erase(at);
  }

  // ---- gangs ----
  /// Those that start next, all at once.
  static std::vector<TaskId> first_of(const TaskClass& kind);
  enum class GangPlaced : std::uint8_t { all, fits_nowhere, not_yet };
  /// All or none; none: nothing is different, but for what was looked at. Not yet: there is room, and too few
  /// launches are left.
  GangPlaced place_gang(TaskClass& kind, bool is_admitted, Plan& plan) {
    const std::vector<TaskId> ids = first_of(kind);
    const std::set<FollowedJob*> changed = inventory.book().changed();
    const Inventory::Trial trial(inventory);
    std::vector<std::pair<Ticket, const Host*>> taken;
    for (const TaskId& id : ids) {
      const Host* host = inventory.find(kind.demand, plan.evaluations);
      if (host == nullptr) break;
      taken.emplace_back(inventory.assume(*host, id, tasks.at(id)->facts.job, kind.demand), host);
    }
    const bool fits = taken.size() == ids.size();
    if (!fits || !is_admitted) {
      while (!taken.empty()) {
        const TaskId& id = ids[taken.size() - 1];
        inventory.undo(taken.back().first, id, tasks.at(id)->facts.job, kind.demand);
        taken.pop_back();
      }
      inventory.book().changed() = changed;
      return fits ? GangPlaced::not_yet : GangPlaced::fits_nowhere;
    }
    std::vector<Placement> placed;
    for (std::size_t n = 0; n < ids.size(); ++n)
      placed.push_back(fly(*tasks.at(ids[n]), taken[n].first, *taken[n].second));
    put_first(plan.placements, plan.together, placed);
    return GangPlaced::all;
  }
  /// Behind the runs that stand there.
  template <class Items>
  static void put_first(Items& items, std::vector<std::uint32_t>& runs, const Items& run) {
    if (run.empty()) return;
    std::size_t before = 0;
    for (const std::uint32_t count : runs) before += count;
    runs.push_back(static_cast<std::uint32_t>(run.size()));
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(before), run.begin(), run.end());
  }
  // Of those that have others ended (gang_claims.cpp):
  /// Room for all, where it is free or where others end, or for none. False: another plan has room for it.
  bool preempt_for_gang(TaskClass& kind, Instant now, const Budget& budget, Plan& plan);
  /// Where enough are being ended for all that have no room: their places are kept.
  void keep_room_for_gang(TaskClass& kind, Instant now, const Budget& budget, Plan& plan);
  enum class MayEnd : bool { nobody_more, victims };
  bool claim_for_gang(TaskClass& kind, const std::vector<TaskId>& ids, Instant now, MayEnd may_end,
                      Plan& plan);
  void undo_claim(Task& task, const std::vector<RunningTask>& victims);
  /// All of it is placed once there is room for all.
  void look_at_gang(TaskClass& kind, const Budget& budget, Plan& plan);
  /// They wait again, all that keep room.
  void disband(TaskClass& kind);

  // ---- claims ----
  void claim(Task& task, const Host& host, Instant now, const std::vector<RunningTask>& victims) {
    queue.stop_waiting(task.kind, turn_of(task.facts));
    task.ticket = inventory.claim(host, task.facts.task, task.facts.job, task.kind->demand);
    task.claims_until = now + claim_max;
    task.victims.clear();
    for (const RunningTask& victim : victims) task.victims.push_back(victim.task);
    preemptor.remember(victims);
    queue.fly(task.kind);
    queue.begin_claim(task.kind);
    claims[task.ticket.host].push_back(task.facts.task);
    claim_ends.insert({*task.claims_until, task.facts.task});
  }
  void drop_claim(Task& task) {
    claim_ends.erase({*task.claims_until, task.facts.task});
    queue.end_claim(task.kind);
    task.claims_until.reset();
    task.victims.clear();
    const auto at = claims.find(task.ticket.host);
    std::erase(at->second, task.facts.task);
    if (at->second.empty()) claims.erase(at);
  }
  void give_up_claim(Task& task) {
    drop_claim(task);
    inventory.give_up_claim(task.ticket, task.facts.task, task.facts.job, task.kind->demand);
    queue.land(task.kind);
  }
  /// Back to where it was before it had victims.
  void wait_again(Task& task) {
    if (task.kind->gang > 0) return disband(*task.kind);
    give_up_claim(task);
    queue.wait(task.kind, turn_of(task.facts));
  }
  Placement redeem(Task& task) {
    drop_claim(task);
    const Host& host = inventory.redeem_claim(task.ticket, task.kind->demand);
    task.in_flight = true;
    ++in_flight;
    return {task.facts.task, task.facts.job, task.facts.version, host.facts.id, host.facts.eligibility};
  }
  void look_at_claims(Instant now, const Budget& budget, Plan& plan) {
    while (!claim_ends.empty() && claim_ends.begin()->first <= now)
      wait_again(*tasks.at(claim_ends.begin()->second));
    changed_claims.merge(inventory.take_changed_claims());
    changed_claims.merge(std::exchange(held_claims, {}));
    while (!changed_claims.empty() && plan.placements.size() < budget.placements_max) {
      const HostId host = *changed_claims.begin();
      changed_claims.erase(changed_claims.begin());
      const auto on_host = claims.find(host);
      if (on_host == claims.end()) continue;
      for (const TaskId& id : std::vector<TaskId>(on_host->second)) {
        if (plan.placements.size() >= budget.placements_max) {
          changed_claims.insert(host);
          break;
        }
        if (tasks.at(id)->claims_until) look_at_claim(*tasks.at(id), budget, plan);
      }
    }
    changed_claims.merge(std::exchange(delayed_claims, {}));
  }
  void look_at_claim(Task& task, const Budget& budget, Plan& plan) {
    if (task.kind->gang > 0) return look_at_gang(*task.kind, budget, plan);
    switch (inventory.look_at_claim(task.ticket, task.kind->demand)) {
      case Inventory::Claim::is_free:
        if (task.kind->group->admits_claim(task.kind->demand.resources))
          plan.placements.push_back(redeem(task));
        else
          held_claims.insert(task.ticket.host);
        return;
      case Inventory::Claim::is_void:
        return wait_again(task);
      case Inventory::Claim::waits:
        return;
    }
  }

  // ---- preemption ----
  /// In its turn, before what comes after it takes the room piece by piece: for those that fit nowhere, where
  /// enough are being ended already. A new leader finds the victims of the last one so.
  void keep_room(TaskClass& kind, Instant now, std::size_t& hosts_left) {
    if (!kind.is_hungry || !preemptor.anybody_leaves()) return;
    inventory.prepare(kind.demand);
    while (preemptor.has_right(kind) && WaitingQueue::may_look(kind)) {
      const Host* host = preemptor.where_others_leave(kind, hosts_left);
      if (host == nullptr) return;
      queue.found_victims(&kind);
      claim(*tasks.at(kind.waiting.begin()->task), *host, now, {});
    }
  }
  /// False: the budget ended first.
  bool preempt_for(TaskClass& kind, Instant now, const Budget& budget, std::size_t& hosts_left, Plan& plan) {
    if (kind.gang > 0) return preempt_for_gang(kind, now, budget, plan);
    while (!kind.waiting.empty()) {
      if (plan.preemptions.size() >= budget.preemptions_max) return false;
      const Preemptor::Choice choice = preemptor.find(kind, now, hosts_left);
      if (choice.how == Preemptor::Search::cut_short) return false;
      if (choice.how == Preemptor::Search::in_vain) {
        queue.found_nobody(&kind, now, changes, Preemptor::pause_first, Preemptor::pause_max);
        return true;
      }
      queue.found_victims(&kind);
      Task& task = *tasks.at(kind.waiting.begin()->task);
      const HostId host = choice.host->facts.id;
      claim(task, *choice.host, now, choice.victims);
      if (choice.victims.empty()) continue;
      plan.preemptions.push_back({task.facts.task, task.facts.job, task.facts.version, host, {}});
      for (const RunningTask& victim : choice.victims)
        plan.preemptions.back().victims.push_back({victim.task, victim.version});
      ++counts.preemptions;
    }
    return true;
  }
  /// Of a gang, all that end for it.
  PreemptionStanding preempting(const Task& task) const {
    PreemptionStanding standing{PreemptionStanding::Kind::preempting, {}, task.victims};
    const auto gang = gang_claims.find(task.kind->number);
    if (gang == gang_claims.end()) return standing;
    standing.victims.clear();
    std::set<HostId> hosts;
    for (const TaskId& id : gang->second) {
      const Task& other = *tasks.at(id);
      standing.victims.insert(standing.victims.end(), other.victims.begin(), other.victims.end());
      if (!other.victims.empty()) hosts.insert(other.ticket.host);
    }
    standing.hosts = hosts.size();
    return standing;
  }
  PreemptionStanding::Kind preemption_kind(const TaskClass& kind) const {
    if (!kind.is_hungry || !preemptor.has_right(kind)) return PreemptionStanding::Kind::no_right;
    return kind.pause > milliseconds(0) ? PreemptionStanding::Kind::no_victims
                                        : PreemptionStanding::Kind::looking;
  }
  void preempt(Instant now, const Budget& budget, Plan& plan) {
    preemptor.begin_pass();
    std::size_t hosts_left = budget.preemption_hosts_max;
    for (TaskClass* kind : queue.hungry(now))
      if (!preempt_for(*kind, now, budget, hosts_left, plan)) {
        plan.more = true;
        return;
      }
  }
  void settle_placed(Tasks::iterator at, const Placed& placed) {
    Task& task = *at->second;
    // It may wait again, or be planned elsewhere by now, because its first plan's outcome was unknown.
    const HostId host = placed.host.value != 0 ? placed.host : task.ticket.host;
    queue.settle_in(task.kind);
    if (task.claims_until && task.kind->gang > 0) disband(*task.kind);
    if (task.in_flight && host != task.ticket.host) {
      take_down(task);
    } else if (task.in_flight) {
      inventory.drop(task.ticket, task.kind->demand);
      queue.land(task.kind);
      --in_flight;
    } else if (task.claims_until) {
      give_up_claim(task);
    } else {
      take_from_queue(task);
    }
    ++changes;
    inventory.count(host, task.facts.task, task.facts.job, task.kind->demand, placed.at);
    queue.leave(task.kind);
    tasks.erase(at);
    ++counts.placed;
  }
  Placement fly(Task& task, const Ticket& ticket, const Host& host) {
    queue.stop_waiting(task.kind, turn_of(task.facts));
    task.in_flight = true;
    ++in_flight;
    task.ticket = ticket;
    queue.fly(task.kind);
    return {task.facts.task, task.facts.job, task.facts.version, host.facts.id, host.facts.eligibility};
  }
  void put_on(Task& task, const Host& host, Plan& plan) {
    const Ticket ticket = inventory.assume(host, task.facts.task, task.facts.job, task.kind->demand);
    plan.placements.push_back(fly(task, ticket, host));
  }

  Lookups lookups;
  Inventory inventory{lookups};
  WaitingQueue queue{inventory};
  Preemptor preemptor{inventory, queue, lookups};
  std::map<HostId, std::vector<TaskId>> claims;  ///< in the order in which they were made
  std::set<std::pair<Instant, TaskId>> claim_ends;
  std::set<HostId> changed_claims;
  std::set<HostId> delayed_claims;  ///< of gangs for which the plan at hand has no room
  std::map<std::uint64_t, std::vector<TaskId>> gang_claims;  ///< by their class' number
  std::set<HostId> held_claims;  ///< with room for a claim whose group is at its ceiling or launches no more
  std::uint64_t changes = 1;     ///< that might give a right to another's place
  Tasks tasks;
  std::set<std::pair<Instant, TaskId>> resting;
  std::size_t in_flight = 0;
  EngineStatus counts;
};

}  // namespace troupe::scheduler
