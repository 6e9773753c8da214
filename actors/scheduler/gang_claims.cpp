// Gangs for which others end: room is kept for all of a gang, and taken by all at once.

#include "actors/scheduler/engine_state.hpp"
#include "actors/scheduler/resource_names.hpp"

namespace troupe::scheduler {

std::vector<TaskId> Engine::State::first_of(const TaskClass& kind) {
  std::vector<TaskId> ids;
  for (auto turn = kind.waiting.begin(); ids.size() < kind.gang; ++turn) ids.push_back(turn->task);
  return ids;
}

bool Engine::State::preempt_for_gang(TaskClass& kind, Instant now, const Budget& budget, Plan& plan) {
  if (!plan.preemptions.empty() && plan.preemptions.size() + kind.gang > budget.preemptions_max) return false;
  std::vector<TaskId> ids = first_of(kind);
  if (budget.gangs_preempt && preemptor.has_right(kind) &&
      claim_for_gang(kind, ids, now, MayEnd::victims, plan)) {
    queue.found_victims(&kind);
    gang_claims.emplace(kind.number, std::move(ids));
  } else {
    queue.found_nobody(&kind, now, changes, Preemptor::pause_first, Preemptor::pause_max);
  }
  return true;
}

void Engine::State::keep_room_for_gang(TaskClass& kind, Instant now, const Budget& budget, Plan& plan) {
  if (!kind.is_hungry || !preemptor.anybody_leaves() || !budget.gangs_preempt || !preemptor.has_right(kind) ||
      !WaitingQueue::may_look(kind))
    return;
  std::vector<TaskId> ids = first_of(kind);
  if (!claim_for_gang(kind, ids, now, MayEnd::nobody_more, plan)) return;
  queue.found_victims(&kind);
  gang_claims.emplace(kind.number, std::move(ids));
}

// A look that went on in the next pass would have to begin anew for its first task: it is bounded by itself.
bool Engine::State::claim_for_gang(TaskClass& kind, const std::vector<TaskId>& ids, Instant now,
                                   MayEnd may_end, Plan& plan) {
  const std::set<FollowedJob*> changed = inventory.book().changed();
  const Inventory::Trial trial(inventory);
  inventory.prepare(kind.demand);
  std::size_t hosts_left =
      Preemptor::candidates_max * (Inventory::walk_length(*kind.demand.all.pool) + ids.size());
  std::vector<std::vector<RunningTask>> victims;
  std::map<HostId, std::size_t> launches;
  for (const TaskId& id : ids) {
    const bool is_capped = kind.group->is_capped_for(kind.demand.resources);
    Preemptor::Choice choice;
    choice.host = is_capped ? nullptr : inventory.find(kind.demand, plan.evaluations);
    if (choice.host == nullptr && may_end == MayEnd::victims)
      choice = preemptor.find(kind, now, hosts_left);
    else if (choice.host == nullptr && preemptor.has_right(kind))
      choice.host = preemptor.where_others_leave(kind, hosts_left);
    if (choice.host == nullptr || choice.host->is_held(++launches[choice.host->facts.id])) break;
    claim(*tasks.at(id), *choice.host, now, choice.victims);
    victims.push_back(std::move(choice.victims));
  }
  if (victims.size() == ids.size()) {
    std::vector<Preemption> run;
    for (std::size_t n = 0; n < ids.size(); ++n) {
      if (victims[n].empty()) continue;
      const Task& task = *tasks.at(ids[n]);
      run.push_back({ids[n], task.facts.job, task.facts.version, task.ticket.host, {}});
      for (const RunningTask& victim : victims[n])
        run.back().victims.push_back({victim.task, victim.version});
    }
    counts.preemptions += run.size();
    put_first(plan.preemptions, plan.preempting_together, run);
    return true;
  }
  for (std::size_t n = victims.size(); n-- > 0;) undo_claim(*tasks.at(ids[n]), victims[n]);
  // What was found while the places were taken is not so any more.
  kind.demand.all.cursors.clear();
  kind.demand.preferred.cursors.clear();
  inventory.book().changed() = changed;
  return false;
}

void Engine::State::undo_claim(Task& task, const std::vector<RunningTask>& victims) {
  drop_claim(task);
  inventory.undo_claim(task.ticket, task.facts.task, task.facts.job, task.kind->demand);
  queue.land(task.kind);
  queue.wait(task.kind, turn_of(task.facts));
  for (const RunningTask& victim : victims) preemptor.told(victim.task);
}

void Engine::State::look_at_gang(TaskClass& kind, const Budget& budget, Plan& plan) {
  const std::vector<TaskId>& ids = gang_claims.at(kind.number);
  std::map<HostId, std::pair<Ticket, std::int64_t>> hosts;
  for (const TaskId& id : ids) {
    auto& [ticket, count] = hosts[tasks.at(id)->ticket.host];
    ticket = tasks.at(id)->ticket;
    ++count;
  }
  bool are_free = true;
  for (const auto& [host, claimed] : hosts) {
    const auto standing = inventory.look_at_claim(claimed.first, kind.demand, claimed.second);
    if (standing == Inventory::Claim::is_void) return disband(kind);
    are_free = are_free && standing == Inventory::Claim::is_free;
  }
  if (!are_free) return;
  if (!kind.group->admits_claim(kind.at_once(), kind.gang) ||
      !budget.admits(plan.placements.size(), kind.gang)) {
    held_claims.insert(hosts.begin()->first);
  } else if (!plan.placements.empty() && plan.placements.size() + kind.gang > budget.placements_max) {
    delayed_claims.insert(hosts.begin()->first);
  } else {
    std::vector<Placement> run;
    for (const TaskId& id : ids) run.push_back(redeem(*tasks.at(id)));
    gang_claims.erase(kind.number);
    put_first(plan.placements, plan.together, run);
  }
}

void Engine::State::disband(TaskClass& kind) {
  const auto found = gang_claims.find(kind.number);
  if (found == gang_claims.end()) return;
  const std::vector<TaskId> ids = std::move(found->second);
  gang_claims.erase(found);
  for (const TaskId& id : ids) {
    Task& task = *tasks.at(id);
    give_up_claim(task);
    queue.wait(task.kind, turn_of(task.facts));
  }
}

}  // namespace troupe::scheduler
