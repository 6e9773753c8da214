#include "actors/scheduler/inventory.hpp"

#include <algorithm>

namespace troupe::scheduler {
namespace {

bool is_same_shape(const HostFacts& a, const HostFacts& b) {
  return a.name == b.name && a.host_group == b.host_group && a.phase == b.phase &&
         a.connected == b.connected && a.attributes == b.attributes && a.drivers == b.drivers;
}

void count_down(std::map<JobId, std::uint32_t>& counts, const JobId& job) {
  const auto at = counts.find(job);
  if (at != counts.end() && --at->second == 0) counts.erase(at);
}

}  // namespace

Resources Host::free() const {
  if (is_exclusive) return FreeTree::nothing;
  Resources left = facts.total;
  left -= facts.used;
  left -= assumed;
  return left;
}

Host* Inventory::host(HostId id) {
  const auto at = hosts_.find(id);
  return at == hosts_.end() ? nullptr : at->second.get();
}

void Inventory::upsert(const HostFacts& facts) {
  auto& slot = hosts_[facts.id];
  const bool is_new = slot == nullptr;
  if (is_new) slot = std::make_unique<Host>();
  Host& known = *slot;
  const HostFacts before = known.facts;
  if (!is_new && facts.as_of < before.as_of) return;
  known.facts = facts;
  known.facts.jobs.clear();
  if (!is_new && facts.as_of < known.last_delta) {
    known.facts.used = before.used;
    known.facts.as_of = before.as_of;  // the deltas since then are in `used`
  } else {
    known.unique_used.clear();
    for (const JobId& job : facts.jobs) ++known.unique_used[job];
  }
  if (known.is_untouched()) known.is_exclusive = false;
  if (is_new || !is_same_shape(before, known.facts)) place_in_pools(known);
  refresh(known);
  improve(known);
}

void Inventory::remove(HostId id) {
  const auto at = hosts_.find(id);
  if (at == hosts_.end()) return;
  while (!at->second->places.empty()) leave(*at->second->places.begin()->first, *at->second);
  improved_.erase(id);
  hosts_.erase(at);
}

void Inventory::assume(HostId id, const TaskId& task, const Demand& demand) {
  Host* at = host(id);
  TROUPE_CHECK(at != nullptr);
  at->assumed += demand.resources;
  at->assumed_tasks.insert(task);
  if (!demand.unique_job.is_nil()) ++at->unique_assumed[demand.unique_job];
  if (demand.needs.exclusive_host) at->is_exclusive = true;
  refresh(*at);
}

/// False: the host was removed and came back meanwhile.
bool Inventory::drop_assumption(Host& at, const TaskId& task, const Demand& demand) {
  if (at.assumed_tasks.erase(task) == 0) return false;
  at.assumed -= demand.resources;
  if (!demand.unique_job.is_nil()) count_down(at.unique_assumed, demand.unique_job);
  return true;
}

void Inventory::release(HostId id, const TaskId& task, const Demand& demand) {
  Host* at = host(id);
  if (at == nullptr) return;
  if (!drop_assumption(*at, task, demand)) return;
  if (at->is_untouched()) at->is_exclusive = false;
  refresh(*at);
  improve(*at);
}

void Inventory::confirm(HostId id, const TaskId& task, const Demand& demand, EventId event) {
  Host* at = host(id);
  if (at == nullptr) return;
  drop_assumption(*at, task, demand);
  const bool is_counted = event <= at->facts.as_of;  // the view had it already
  if (!is_counted) {
    at->facts.used += demand.resources;
    if (!demand.unique_job.is_nil()) ++at->unique_used[demand.unique_job];
    at->last_delta = std::max(at->last_delta, event);
    if (demand.needs.exclusive_host) at->is_exclusive = true;
  }
  if (at->is_untouched()) at->is_exclusive = false;
  refresh(*at);
  if (is_counted) improve(*at);
}

void Inventory::ended(HostId id, const JobId& job, const Resources& resources, EventId event) {
  Host* at = host(id);
  if (at == nullptr || event <= at->facts.as_of) return;
  at->facts.used -= resources;
  at->last_delta = std::max(at->last_delta, event);
  count_down(at->unique_used, job);
  if (at->is_untouched()) at->is_exclusive = false;
  refresh(*at);
  improve(*at);
}

Pool* Inventory::join_pool(const Needs& needs) {
  auto& pool = pools_[needs.text()];
  if (!pool) {
    pool = std::make_unique<Pool>();
    pool->needs = needs;
    for (auto& [id, at] : hosts_)
      if (all_hold(at->facts, needs)) join(*pool, *at);
  }
  ++pool->users;
  return pool.get();
}

void Inventory::leave_pool(Pool* pool) {
  if (--pool->users != 0) return;
  for (Host* at : pool->places)
    if (at != nullptr) at->places.erase(pool);
  pools_.erase(pool->needs.text());
}

void Inventory::place_in_pools(Host& at) {
  for (auto& [text, pool] : pools_) {
    const bool is_in = at.places.count(pool.get()) != 0;
    const bool belongs = all_hold(at.facts, pool->needs);
    if (belongs && !is_in) join(*pool, at);
    if (!belongs && is_in) leave(*pool, at);
  }
}

void Inventory::join(Pool& pool, Host& at) {
  std::size_t place = pool.places.size();
  if (pool.vacant.empty()) {
    pool.places.push_back(&at);
  } else {
    place = pool.vacant.back();
    pool.vacant.pop_back();
    pool.places[place] = &at;
  }
  at.places.emplace(&pool, place);
  pool.tree.set(place, at.free());
}

void Inventory::leave(Pool& pool, Host& at) {
  const std::size_t place = at.places.at(&pool);
  pool.tree.set(place, FreeTree::nothing);
  pool.places[place] = nullptr;
  pool.vacant.push_back(place);
  at.places.erase(&pool);
}

void Inventory::refresh(Host& at) {
  const Resources free = at.free();
  for (const auto& [pool, place] : at.places) pool->tree.set(place, free);
}

void Inventory::improve(const Host& at) {
  if (improved_.size() >= improved_max) all_improved_ = true;
  if (!all_improved_) improved_.insert(at.facts.id);
}

void Inventory::clear_improved() {
  improved_.clear();
  all_improved_ = false;
}

bool Inventory::takes(const Host& at, const Demand& demand) const {
  if (!demand.resources.fits_into(at.free())) return false;
  if (!demand.unique_job.is_nil() && at.has_unique(demand.unique_job)) return false;
  return !demand.needs.exclusive_host || at.is_untouched();
}

const Host* Inventory::find(const Demand& demand, std::size_t& looked_at) {
  Pool& pool = *demand.pool;
  const std::size_t start = pool.next < pool.places.size() ? pool.next : 0;
  bool is_wrapped = false;
  for (std::size_t from = start;;) {
    const auto place = pool.tree.find(from, demand.resources, looked_at);
    if (!place || (is_wrapped && *place >= start)) {
      if (is_wrapped || start == 0) return nullptr;
      is_wrapped = true;
      from = 0;
      continue;
    }
    const Host* at = pool.places[*place];
    if (takes(*at, demand)) {
      pool.next = *place + 1;
      return at;
    }
    from = *place + 1;
  }
}

std::optional<std::string> Inventory::reason(const Host& at, const Demand& demand) const {
  if (auto failure = first_failure(at.facts, demand.needs)) return failure;
  if (at.is_exclusive || (demand.needs.exclusive_host && !at.is_untouched())) return "exclusiveHost";
  if (!demand.unique_job.is_nil() && at.has_unique(demand.unique_job)) return "uniqueHost";
  return first_shortage(demand.resources, at.free());
}

bool Inventory::may_help(const Demand& demand) const {
  if (all_improved_) return true;
  return std::any_of(improved_.begin(), improved_.end(), [&](HostId id) {
    const Host& at = *hosts_.at(id);
    return at.places.count(demand.pool) != 0 && takes(at, demand);
  });
}

}  // namespace troupe::scheduler
