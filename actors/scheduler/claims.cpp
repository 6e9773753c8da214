// Room that is kept on a host for a task until others there have ended.

#include "actors/scheduler/inventory.hpp"
#include "actors/scheduler/resource_names.hpp"

namespace troupe::scheduler {

Ticket Inventory::claim(const Host& at, const TaskId& task, const JobId& job, const Demand& demand) {
  Host& taken = *host(at.facts.id);
  taken.claimed += demand.resources;
  ++taken.claims;
  if (FollowedJob* known = book_.find(job)) shift(*known, book_.put(*known, task, taken.facts.id));
  changed_claims_.insert(taken.facts.id);
  refresh(taken);
  return {taken.facts.id, taken.life};
}

void Inventory::give_up_claim(const Ticket& ticket, const TaskId& task, const JobId& job,
                              const Demand& demand) {
  undo_claim(ticket, task, job, demand);
  Host* at = host(ticket.host);
  if (at != nullptr && at->life == ticket.life) improve(*at);
}

void Inventory::undo_claim(const Ticket& ticket, const TaskId& task, const JobId& job, const Demand& demand) {
  if (FollowedJob* known = book_.find(job)) shift(*known, book_.erase(*known, task));
  Host* at = host(ticket.host);
  if (at == nullptr || at->life != ticket.life) return;
  at->claimed -= demand.resources;
  --at->claims;
  refresh(*at);
}

Inventory::Claim Inventory::look_at_claim(const Ticket& ticket, const Demand& demand, std::int64_t count) {
  const Host* at = host(ticket.host);
  if (at == nullptr || at->life != ticket.life || at->is_exclusive ||
      !all_hold(at->facts, demand.wishes.needs))
    return Claim::is_void;
  if (at->is_held(static_cast<std::size_t>(count))) return Claim::waits;
  return times(demand.resources, count).fits_into(at->free_of_tasks()) ? Claim::is_free : Claim::waits;
}

const Host& Inventory::redeem_claim(const Ticket& ticket, const Demand& demand) {
  Host& at = *host(ticket.host);
  at.claimed -= demand.resources;
  --at.claims;
  at.assumed += demand.resources;
  ++at.in_flight;
  refresh(at);
  return at;
}

// A claim counts as a neighbour already, so that tasks of one job do not claim places that exclude each
// other.
bool Inventory::could_take(const Host& at, const Demand& demand) {
  learn_exclusive(*host(at.facts.id));
  if (at.is_exclusive || at.is_held() || demand.wishes.exclusive_host) return false;
  return demand.resources.fits_into(at.facts.total) && is_allowed(at, demand);
}

std::size_t Inventory::walk_length(const Pool& pool) {
  std::size_t length = 0;
  for (const auto& part : pool.parts) length += part->hosts.size();
  return length;
}

const Host* Inventory::at_step(const Pool& pool, std::size_t step) {
  for (const auto& part : pool.parts) {
    if (step < part->hosts.size()) return part->hosts[step];
    step -= part->hosts.size();
  }
  return nullptr;
}

}  // namespace troupe::scheduler
