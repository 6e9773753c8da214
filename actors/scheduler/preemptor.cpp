#include "actors/scheduler/preemptor.hpp"

#include <algorithm>
#include <tuple>

#include "actors/scheduler/resource_names.hpp"

namespace troupe::scheduler {
namespace {

constexpr std::int64_t thousandths = 1'000;

/// Thousandths of a host, of cpu and memory together.
std::int64_t size_on(const Host& host, const Resources& amount) {
  const Resources& total = host.facts.total;
  return amount.cpu_milli * thousandths / std::max<std::int64_t>(total.cpu_milli, 1) +
         amount.memory_mb * thousandths / std::max<std::int64_t>(total.memory_mb, 1);
}

/// The one that is missed least comes first.
bool gives_way_before(const RunningTask& a, const RunningTask& b) {
  return std::tuple(a.priority, -a.since.ms, a.task) < std::tuple(b.priority, -b.since.ms, b.task);
}

/// How much of what is missing the amount would be, in thousandths of each resource asked for.
std::int64_t covered(const Resources& need, const Resources& room, const Resources& amount) {
  std::int64_t sum = 0;
  for (const ResourceName& resource : resource_names) {
    const std::int64_t asked = need.*resource.member;
    const std::int64_t missing = asked - room.*resource.member;
    if (asked > 0 && missing > 0) sum += std::min(missing, amount.*resource.member) * thousandths / asked;
  }
  return sum;
}

}  // namespace

bool Preemptor::has_right(const TaskClass& kind) const {
  return kind.priority > 0 || is_within_reservation(kind.group->standing(), kind.demand.resources);
}

std::uint32_t Preemptor::disruptions_left(const JobId& job) const {
  if (!lookups_.disruptions_left) return UINT32_MAX;
  const auto [at, is_new] = disruptions_left_.try_emplace(job, 0);
  if (is_new) at->second = lookups_.disruptions_left(job);
  return at->second;
}

bool Preemptor::is_admissible(const RunningTask& victim, const TaskClass& kind, const Tally& tally) const {
  const JobDescriptor& theirs = *victim.descriptor;
  if (!victim.may_be_moved) return false;
  const bool is_own = theirs.capacity_group == kind.group->facts.name;
  if (is_own && victim.priority >= kind.priority) return false;
  if (!is_own && is_at_ceiling(kind)) return false;
  GroupStanding group = queue_.standing_of(theirs.capacity_group);
  const auto less = [&](const auto& map) {
    if (const auto found = map.find(theirs.capacity_group); found != map.end()) group.used -= found->second;
  };
  less(leaving_of_group_);
  less(tally.groups);
  if (right_to_preempt({kind.group->standing(), kind.priority, kind.demand.resources},
                       {group, victim.priority, theirs.resources}) == PreemptionRight::none)
    return false;
  std::uint32_t gone = 0;
  if (const auto found = leaving_of_job_.find(victim.job); found != leaving_of_job_.end())
    gone += found->second;
  if (const auto found = tally.jobs.find(victim.job); found != tally.jobs.end()) gone += found->second;
  return disruptions_left(victim.job) > gone;
}

/// Now, whatever held it back when it was tried.
bool Preemptor::is_at_ceiling(const TaskClass& kind) {
  return kind.hold == TaskClass::Hold::group_is_full || kind.group->is_capped_for(kind.demand.resources);
}

/// Of a Critical group at its ceiling, its own tasks must make room below that as well.
bool Preemptor::fits(const TaskClass& kind, const Resources& room, const Resources& freed) const {
  if (!kind.demand.resources.fits_into(room)) return false;
  if (!is_at_ceiling(kind)) return true;
  Resources gone = freed;
  gone += kind.group->facts.leaving;
  if (const auto leaving = leaving_of_group_.find(kind.group->facts.name); leaving != leaving_of_group_.end())
    gone += leaving->second;
  return !kind.group->is_capped_for(kind.demand.resources, gone);
}

bool Preemptor::choose_one(const Resources& room, const TaskClass& kind,
                           std::vector<RunningTask>& victims) const {
  const RunningTask* best = nullptr;
  for (const RunningTask& task : running_) {
    Resources then = room;
    then += task.descriptor->resources;
    if (task.is_leaving || !fits(kind, then, task.descriptor->resources)) continue;
    if (best != nullptr && !gives_way_before(task, *best)) continue;
    if (is_admissible(task, kind, {})) best = &task;
  }
  if (best != nullptr) victims.push_back(*best);
  return best != nullptr;
}

bool Preemptor::choose_several(Resources room, const TaskClass& kind, std::vector<RunningTask>& victims) {
  std::sort(running_.begin(), running_.end(), gives_way_before);
  Tally tally;
  std::vector<const RunningTask*> may_go;
  Resources all = room;
  Resources freed;
  for (const RunningTask& task : running_) {
    // No higher priority is asked than is needed.
    if (!may_go.empty() && task.priority > may_go.back()->priority && fits(kind, all, freed)) break;
    if (task.is_leaving || !is_admissible(task, kind, tally)) continue;
    may_go.push_back(&task);
    tally.groups[task.descriptor->capacity_group] += task.descriptor->resources;
    ++tally.jobs[task.job];
    all += task.descriptor->resources;
    freed += task.descriptor->resources;
  }
  if (!fits(kind, all, freed)) return false;
  // Few large ones do less damage than many small ones.
  std::vector<const RunningTask*> chosen;
  Resources taken;
  while (!fits(kind, room, taken)) {
    const auto most = std::max_element(may_go.begin(), may_go.end(), [&](const auto* a, const auto* b) {
      return covered(kind.demand.resources, room, a->descriptor->resources) <
             covered(kind.demand.resources, room, b->descriptor->resources);
    });
    chosen.push_back(*most);
    room += (*most)->descriptor->resources;
    taken += (*most)->descriptor->resources;
    may_go.erase(most);
  }
  // Whom a later one made unnecessary stays, the one that would be missed most first.
  std::sort(chosen.begin(), chosen.end(),
            [](const auto* a, const auto* b) { return gives_way_before(*b, *a); });
  for (const RunningTask* task : chosen) {
    room -= task->descriptor->resources;
    taken -= task->descriptor->resources;
    if (fits(kind, room, taken)) continue;
    room += task->descriptor->resources;
    taken += task->descriptor->resources;
    victims.push_back(*task);
  }
  // Apply asks of each, behind those before it, what was asked of it here in this order.
  std::reverse(victims.begin(), victims.end());
  return true;
}

bool Preemptor::choose(const Host& host, const TaskClass& kind, std::vector<RunningTask>& victims) {
  running_.clear();
  lookups_.running_on(host.facts.id, running_);
  Resources room = host.free();
  for (RunningTask& task : running_) {
    task.is_leaving = task.is_leaving || remembered_.contains(task.task);
    if (task.is_leaving) room += task.descriptor->resources;
  }
  if (fits(kind, room, {})) return true;
  return choose_one(room, kind, victims) || choose_several(room, kind, victims);
}

Preemptor::Damage Preemptor::damage_of(const Host& host, const std::vector<RunningTask>& victims,
                                       Instant now) {
  Damage damage;
  damage.count = victims.size();
  for (const RunningTask& victim : victims) {
    damage.priority = std::max(damage.priority, victim.priority);
    damage.age_ms += (now - victim.since).count();
    damage.size += size_on(host, victim.descriptor->resources);
  }
  return damage;
}

bool Preemptor::look_at(const Host& host, const TaskClass& kind, Instant now, Choice& best, Damage& least) {
  std::vector<RunningTask> victims;
  if (!choose(host, kind, victims)) return false;
  const Damage damage = damage_of(host, victims, now);
  if (best.host == nullptr || damage < least) {
    best = {Search::found, &host, std::move(victims)};
    least = damage;
  }
  return true;
}

// A plan's victims make room for its tasks, and not for the next who comes.
const Host* Preemptor::where_others_leave(const TaskClass& kind, std::size_t& hosts_left) {
  std::size_t asked = 0;
  for (auto next = leaving_on_.begin(); next != leaving_on_.end() && hosts_left > 0; ++next) {
    if (++asked > leaving_hosts_max) break;
    const auto at = inventory_.hosts().find(next->first);
    if (at == inventory_.hosts().end()) continue;
    const Host& host = *at->second;
    if (host.seat(kind.demand.all.pool) == nullptr || !inventory_.could_take(host, kind.demand)) continue;
    Resources room = host.free();
    room += next->second.resources;
    if (!kind.demand.resources.fits_into(room)) continue;
    --hosts_left;
    std::vector<RunningTask> victims;
    if (choose(host, kind, victims) && victims.empty()) return &host;
  }
  return nullptr;
}

Preemptor::Choice Preemptor::find(TaskClass& kind, Instant now, std::size_t& hosts_left) {
  Choice best;
  if (!has_right(kind)) return best;
  inventory_.prepare(kind.demand);
  if (const Host* host = where_others_leave(kind, hosts_left)) return {Search::found, host, {}};
  const Pool& pool = *kind.demand.all.pool;
  const std::size_t length = Inventory::walk_length(pool);
  Damage least;
  for (std::size_t candidates = 0; kind.hosts_asked < length && candidates < candidates_max;) {
    if (hosts_left == 0) {
      if (best.host == nullptr) best.how = Search::cut_short;
      break;
    }
    const Host* host = Inventory::at_step(pool, (kind.asks_from + kind.hosts_asked++) % length);
    if (host == nullptr || !inventory_.could_take(*host, kind.demand)) continue;
    --hosts_left;
    if (look_at(*host, kind, now, best, least)) ++candidates;
    if (best.host != nullptr && best.victims.empty()) break;
  }
  if (best.how == Search::cut_short) return best;
  if (length > 0) kind.asks_from = (kind.asks_from + kind.hosts_asked) % length;
  kind.hosts_asked = 0;
  return best;
}

void Preemptor::remember(const std::vector<RunningTask>& victims) {
  for (const RunningTask& victim : victims) {
    const JobDescriptor& descriptor = *victim.descriptor;
    if (!remembered_
             .try_emplace(victim.task,
                          Remembered{descriptor.capacity_group, victim.job, descriptor.resources})
             .second)
      continue;
    leaving_of_group_[descriptor.capacity_group] += descriptor.resources;
    ++leaving_of_job_[victim.job];
  }
}

void Preemptor::leaves(const TaskId& task, HostId host, const Resources& resources) {
  if (host.value == 0 || !leaving_.emplace(task, Leaving{host, resources}).second) return;
  LeavingThere& there = leaving_on_[host];
  ++there.tasks;
  there.resources += resources;
}

void Preemptor::ended(const TaskId& task) {
  told(task);
  const auto found = leaving_.find(task);
  if (found == leaving_.end()) return;
  const auto on_host = leaving_on_.find(found->second.host);
  on_host->second.resources -= found->second.resources;
  if (--on_host->second.tasks == 0) leaving_on_.erase(on_host);
  leaving_.erase(found);
}

void Preemptor::told(const TaskId& victim) {
  const auto found = remembered_.find(victim);
  if (found == remembered_.end()) return;
  const auto group = leaving_of_group_.find(found->second.group);
  group->second -= found->second.resources;
  if (group->second == Resources{}) leaving_of_group_.erase(group);
  const auto job = leaving_of_job_.find(found->second.job);
  if (--job->second == 0) leaving_of_job_.erase(job);
  remembered_.erase(found);
}

}  // namespace troupe::scheduler
