#include "actors/scheduler/inventory.hpp"

#include <algorithm>
#include <utility>

#include "actors/scheduler/resource_names.hpp"

namespace troupe::scheduler {
namespace {

constexpr std::uint32_t trouble_max = 8;

bool is_same_shape(const HostFacts& a, const HostFacts& b) {
  return a.name == b.name && a.host_group == b.host_group && a.phase == b.phase &&
         a.connected == b.connected && a.paused == b.paused && a.attributes == b.attributes &&
         a.drivers == b.drivers;
}

void remember_image(Host& host, std::uint64_t image) {
  if (image == 0 || std::find(host.images.begin(), host.images.end(), image) != host.images.end()) return;
  host.images[host.next_image++ % host.images.size()] = image;
}

}  // namespace

Resources Host::free_of_tasks() const {
  Resources left = facts.total;
  left -= facts.used;
  left -= assumed;
  return left;
}

Resources Host::free() const {
  if (is_exclusive || is_held()) return FreeTree::nothing;
  Resources left = free_of_tasks();
  left -= claimed;
  return left;
}

const Host::Seat* Host::seat(const Pool* pool) const {
  const auto at =
      std::find_if(seats.begin(), seats.end(), [&](const Seat& seat) { return seat.pool == pool; });
  return at == seats.end() ? nullptr : &*at;
}

Host* Inventory::host(HostId id) {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : at->second;
}

void Inventory::upsert(const HostFacts& facts) {
  auto& slot = hosts_[facts.id];
  if (!slot) {
    slot = std::make_unique<Host>();
    by_id_.emplace(facts.id, slot.get());
    slot->facts = facts;
    slot->life = ++lives_;
    fresh_.emplace(facts.id, slot.get());
    return;
  }
  Host& known = *slot;
  if (facts.as_of < known.facts.as_of) return;
  const HostFacts before = std::exchange(known.facts, facts);
  if (facts.as_of < known.last_delta) {
    known.facts.used = before.used;
    known.facts.as_of = before.as_of;  // the deltas since then are in `used`
  } else if (!(facts.used == before.used)) {
    known.is_exclusive_known = known.is_exclusive;
  }
  if (facts.as_of >= known.last_delta) known.placed_since = 0;
  if (known.is_untouched()) known.is_exclusive = false;
  if (known.claims > 0) changed_claims_.insert(facts.id);
  if (known.slot == no_slot) return;
  if (!is_same_shape(before, known.facts)) {
    by_name_.erase(before.name);
    by_name_[known.facts.name] = &known;
    place_in_pools(known);
  }
  refresh(known);
  improve(known);
}

void Inventory::settle_layout() {
  for (const auto& [id, fresh] : fresh_) {
    if (vacant_slots_.empty()) {
      fresh->slot = static_cast<std::uint32_t>(slots_.size());
      slots_.push_back(fresh);
    } else {
      fresh->slot = *vacant_slots_.begin();
      vacant_slots_.erase(vacant_slots_.begin());
      slots_[fresh->slot] = fresh;
    }
    by_name_[fresh->facts.name] = fresh;
    place_in_pools(*fresh);
    improve(*fresh);
  }
  fresh_.clear();
}

void Inventory::remove(HostId id) {
  Host* at = host(id);
  if (at == nullptr) return;
  while (!at->seats.empty()) leave(*at->seats.back().pool, *at);
  if (at->slot != no_slot) {
    slots_[at->slot] = nullptr;
    vacant_slots_.insert(at->slot);
    by_name_.erase(at->facts.name);
    ++layout_;
    map_changed_ = true;
  }
  if (at->claims > 0) changed_claims_.insert(id);
  fresh_.erase(id);
  by_id_.erase(id);
  hosts_.erase(id);
}

Ticket Inventory::assume(const Host& at, const TaskId& task, const JobId& job, Demand& demand) {
  Host& taken = *host(at.facts.id);
  taken.assumed += demand.resources;
  ++taken.in_flight;
  if (demand.wishes.exclusive_host) taken.is_exclusive = true;
  remember_image(taken, demand.image);
  if (FollowedJob* known = book_.find(job)) shift(*known, book_.put(*known, task, taken.facts.id));
  refresh(taken);
  return {taken.facts.id, taken.life};
}

bool Inventory::drop(const Ticket& ticket, const Demand& demand) {
  Host* at = host(ticket.host);
  if (at == nullptr || at->life != ticket.life) return false;
  at->assumed -= demand.resources;
  --at->in_flight;
  return true;
}

void Inventory::give_back(const Ticket& ticket, const TaskId& task, const JobId& job, const Demand& demand) {
  if (FollowedJob* known = book_.find(job)) shift(*known, book_.erase(*known, task));
  if (!drop(ticket, demand)) return;
  Host& at = *host(ticket.host);
  if (at.is_untouched()) at.is_exclusive = false;
  refresh(at);
  improve(at);
}

void Inventory::undo(const Ticket& ticket, const TaskId& task, const JobId& job, Demand& demand) {
  if (FollowedJob* known = book_.find(job)) shift(*known, book_.erase(*known, task));
  // What it found while the place was taken is not so any more.
  demand.all.cursors.clear();
  demand.preferred.cursors.clear();
  if (!drop(ticket, demand)) return;
  Host& at = *host(ticket.host);
  if (at.is_untouched()) at.is_exclusive = false;
  refresh(at);
}

void Inventory::count(HostId id, const TaskId& task, const JobId& job, const Demand& demand, EventId event) {
  if (FollowedJob* known = book_.find(job)) shift(*known, book_.put(*known, task, id));
  Host* at = host(id);
  if (at == nullptr) return;
  if (demand.wishes.exclusive_host) at->is_exclusive = true;
  const bool is_counted = event <= at->facts.as_of;  // the view had it already
  if (!is_counted) {
    at->facts.used += demand.resources;
    at->last_delta = std::max(at->last_delta, event);
    ++at->placed_since;
  }
  if (at->is_untouched()) at->is_exclusive = false;
  refresh(*at);
  if (is_counted) improve(*at);
}

void Inventory::ended(const EndedTask& task) {
  if (FollowedJob* known = book_.find(task.job)) shift(*known, book_.erase(*known, task.task));
  Host* at = host(task.host);
  if (at == nullptr) return;
  at->trouble = task.failed_to_start ? std::min(at->trouble + 1, trouble_max) : at->trouble / 2;
  if (task.at <= at->facts.as_of) return;
  at->facts.used -= task.resources;
  at->last_delta = std::max(at->last_delta, task.at);
  if (at->is_untouched()) at->is_exclusive = false;
  refresh(*at);
  improve(*at);
}

void Inventory::moved(const TaskId& task, const JobId& from, const JobId& to, HostId host) {
  if (FollowedJob* known = book_.find(from)) shift(*known, book_.erase(*known, task));
  if (FollowedJob* known = book_.find(to)) shift(*known, book_.put(*known, task, host));
}

// Whom a new leader finds on a host, it has not placed there itself: the state is asked once.
void Inventory::learn_exclusive(Host& at) {
  if (at.is_exclusive_known) return;
  at.is_exclusive_known = true;
  if (at.facts.used == Resources{} || !lookups_.is_exclusive || !lookups_.is_exclusive(at.facts.id)) return;
  at.is_exclusive = true;
  refresh(at);
}

void Inventory::refresh(Host& at) {
  const Resources free = at.free();
  for (const Host::Seat& seat : at.seats) seat.part->tree.set(seat.place, free);
}

void Inventory::improve(const Host& at) {
  if (at.claims > 0) changed_claims_.insert(at.facts.id);
  is_unsettled_ = true;
  const Resources free = at.free();
  for (const Host::Seat& seat : at.seats) {
    Pool& pool = *seat.pool;
    if (seat.part->improvements.note(seat.place)) pool.unsettled.push_back(seat.part);
    pool.improved_free = pool.has_improved ? FreeTree::most(pool.improved_free, free) : free;
    if (!pool.has_improved) improved_pools_.push_back(&pool);
    pool.has_improved = true;
  }
}

void Inventory::settle_improvements() {
  for (Pool* pool : improved_pools_) {
    for (Part* part : pool->unsettled) part->improvements.settle();
    pool->unsettled.clear();
  }
}

void Inventory::clear_improved() {
  for (Pool* pool : improved_pools_) pool->has_improved = false;
  improved_pools_.clear();
}

bool Inventory::takes(const Host& at, const Demand& demand) {
  learn_exclusive(*host(at.facts.id));
  return demand.resources.fits_into(at.free()) && all_hold(at.facts, demand.wishes.needs) &&
         is_allowed(at, demand);
}

std::optional<Lack> Inventory::reason(const Host& at, const Demand& demand) {
  learn_exclusive(*host(at.facts.id));
  if (auto failure = first_failure(at.facts, demand.wishes.needs)) return failure;
  std::vector<Lack> all = lacks(at, demand);
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

std::vector<Lack> Inventory::lacks(const Host& at, const Demand& demand) {
  learn_exclusive(*host(at.facts.id));
  std::vector<Lack> all = failures(at.facts, demand.wishes.needs);
  if (at.is_exclusive)
    all.push_back({"exclusiveHost", "a task is there that wants the host alone"});
  else if (demand.wishes.exclusive_host && !at.is_untouched())
    all.push_back({"exclusiveHost", "other tasks are there"});
  for (const BoundRelation& relation : demand.relations)
    if (relation.what.is_hard && !allows(relation, demand, at.places[relation.kind]))
      all.push_back(relation_lack(relation, at));
  if (at.is_held())
    all.push_back(
        {"launches",
         "it takes no more launches now: its limit is reached, or it rests after launches that failed"});
  if (at.is_exclusive || at.is_held()) return all;
  const Resources free = at.free();
  for (const ResourceName& resource : resource_names)
    if (demand.resources.*resource.member > free.*resource.member)
      all.push_back({std::string(resource.name),
                     std::to_string(free.*resource.member) + " " + std::string(resource.unit) + " free, " +
                         std::to_string(demand.resources.*resource.member) + " asked for"});
  return all;
}

}  // namespace troupe::scheduler
