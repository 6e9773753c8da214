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

/// Takes note of what has improved since. False: there was nothing, and nothing has.
bool catch_up(const Part& part, Cursor& cursor, const Demand& demand) {
  const std::uint64_t missed = part.improvements - cursor.seen;
  if (missed > Part::improvements_kept) {
    if (!demand.rotates) cursor.at = 0;
  } else if (!demand.rotates) {
    for (std::uint64_t n = cursor.seen; n < part.improvements; ++n)
      cursor.at = std::min(cursor.at, part.improved[n % Part::improvements_kept]);
  }
  const std::uint64_t left = demand.relations.empty() ? 0 : leavings(demand);
  if (missed != 0 || left != cursor.leavings || demand.layout != cursor.layout) cursor.is_exhausted = false;
  cursor.seen = part.improvements;
  cursor.leavings = left;
  cursor.layout = demand.layout;
  return !cursor.is_exhausted;
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

const Host* Inventory::best_in(Part& part, Cursor& cursor, const Demand& demand, std::size_t& looked_at) {
  if (!catch_up(part, cursor, demand)) return nullptr;
  Best best;
  bool is_first = true;
  const std::size_t begin = cursor.at < part.hosts.size() || !demand.rotates ? cursor.at : 0;
  const auto walk = [&](std::size_t from, std::size_t to) {
    for (auto place = part.tree.find(from, demand.resources, looked_at); place && *place < to;
         place = part.tree.find(*place + 1, demand.resources, looked_at)) {
      Host* at = usable(part.hosts[*place]);
      if (at == nullptr) continue;
      if (std::exchange(is_first, false) && !demand.rotates) cursor.at = *place;
      if (consider(*at, *place, demand, best) && best.is_enough()) return;
    }
  };
  walk(begin, part.hosts.size());
  if (demand.rotates && !best.is_enough()) walk(0, begin);
  if (best.host == nullptr) {
    cursor.is_exhausted = demand.can_exhaust;
    if (is_first && !demand.rotates) cursor.at = part.hosts.size();
  } else if (demand.rotates) {
    cursor.at = best.place + 1;
  }
  return best.host;
}

}  // namespace troupe::scheduler
