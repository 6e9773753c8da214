// Which host is in which pool, and where on the map.

#include <algorithm>
#include <utility>

#include "actors/scheduler/inventory.hpp"

namespace troupe::scheduler {

std::vector<std::uint32_t> Inventory::places_of(const Host& at) {
  std::vector<std::uint32_t> places;
  for (std::size_t kind = 0; kind < topologies_.kinds(); ++kind)
    places.push_back(topologies_.place_of(kind, at.facts, at.slot));
  return places;
}

// A kind of place that nobody has asked for before: every host gets its place. It may have taken the number
// of one that nobody asks for any more, so what was counted by that number is counted anew.
void Inventory::draw_map() {
  ++layout_;
  while (!idle_pools_.empty()) drop_oldest_idle();
  for (Host* at : slots_)
    if (at != nullptr) at->places = places_of(*at);
  for (auto& [key, pool] : pools_) {
    const auto tracked = std::exchange(pool->population, {});
    for (const auto& [kind, hosts] : tracked) track(*pool, kind);
  }
}

Pool* Inventory::join_pool(const Needs& needs, std::size_t split) {
  std::string key = needs.text() + '#' + std::to_string(split);
  auto& pool = pools_[key];
  if (!pool) {
    pool = std::make_unique<Pool>();
    pool->needs = needs;
    pool->key = std::move(key);
    pool->split = split;
    pool->parts.push_back(std::make_unique<Part>());
    fill(*pool);
  } else if (pool->users == 0) {
    idle_pools_.erase(std::find(idle_pools_.begin(), idle_pools_.end(), pool.get()));
  }
  ++pool->users;
  return pool.get();
}

void Inventory::fill(Pool& pool) {
  if (!pool.needs.machine_id.empty()) {
    const auto named = by_name_.find(pool.needs.machine_id);
    if (named != by_name_.end() && all_hold(named->second->facts, pool.needs)) join(pool, *named->second);
  } else {
    for (const auto& [id, at] : hosts_)
      if (at->slot != no_slot && all_hold(at->facts, pool.needs)) join(pool, *at);
  }
  for (Part* part : std::exchange(pool.unsettled, {})) part->improvements.settle();
}

void Inventory::leave_pool(Pool* pool) {
  if (pool == nullptr || --pool->users != 0) return;
  idle_pools_.push_back(pool);
  if (idle_pools_.size() > idle_pools_max) drop_oldest_idle();
}

void Inventory::drop_oldest_idle() {
  Pool* oldest = idle_pools_.front();
  idle_pools_.erase(idle_pools_.begin());
  for (const auto& part : oldest->parts)
    for (Host* at : part->hosts)
      if (at != nullptr) std::erase_if(at->seats, [&](const auto& seat) { return seat.pool == oldest; });
  std::erase(improved_pools_, oldest);
  pools_.erase(pools_.find(oldest->key));
}

// All seats are given up and taken anew: a changed host may be in other parts as well as in other pools.
void Inventory::place_in_pools(Host& at) {
  std::vector<std::uint32_t> places = places_of(at);
  const bool has_moved = places != at.places;
  for (auto& [key, pool] : pools_) {
    const bool is_in = at.seat(pool.get()) != nullptr;
    const bool belongs = all_hold(at.facts, pool->needs);
    if (is_in && (!belongs || has_moved)) leave(*pool, at);
  }
  if (has_moved) {
    at.places = std::move(places);
    ++layout_;
    map_changed_ = true;
  }
  for (auto& [key, pool] : pools_)
    if (at.seat(pool.get()) == nullptr && all_hold(at.facts, pool->needs)) join(*pool, at);
}

void Inventory::join(Pool& pool, Host& at) {
  const std::size_t number = pool.split == Pool::not_split ? 0 : at.places[pool.split];
  while (pool.parts.size() <= number) pool.parts.push_back(std::make_unique<Part>());
  Part& part = *pool.parts[number];
  std::size_t place = part.hosts.size();
  if (part.vacant.empty()) {
    part.hosts.push_back(&at);
  } else {
    place = part.vacant.back();
    part.vacant.pop_back();
    part.hosts[place] = &at;
  }
  at.seats.push_back({&pool, &part, place});
  part.tree.set(place, at.free());
  if (part.improvements.note(place)) pool.unsettled.push_back(&part);
  populate(pool, at, 1);
}

void Inventory::leave(Pool& pool, Host& at) {
  const Host::Seat seat = *at.seat(&pool);
  seat.part->tree.set(seat.place, FreeTree::nothing);
  seat.part->hosts[seat.place] = nullptr;
  seat.part->vacant.push_back(seat.place);
  populate(pool, at, static_cast<std::uint32_t>(-1));
  if (!pool.population.empty()) map_changed_ = true;  // The emptiest place may be gone, and others be open.
  std::erase_if(at.seats, [&](const Host::Seat& taken) { return taken.pool == &pool; });
}

void Inventory::populate(Pool& pool, const Host& at, std::uint32_t by) {
  for (auto& [kind, hosts] : pool.population) {
    const std::uint32_t place = at.places[kind];
    if (hosts.size() <= place) hosts.resize(place + 1);
    hosts[place] += by;
  }
}

void Inventory::track(Pool& pool, std::size_t kind) {
  const auto [at, is_new] = pool.population.try_emplace(kind);
  if (!is_new) return;
  for (const auto& part : pool.parts)
    for (const Host* host : part->hosts) {
      if (host == nullptr) continue;
      const std::uint32_t place = host->places[kind];
      if (at->second.size() <= place) at->second.resize(place + 1);
      ++at->second[place];
    }
}

}  // namespace troupe::scheduler
