#include "actors/scheduler/explain.hpp"

#include <algorithm>

#include "actors/scheduler/engine.hpp"
#include "actors/scheduler/resource_names.hpp"

namespace troupe::scheduler {
namespace {

constexpr std::int64_t whole = 1'000;

/// How far a host is from taking the demand: a constraint weighs as much as a resource of which all is
/// missing.
std::int64_t distance(const Host& host, const Demand& demand, std::size_t constraints_failed) {
  std::int64_t sum = whole * static_cast<std::int64_t>(constraints_failed);
  const Resources free = host.free();
  for (const ResourceName& resource : resource_names) {
    const std::int64_t need = demand.resources.*resource.member;
    const std::int64_t missing = need - free.*resource.member;
    if (need > 0 && missing > 0) sum += std::min(whole, missing * whole / need);
  }
  return sum;
}

bool is_resource(const std::string& reason) {
  return std::any_of(resource_names.begin(), resource_names.end(),
                     [&](const ResourceName& resource) { return resource.name == reason; });
}

struct Near {
  std::int64_t distance = 0;
  const Host* host = nullptr;
  friend bool operator<(const Near& a, const Near& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.host->facts.id < b.host->facts.id;
  }
};

/// Hosts per first reason; the nearest of those that fail.
std::vector<Near> look_at_hosts(Inventory& inventory, const Demand& demand, Explanation& out) {
  std::vector<Near> nearest;
  for (const auto& [id, host] : inventory.hosts()) {
    const std::vector<Lack> lacks = inventory.lacks(*host, demand);
    if (lacks.empty()) {
      ++out.fitting;
      continue;
    }
    ++out.reasons[lacks.front().reason];
    const auto constraints = static_cast<std::size_t>(std::count_if(
        lacks.begin(), lacks.end(), [](const Lack& lack) { return !is_resource(lack.reason); }));
    nearest.push_back({distance(*host, demand, constraints), host.get()});
    std::sort(nearest.begin(), nearest.end());
    if (nearest.size() > Engine::nearest_max) nearest.pop_back();
  }
  return nearest;
}

/// The demand with one resource cut down to what the best host has.
std::optional<Change> try_resource(Inventory& inventory, Demand demand, const ResourceName& resource) {
  std::int64_t& need = demand.resources.*resource.member;
  Change change{Change::Kind::resource, std::string(resource.name), need, 0, 0};
  if (need <= 0) return std::nullopt;
  need = 0;
  for (const auto& [id, host] : inventory.hosts())
    if (inventory.takes(*host, demand)) change.to = std::max(change.to, host->free().*resource.member);
  if (change.to <= 0 || change.to >= change.from) return std::nullopt;
  need = change.to;
  for (const auto& [id, host] : inventory.hosts()) change.hosts += inventory.takes(*host, demand) ? 1 : 0;
  return change;
}

std::optional<Change> try_without(Inventory& inventory, const Demand& demand, JobDescriptor descriptor,
                                  const std::string& constraint) {
  descriptor.hard_constraints.erase(constraint);
  Demand changed = demand;
  changed.wishes = wishes_of(descriptor);
  std::erase_if(changed.relations,
                [&](const BoundRelation& relation) { return relation.what.name == constraint; });
  Change change{Change::Kind::constraint, constraint, 0, 0, 0};
  for (const auto& [id, host] : inventory.hosts()) change.hosts += inventory.takes(*host, changed) ? 1 : 0;
  if (change.hosts == 0) return std::nullopt;
  return change;
}

/// A small cut is less than a constraint given up, which is less than a large cut.
std::int64_t size_of(const Change& change) {
  if (change.kind == Change::Kind::resource) return (change.from - change.to) * whole / change.from;
  return change.kind == Change::Kind::constraint ? whole / 4 : whole;
}

std::vector<Change> changes_that_help(Inventory& inventory, const Demand& demand,
                                      const JobDescriptor& descriptor) {
  std::vector<Change> changes;
  for (const ResourceName& resource : resource_names)
    if (auto change = try_resource(inventory, demand, resource)) changes.push_back(std::move(*change));
  for (const auto& [name, value] : descriptor.hard_constraints)
    if (auto change = try_without(inventory, demand, descriptor, name)) changes.push_back(std::move(*change));
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return size_of(a) < size_of(b); });
  return changes;
}

}  // namespace

void explain(const TaskClass& kind, Explanation& out) {
  const QueueGroup& group = *kind.group;
  out.group = {group.facts.name, group.facts.tier, group.facts.reservation, group.used(), false, false};
  out.group.is_above = group.current_rank().is_borrowing;
  out.group.is_capped = group.is_capped_for(kind.demand.resources);
  if (group.is_held(kind.count_at_once()))
    out.held_back = "launches of group " + group.facts.name + " are at their limit";
}

void explain_hosts(Inventory& inventory, const TaskClass& kind, const JobDescriptor& descriptor,
                   Explanation& out) {
  Demand demand = kind.demand;
  inventory.prepare(demand);
  const std::vector<Near> nearest = look_at_hosts(inventory, demand, out);
  if (out.fitting > 0) {
    if (out.group.is_capped) out.changes.push_back({Change::Kind::group, out.group.name, 0, 0, out.fitting});
    return;
  }
  for (const Near& near : nearest)
    out.nearest.push_back({near.host->facts.id, near.host->facts.name, inventory.lacks(*near.host, demand)});
  out.changes = changes_that_help(inventory, demand, descriptor);
  // Where the group's ceiling forbids it besides, no change of the task alone would do.
  if (out.group.is_capped) out.changes.clear();
}

}  // namespace troupe::scheduler
