// What tasks ask of their neighbours.

#include <algorithm>

#include "actors/scheduler/inventory.hpp"
#include "actors/scheduler/scores/score.hpp"

namespace troupe::scheduler {
namespace {

/// The kind of place by which searches are divided: the first that is not a host, hard ones before soft.
std::size_t split_of(const std::vector<BoundRelation>& relations) {
  for (const bool wants_hard : {true, false})
    for (const BoundRelation& relation : relations)
      if (relation.what.is_hard == wants_hard && relation.kind != Topologies::hosts) return relation.kind;
  return Pool::not_split;
}

bool has_host_relation(const Demand& demand) {
  return std::any_of(demand.relations.begin(), demand.relations.end(),
                     [](const BoundRelation& relation) { return relation.kind == Topologies::hosts; });
}

bool can_exhaust(const Demand& demand, std::size_t split) {
  return std::all_of(demand.relations.begin(), demand.relations.end(), [&](const BoundRelation& relation) {
    const bool is_decided_by_part = split != Pool::not_split && relation.kind == split;
    return !relation.what.is_hard || is_decided_by_part || relation.what.kind == Relation::Kind::apart;
  });
}

}  // namespace

void Inventory::bind(Demand& demand, const JobId& job) {
  settle_layout();
  for (const Relation& relation : demand.wishes.relations) {
    const JobId& whose = relation.job.is_nil() ? job : relation.job;
    demand.relations.push_back({relation, book_.follow(whose, lookups_), topologies_.use(relation.place)});
  }
  if (topologies_.take_news()) draw_map();
  const std::size_t split = split_of(demand.relations);
  demand.all.pool = join_pool(demand.wishes.needs, split);
  if (demand.wishes.preferred.text() != demand.wishes.needs.text())
    demand.preferred.pool = join_pool(demand.wishes.preferred, split);
  for (const BoundRelation& relation : demand.relations)
    if (relation.what.kind == Relation::Kind::spread) track(*demand.all.pool, relation.kind);
  const Wishes& wishes = demand.wishes;
  demand.rotates = wishes.lean == Lean::spread || wishes.exclusive_host || wishes.prefers_exclusive ||
                   has_host_relation(demand);
  demand.can_exhaust = can_exhaust(demand, split);
  demand.scores = weighed(demand);
}

void Inventory::unbind(Demand& demand) {
  for (const BoundRelation& relation : demand.relations) {
    book_.unfollow(relation.job);
    topologies_.release(relation.kind);
  }
  keep_starts(demand.all, demand);
  keep_starts(demand.preferred, demand);
  leave_pool(demand.all.pool);
  leave_pool(demand.preferred.pool);
}

void Inventory::bring_up_to_date(FollowedJob& job, std::size_t kind) {
  if (job.layout != layout_) {
    job.by_place.assign(topologies_.kinds(), {});
    job.is_counted.assign(topologies_.kinds(), false);
    job.layout = layout_;
  }
  if (job.is_counted[kind]) return;
  job.is_counted[kind] = true;
  for (const auto& [id, tasks] : job.by_host) {
    const Host* at = host(id);
    if (at == nullptr || at->slot == no_slot) continue;
    auto& counts = job.by_place[kind];
    const std::uint32_t place = at->places[kind];
    if (counts.size() <= place) counts.resize(place + 1);
    counts[place] += tasks;
  }
}

void Inventory::shift(FollowedJob& job, JobBook::Moved moved) {
  if (job.layout != layout_) return;
  for (const auto& [id, by] : {std::pair{moved.from, UINT32_MAX}, std::pair{moved.to, std::uint32_t{1}}}) {
    const Host* at = host(id);
    if (at == nullptr || at->slot == no_slot) continue;
    for (std::size_t kind = 0; kind < job.by_place.size(); ++kind) {
      if (!job.is_counted[kind]) continue;
      auto& counts = job.by_place[kind];
      const std::uint32_t place = at->places[kind];
      if (counts.size() <= place) counts.resize(place + 1);
      counts[place] += by;
    }
  }
}

void Inventory::prepare(Demand& demand) {
  settle();
  demand.layout = demand.relations.empty() ? 0 : layout_;
  for (BoundRelation& relation : demand.relations) {
    bring_up_to_date(*relation.job, relation.kind);
    if (relation.what.kind == Relation::Kind::spread) relation.least = least(relation, *demand.all.pool);
  }
}

std::uint32_t Inventory::least(const BoundRelation& relation, const Pool& pool) {
  const std::vector<std::uint32_t>& population = pool.population.at(relation.kind);
  const std::vector<std::uint32_t>& counts = relation.job->by_place[relation.kind];
  std::uint32_t least = UINT32_MAX;
  for (std::size_t place = 0; place < population.size() && least > 0; ++place)
    if (population[place] > 0) least = std::min(least, place < counts.size() ? counts[place] : 0);
  return least == UINT32_MAX ? 0 : least;
}

bool Inventory::allows(const BoundRelation& relation, const Demand& demand, std::uint32_t place) {
  const std::uint32_t there = relation.job->count(relation.kind, place);
  switch (relation.what.kind) {
    case Relation::Kind::spread:
      return there + 1 <= relation.least + relation.what.skew;
    case Relation::Kind::together:
      // The first of a job cannot be with others of it.
      return there > 0 || (relation.job->tasks.empty() && relation.job->id == demand.job);
    case Relation::Kind::apart:
      return there == 0;
  }
  return false;
}

bool Inventory::is_allowed(const Host& at, const Demand& demand) {
  if (demand.wishes.exclusive_host && !at.is_untouched()) return false;
  return std::all_of(demand.relations.begin(), demand.relations.end(), [&](const BoundRelation& relation) {
    return !relation.what.is_hard || allows(relation, demand, at.places[relation.kind]);
  });
}

Lack Inventory::relation_lack(const BoundRelation& relation, const Host& at) {
  const std::uint32_t there = relation.job->count(relation.kind, at.places[relation.kind]);
  const std::string tasks = std::to_string(there) + " of the job's tasks are in its " + relation.what.place;
  switch (relation.what.kind) {
    case Relation::Kind::spread:
      return {relation.what.name, tasks + ", the emptiest has " + std::to_string(relation.least)};
    case Relation::Kind::together:
      return {relation.what.name, "none of the job's tasks is in its " + relation.what.place};
    case Relation::Kind::apart:
      return {relation.what.name, tasks};
  }
  return {};
}

}  // namespace troupe::scheduler
