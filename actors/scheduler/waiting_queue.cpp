#include "actors/scheduler/waiting_queue.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "actors/scheduler/resource_names.hpp"
#include "storage/base/msgpack.hpp"
#include "storage/model/isolation.hpp"

namespace troupe::scheduler {
namespace {

constexpr std::int64_t whole_share = 1'000'000;
// What a group without a reservation is weighed by: as much as Titus reserves for the default group.
constexpr Resources usual_reservation{20'000, 40'960, 100'000, 1'280, 0, 0};

std::string class_key(const QueuedTask& task, const JobId& job) {
  const JobDescriptor& descriptor = *task.descriptor;
  Bytes key;
  PackWriter writer(key);
  pack(writer, job);
  pack(writer, descriptor.capacity_group);
  pack(writer, descriptor.resources);
  pack(writer, descriptor.hard_constraints);
  pack(writer, descriptor.soft_constraints);
  pack(writer, descriptor.is_batch());
  pack(writer, task.priority);
  pack(writer, task.gang);
  // What attributes mean to the search: see wishes_of().
  pack(writer, drivers_enough(descriptor.image.name, descriptor.attributes));
  const auto placement = descriptor.attributes.find("troupe.placement");
  pack(writer, placement == descriptor.attributes.end() ? std::string() : placement->second);
  pack(writer, descriptor.image.name);
  pack(writer, descriptor.image.tag);
  pack(writer, descriptor.image.digest);
  return key;
}

/// Its group is at its ceiling, or at its limit of launches.
bool is_held_back(const QueueGroup& group, const TaskClass& kind) {
  return group.is_held(kind.count_at_once()) || group.is_capped_for(kind.at_once());
}

/// FNV-1a: any well mixed number will do; two images that share one are taken for the same.
std::uint64_t image_number(const Image& image) {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const std::string* part : {&image.name, &image.tag, &image.digest})
    for (const char c : *part) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  return image.name.empty() ? 0 : hash;
}

std::int64_t share_of(const Resources& used, const Resources& reservation) {
  std::int64_t share = 0;
  for (const ResourceName& resource : resource_names)
    if (reservation.*resource.member > 0)
      share = std::max(share, used.*resource.member * whole_share / (reservation.*resource.member));
  return share;
}

}  // namespace

Turn turn_of(const QueuedTask& task) {
  return {std::numeric_limits<std::uint32_t>::max() - task.priority, task.order, task.task};
}

Resources TaskClass::at_once() const {
  return times(demand.resources, static_cast<std::int64_t>(count_at_once()));
}

Resources QueueGroup::used() const {
  Resources sum = facts.used;
  sum += in_flight;
  return sum;
}

GroupStanding QueueGroup::standing() const {
  GroupStanding standing{facts.name, facts.tier, facts.reservation, used()};
  standing.used -= facts.leaving;
  return standing;
}

bool QueueGroup::is_capped_for(const Resources& need, const Resources& gone) const {
  if (facts.tier != Tier::critical) return false;
  Resources sum = used();
  sum += need;
  sum -= gone;
  return std::any_of(resource_names.begin(), resource_names.end(), [&](const ResourceName& resource) {
    const std::int64_t ceiling = facts.reservation.*resource.member;
    return ceiling > 0 && need.*resource.member > 0 && sum.*resource.member > ceiling;
  });
}

Rank QueueGroup::current_rank() const {
  const bool reserves = facts.reservation != Resources{};
  const std::int64_t share = share_of(used(), reserves ? facts.reservation : usual_reservation);
  return {facts.tier, !reserves || share >= whole_share, share, rank.number};
}

QueueGroup* WaitingQueue::group_of(const std::string& name) {
  auto& slot = groups_[name];
  if (!slot) {
    slot = std::make_unique<QueueGroup>();
    slot->facts.name = name;
    slot->rank.number = ++groups_made_;
  }
  return slot.get();
}

void WaitingQueue::put_group(const GroupFacts& facts) {
  QueueGroup& group = *group_of(facts.name);
  const bool is_promised_otherwise =
      group.facts.tier != facts.tier || group.facts.reservation != facts.reservation;
  group.facts = facts;
  group.is_declared = true;
  uncap(group);
  rank(group);
  if (is_promised_otherwise) reconsider(group);
}

void WaitingQueue::drop_group(const std::string& name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return;
  GroupFacts facts;
  facts.name = name;
  put_group(facts);
  found->second->is_declared = false;
  if (found->second->classes == 0) groups_.erase(found);
}

void WaitingQueue::rank(QueueGroup& group) {
  const bool belongs = !group.heads.empty();
  if (group.is_ranked && belongs && order_.size() == 1) return;  // Alone, it is always its turn.
  if (group.is_ranked) order_.erase(group.rank);
  group.rank = group.current_rank();
  group.is_ranked = belongs;
  if (!belongs) return;
  // The other one was alone until now, and its rank let be.
  if (order_.size() == 1) {
    QueueGroup* other = order_.begin()->second;
    order_.clear();
    other->rank = other->current_rank();
    order_.emplace(other->rank, other);
  }
  order_.emplace(group.rank, &group);
}

TaskClass* WaitingQueue::join(const QueuedTask& task) {
  for (const JobId& job : {JobId{}, task.job}) {
    const auto known = by_descriptor_.find({task.descriptor.get(), job});
    if (known == by_descriptor_.end() || known->second->priority != task.priority ||
        known->second->gang != task.gang)
      continue;
    ++known->second->tasks;
    return known->second;
  }
  Wishes wishes = wishes_of(*task.descriptor);
  const JobId job = wishes.is_about_neighbours() || task.gang > 0 ? task.job : JobId{};
  std::string key = class_key(task, job);
  auto& slot = classes_[key];
  if (!slot) {
    slot = std::make_unique<TaskClass>();
    slot->number = ++count_;
    slot->priority = task.priority;
    slot->gang = task.gang;
    slot->key = std::move(key);
    slot->demand.resources = task.descriptor->resources;
    slot->demand.wishes = std::move(wishes);
    slot->demand.job = job;
    slot->demand.image = image_number(task.descriptor->image);
    slot->group = group_of(task.descriptor->capacity_group);
    ++slot->group->classes;
    inventory_.bind(slot->demand, job);
  }
  ++slot->tasks;
  if (slot->descriptors.size() < descriptors_max) {
    slot->descriptors.push_back(task.descriptor);
    by_descriptor_.emplace(std::pair(task.descriptor.get(), job), slot.get());
  }
  return slot.get();
}

void WaitingQueue::leave(TaskClass* kind) {
  if (--kind->tasks != 0) return;
  TROUPE_CHECK(kind->waiting.empty());
  if (kind->hold != TaskClass::Hold::none) release(kind);
  for (const auto& descriptor : kind->descriptors) {
    const auto known = by_descriptor_.find(std::pair(descriptor.get(), kind->demand.job));
    if (known != by_descriptor_.end() && known->second == kind) by_descriptor_.erase(known);
  }
  QueueGroup* group = kind->group;
  if (--group->classes == 0 && !group->is_declared) groups_.erase(groups_.find(group->facts.name));
  inventory_.unbind(kind->demand);
  classes_.erase(classes_.find(kind->key));
}

void WaitingQueue::lift(TaskClass* kind) {
  if (kind->hold != TaskClass::Hold::none || kind->waiting.empty()) return;
  kind->group->heads.emplace(*kind->waiting.begin(), kind);
  if (!kind->group->is_ranked) rank(*kind->group);
}

void WaitingQueue::lower(TaskClass* kind) {
  if (kind->hold != TaskClass::Hold::none || kind->waiting.empty()) return;
  kind->group->heads.erase(*kind->waiting.begin());
  if (kind->group->heads.empty()) rank(*kind->group);
}

void WaitingQueue::wait(TaskClass* kind, const Turn& turn) {
  lower(kind);
  kind->waiting.insert(turn);
  if (kind->hold == TaskClass::Hold::gang_is_incomplete && kind->waiting.size() >= kind->gang)
    release(kind);
  else
    lift(kind);
}

void WaitingQueue::stop_waiting(TaskClass* kind, const Turn& turn) {
  lower(kind);
  kind->waiting.erase(turn);
  lift(kind);
}

void WaitingQueue::fly(TaskClass* kind) {
  kind->group->in_flight += kind->demand.resources;
  ++kind->group->flying;
  rank(*kind->group);
}

void WaitingQueue::land(TaskClass* kind) {
  kind->group->in_flight -= kind->demand.resources;
  --kind->group->flying;
  uncap(*kind->group);
  rank(*kind->group);
}

void WaitingQueue::begin_claim(TaskClass* kind) {
  kind->group->claimed += kind->demand.resources;
  ++kind->group->claims;
}

void WaitingQueue::end_claim(TaskClass* kind) {
  kind->group->claimed -= kind->demand.resources;
  --kind->group->claims;
}

void WaitingQueue::settle_in(TaskClass* kind) { kind->group->facts.used += kind->demand.resources; }

void WaitingQueue::uncap(QueueGroup& group) {
  for (auto at = group.capped.begin(); at != group.capped.end();) {
    TaskClass* kind = (at++)->second;
    if (!is_held_back(group, *kind)) release(kind);
  }
}

TaskClass* WaitingQueue::first() {
  while (!order_.empty()) {
    QueueGroup& group = *order_.begin()->second;
    TaskClass* kind = group.heads.begin()->second;
    if (kind->waiting.size() < kind->gang)
      hold(kind, TaskClass::Hold::gang_is_incomplete);
    else if (is_held_back(group, *kind))
      hold(kind, TaskClass::Hold::group_is_full);
    else
      return kind;
  }
  return nullptr;
}

void WaitingQueue::hold(TaskClass* kind, TaskClass::Hold why) {
  lower(kind);
  kind->hold = why;
  if (might_preempt(*kind)) make_hungry(kind);
  if (why == TaskClass::Hold::gang_is_incomplete) return;
  if (why == TaskClass::Hold::group_is_full) {
    kind->group->capped.emplace(kind->number, kind);
    return;
  }
  ++blocked_;
  for (const Search* search : {&kind->demand.all, &kind->demand.preferred})
    if (search->pool != nullptr) blocked_by_pool_[search->pool].emplace(kind->number, kind);
  for (const BoundRelation& relation : kind->demand.relations)
    blocked_by_job_[relation.job].emplace(kind->number, kind);
}

void WaitingQueue::release(TaskClass* kind) {
  const auto forget = [&](auto& map, auto* key) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    found->second.erase(kind->number);
    if (found->second.empty()) map.erase(found);
  };
  if (kind->hold == TaskClass::Hold::group_is_full) {
    kind->group->capped.erase(kind->number);
  } else if (kind->hold == TaskClass::Hold::fits_nowhere) {
    --blocked_;
    for (const Search* search : {&kind->demand.all, &kind->demand.preferred})
      forget(blocked_by_pool_, search->pool);
    for (const BoundRelation& relation : kind->demand.relations) forget(blocked_by_job_, relation.job);
  }
  kind->hold = TaskClass::Hold::none;
  sate(kind);
  lift(kind);
}

bool WaitingQueue::might_preempt(const TaskClass& kind) const {
  if (!allows_preemption_ || kind.demand.wishes.exclusive_host) return false;
  if (kind.hold == TaskClass::Hold::gang_is_incomplete) return false;
  if (kind.priority > 0) return true;
  return kind.hold == TaskClass::Hold::fits_nowhere && kind.group->facts.reservation != Resources{};
}

void WaitingQueue::make_hungry(TaskClass* kind) {
  if (std::exchange(kind->is_hungry, true)) return;
  hungry_.emplace(kind->number, kind);
  hungry_order_.emplace(kind->looks_at, kind->number);
}

void WaitingQueue::sate(TaskClass* kind) {
  if (!std::exchange(kind->is_hungry, false)) return;
  hungry_.erase(kind->number);
  hungry_order_.erase({kind->looks_at, kind->number});
}

/// Its promise has changed: what it could not ask for it may ask for now.
void WaitingQueue::reconsider(QueueGroup& group) {
  for (const auto& [key, kind] : classes_) {
    if (kind->group != &group || kind->hold == TaskClass::Hold::none) continue;
    sate(kind.get());
    kind->looks_at = {};
    kind->pause = milliseconds(0);
    if (might_preempt(*kind)) make_hungry(kind.get());
  }
}

bool WaitingQueue::may_look(const TaskClass& kind) {
  return kind.waiting.size() >= kind.count_at_once() && kind.group->may_launch(kind.count_at_once());
}

std::vector<TaskClass*> WaitingQueue::hungry(Instant now) const {
  std::vector<std::pair<std::pair<Rank, Turn>, TaskClass*>> due;
  for (const auto& [at, number] : hungry_order_) {
    if (at > now) break;
    TaskClass* kind = hungry_.at(number);
    if (may_look(*kind)) due.push_back({{kind->group->current_rank(), *kind->waiting.begin()}, kind});
  }
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<TaskClass*> kinds;
  kinds.reserve(due.size());
  for (const auto& [turn, kind] : due) kinds.push_back(kind);
  return kinds;
}

void WaitingQueue::found_nobody(TaskClass* kind, Instant now, std::uint64_t changes, milliseconds first,
                                milliseconds most) {
  sate(kind);
  kind->pause = std::clamp(2 * kind->pause, first, most);
  kind->looks_at = now + kind->pause;
  kind->changes = changes;
  make_hungry(kind);
}

std::optional<Instant> WaitingQueue::next_look(std::uint64_t changes) const {
  for (const auto& [at, number] : hungry_order_) {
    const TaskClass* kind = hungry_.at(number);
    if (at.is_set() && may_look(*kind) && kind->changes != changes) return at;
  }
  return std::nullopt;
}

GroupStanding WaitingQueue::standing_of(const std::string& name) const {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return {name, Tier::flex, {}, {}};
  const GroupFacts& facts = found->second->facts;
  GroupStanding standing{facts.name, facts.tier, facts.reservation, facts.used};
  standing.used -= facts.leaving;
  return standing;
}

void WaitingQueue::block(TaskClass* kind) { hold(kind, TaskClass::Hold::fits_nowhere); }

void WaitingQueue::unblock(std::size_t& looked_at) {
  inventory_.settle();
  std::map<std::uint64_t, TaskClass*> helped;
  for (const Pool* pool : inventory_.improved_pools()) {
    const auto blocked = blocked_by_pool_.find(pool);
    if (blocked == blocked_by_pool_.end()) continue;
    for (const auto& [number, kind] : blocked->second) {
      Demand& demand = kind->demand;
      if (Inventory::may_help(pool == demand.all.pool ? demand.all : demand.preferred, demand, looked_at))
        helped.emplace(number, kind);
    }
  }
  if (inventory_.take_map_change())
    for (const auto& [job, blocked] : blocked_by_job_) helped.insert(blocked.begin(), blocked.end());
  for (const FollowedJob* job : inventory_.book().changed())
    if (const auto blocked = blocked_by_job_.find(job); blocked != blocked_by_job_.end())
      helped.insert(blocked->second.begin(), blocked->second.end());
  for (const auto& [number, kind] : helped) release(kind);
  inventory_.clear_improved();
  inventory_.book().changed().clear();
}

std::size_t WaitingQueue::before(const TaskClass& kind, const Turn& turn) const {
  std::size_t sum = 0;
  for (const auto& [key, other] : classes_)
    if (other->group == kind.group)
      sum +=
          static_cast<std::size_t>(std::distance(other->waiting.begin(), other->waiting.lower_bound(turn)));
  return sum;
}

}  // namespace troupe::scheduler
