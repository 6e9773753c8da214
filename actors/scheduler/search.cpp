// How a class of tasks finds its host.

#include <algorithm>

#include "actors/scheduler/inventory.hpp"
#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {
namespace {

int score_of(const Host& host, const Demand& demand) {
  int sum = 0;
  int weights = 0;
  for (const WeighedScore& part : demand.scores) {
    sum += part.weight * part.score->value(host, demand);
    weights += part.weight;
  }
  return weights == 0 ? score_max : sum / weights;
}

std::uint64_t leavings(const Demand& demand) {
  std::uint64_t sum = 0;
  for (const BoundRelation& relation : demand.relations) sum += relation.job->leavings;
  return sum;
}

/// Another class may have asked for as much before.
void begin_search(const Part& part, Cursor& cursor, const Demand& demand) {
  if (std::exchange(cursor.is_begun, true) || demand.rotates) return;
  const auto start = part.search_starts.find(demand.resources);
  if (!start) return;
  cursor.at = start->at;
  cursor.seen = start->seen;
  cursor.has_no_room = start->has_no_room;
}

void forget_what_is_too_old(const Part& part, Cursor& cursor, const Demand& demand) {
  if (!part.improvements.remembers(cursor.seen)) {
    if (!demand.rotates) cursor.at = 0;
    cursor.has_no_room = false;
    cursor.seen = part.improvements.count();
  }
  const std::uint64_t left = demand.relations.empty() ? 0 : leavings(demand);
  if (left != cursor.leavings || demand.layout != cursor.layout ||
      !part.improvements.remembers(cursor.exhausted_seen))
    cursor.is_exhausted = false;
  cursor.leavings = left;
  cursor.layout = demand.layout;
}

/// Others may have searched for as much, or less, in vain.
void learn_from_others(const Part& part, Cursor& cursor, const Demand& demand) {
  const auto since = part.vain_searches.since(demand.resources);
  if (!since || !part.improvements.remembers(*since)) return;
  if (cursor.has_no_room && cursor.seen >= *since) return;
  cursor.has_no_room = true;
  cursor.seen = *since;
}

/// False: nothing takes it, and nothing has improved since that was found.
bool catch_up(const Part& part, Cursor& cursor, const Demand& demand) {
  begin_search(part, cursor, demand);
  forget_what_is_too_old(part, cursor, demand);
  learn_from_others(part, cursor, demand);
  const std::uint64_t now = part.improvements.count();
  return !(cursor.is_exhausted && cursor.exhausted_seen == now) &&
         !(cursor.has_no_room && cursor.seen == now);
}

bool knows_all(const Cursor& cursor) { return cursor.is_exhausted || cursor.has_no_room; }

/// The first improvement that may matter to it.
std::uint64_t first_to_look_at(const Cursor& cursor) {
  const std::uint64_t seen = cursor.has_no_room || !cursor.is_exhausted ? cursor.seen : 0;
  return std::max(seen, cursor.is_exhausted ? cursor.exhausted_seen : 0);
}

/// Nothing that improved from `begin` on and before `first` has enough.
void nothing_before(std::uint64_t begin, std::uint64_t first, Cursor& cursor) {
  if (cursor.seen >= begin) cursor.seen = std::max(cursor.seen, first);
  if (cursor.is_exhausted) cursor.exhausted_seen = std::max(cursor.exhausted_seen, first);
}

}  // namespace

const Host* Inventory::find(Demand& demand, std::size_t& looked_at) {
  prepare(demand);
  if (demand.preferred.pool != nullptr)
    if (const Host* best = find_in(demand.preferred, demand, looked_at)) return best;
  return find_in(demand.all, demand, looked_at);
}

const Host* Inventory::find_in(Search& search, Demand& demand, std::size_t& looked_at) {
  const Pool& pool = *search.pool;
  for (const BoundRelation& relation : demand.relations)
    if (relation.what.is_hard && relation.what.kind == Relation::Kind::together &&
        relation.kind == Topologies::hosts && !relation.job->tasks.empty())
      return find_beside(*relation.job, pool, demand, looked_at);
  search.cursors.resize(std::max(search.cursors.size(), pool.parts.size()));
  if (pool.split == Pool::not_split) return best_in(*pool.parts[0], search.cursors[0], demand, looked_at);
  for (const Choice& choice : choices(pool, demand))
    if (const Host* best =
            best_in(*pool.parts[choice.place], search.cursors[choice.place], demand, looked_at))
      return best;
  return nullptr;
}

// The job's own hosts are few: they are asked one by one.
const Host* Inventory::find_beside(const FollowedJob& job, const Pool& pool, Demand& demand,
                                   std::size_t& looked_at) {
  Best best;
  for (const auto& [id, tasks] : job.by_host) {
    ++looked_at;
    Host* at = host(id);
    if (at == nullptr || at->seat(&pool) == nullptr || usable(at) == nullptr) continue;
    if (!demand.resources.fits_into(at->free()) || !consider(*at, 0, demand, best)) continue;
    if (best.is_enough()) break;
  }
  return best.host;
}

std::vector<Inventory::Choice> Inventory::choices(const Pool& pool, const Demand& demand) {
  constexpr std::size_t unwanted = 1'000'000;  // More than a job has tasks: a wish, and never forbidden.
  std::vector<Choice> all;
  for (std::uint32_t place = 0; place < pool.parts.size(); ++place) {
    const Part& part = *pool.parts[place];
    bool is_open = part.hosts.size() > part.vacant.size();
    std::size_t preference = 0;
    for (const BoundRelation& relation : demand.relations) {
      if (relation.kind != pool.split) continue;
      if (relation.what.is_hard && !allows(relation, demand, place)) is_open = false;
      const std::uint32_t there = relation.job->count(relation.kind, place);
      if (relation.what.kind == Relation::Kind::together)
        preference += there > 0 ? 0 : unwanted;
      else
        preference += relation.what.kind == Relation::Kind::spread ? there : there * unwanted;
    }
    if (is_open) all.push_back({preference, place});
  }
  std::sort(all.begin(), all.end(), [](const Choice& a, const Choice& b) {
    return a.preference != b.preference ? a.preference < b.preference : a.place < b.place;
  });
  return all;
}

Host* Inventory::usable(Host* at) {
  learn_exclusive(*at);
  return at->is_exclusive ? nullptr : at;
}

bool Inventory::consider(const Host& at, std::size_t place, const Demand& demand, Best& best) {
  if (!is_allowed(at, demand)) return false;
  ++best.candidates;
  const int score = score_of(at, demand);
  if (score <= best.score) return true;
  best.host = &at;
  best.place = place;
  best.score = score;
  return true;
}

void Inventory::keep_starts(const Search& search, const Demand& demand) {
  if (search.pool == nullptr || search.cursors.empty() || demand.rotates) return;
  if (search.pool->split != Pool::not_split) return;  // Many small parts: not worth the memory.
  const Cursor& cursor = search.cursors[0];
  if (cursor.is_begun)
    search.pool->parts[0]->search_starts.keep(demand.resources, {cursor.at, cursor.seen, cursor.has_no_room});
}

void Inventory::found_no_room(Part& part, Cursor& cursor, const Demand& demand) const {
  cursor.has_no_room = true;
  cursor.seen = part.improvements.count();
  if (!is_trying_) part.vain_searches.note(demand.resources, cursor.seen);
}

// In the order in which they improved.
void Inventory::look_at_improved(Part& part, Cursor& cursor, const Demand& demand, Best& best,
                                 std::size_t& looked_at) {
  // Where others are to be looked at as well, some are left for them.
  const std::size_t enough = knows_all(cursor) ? candidates_max : candidates_max / 2;
  const std::uint64_t begin = first_to_look_at(cursor);
  const std::uint64_t end = part.improvements.count();
  std::uint64_t first = end;
  for (std::uint64_t n = begin; n < end && best.candidates < enough && looked_at < best.looked_at_max; ++n) {
    ++looked_at;
    const auto place = part.improvements.place_of(n);
    if (!place || !demand.resources.fits_into(part.tree.free(*place))) continue;
    Host* at = usable(part.hosts[*place]);
    if (at == nullptr) continue;
    first = std::min(first, n);
    if (!consider(*at, *place, demand, best)) continue;
    if (best.candidates == 1) best.looked_at_max = looked_at + effort_max;
    if (best.is_enough()) break;
  }
  nothing_before(begin, first, cursor);
  if (cursor.has_no_room && cursor.seen == end) found_no_room(part, cursor, demand);
}

void Inventory::look_at_all(Part& part, Cursor& cursor, const Demand& demand, Best& best,
                            std::size_t& looked_at) {
  bool has_room = false;
  const std::size_t begin = cursor.at < part.hosts.size() || !demand.rotates ? cursor.at : 0;
  const auto walk = [&](std::size_t from, std::size_t to) {
    const auto next = [&](std::size_t place) {
      return part.tree.find(place, demand.resources, looked_at, best.looked_at_max);
    };
    for (auto place = next(from); place && *place < to; place = next(*place + 1)) {
      Host* at = usable(part.hosts[*place]);
      if (at == nullptr) continue;
      if (!std::exchange(has_room, true) && !demand.rotates) cursor.at = *place;
      if (!consider(*at, *place, demand, best)) continue;
      if (best.candidates == 1) best.looked_at_max = looked_at + effort_max;
      if (best.is_enough()) return;
    }
  };
  walk(begin, part.hosts.size());
  if (demand.rotates && !best.is_enough()) walk(0, begin);
  if (has_room || looked_at >= best.looked_at_max) return;
  // Of those that pack, what has improved was looked at before.
  if (demand.rotates || cursor.seen == part.improvements.count())
    found_no_room(part, cursor, demand);
  else
    cursor.has_no_room = true;
}

const Host* Inventory::best_in(Part& part, Cursor& cursor, const Demand& demand, std::size_t& looked_at) {
  if (!catch_up(part, cursor, demand)) return nullptr;
  Best best;
  if (knows_all(cursor)) {
    look_at_improved(part, cursor, demand, best, looked_at);
  } else {
    if (!demand.rotates) {
      if (cursor.at > 0)
        look_at_improved(part, cursor, demand, best, looked_at);
      else
        cursor.seen = part.improvements.count();
    }
    if (!best.is_enough()) look_at_all(part, cursor, demand, best, looked_at);
  }
  if (best.host == nullptr) {
    cursor.is_exhausted = cursor.is_exhausted || demand.can_exhaust;
    cursor.exhausted_seen = part.improvements.count();
  } else if (demand.rotates) {
    cursor.at = best.place + 1;
  }
  return best.host;
}

// What improved may have been taken again since, or have too little of one thing: each is looked at. Where
// the pool is many parts, the search will tell.
bool Inventory::may_help(Search& search, const Demand& demand, std::size_t& looked_at) {
  const Pool& pool = *search.pool;
  if (!pool.has_improved || !demand.resources.fits_into(pool.improved_free)) return false;
  if (pool.split != Pool::not_split || search.cursors.empty()) return true;
  Part& part = *pool.parts[0];
  Cursor& cursor = search.cursors[0];
  if (!catch_up(part, cursor, demand)) return false;
  if (!knows_all(cursor)) return true;
  const std::uint64_t begin = first_to_look_at(cursor);
  const std::uint64_t end = part.improvements.count();
  std::uint64_t first = begin;
  for (; first < end; ++first) {
    ++looked_at;
    const auto place = part.improvements.place_of(first);
    if (place && demand.resources.fits_into(part.tree.free(*place))) break;
  }
  nothing_before(begin, first, cursor);
  if (cursor.has_no_room && cursor.seen == end) part.vain_searches.note(demand.resources, end);
  return first < end;
}

}  // namespace troupe::scheduler
