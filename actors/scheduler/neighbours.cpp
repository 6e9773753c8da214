#include "actors/scheduler/neighbours.hpp"

namespace troupe::scheduler {
namespace {

const std::string nowhere;

const std::string& attribute_or_nothing(const HostFacts& facts, const std::string& key) {
  const auto found = facts.attributes.find(key);
  return found == facts.attributes.end() ? nowhere : found->second;
}

}  // namespace

const std::string& zone_of(const HostFacts& facts) {
  static const std::string titus_name = "availabilityZone";
  static const std::string short_name = "zone";
  const std::string& zone = attribute_or_nothing(facts, titus_name);
  return zone.empty() ? attribute_or_nothing(facts, short_name) : zone;
}

std::size_t Topologies::use(const std::string& place) {
  const std::size_t kind = place == place_host ? hosts : find_or_make(place);
  ++kinds_[kind].users;
  return kind;
}

void Topologies::release(std::size_t kind) { --kinds_[kind].users; }

std::size_t Topologies::find_or_make(const std::string& place) {
  std::size_t idle = 0;
  for (std::size_t kind = 1; kind < kinds_.size(); ++kind) {
    if (kinds_[kind].place == place) return kind;
    if (kinds_[kind].users == 0) idle = kind;
  }
  has_news_ = true;
  if (idle == 0 || kinds_.size() <= idle_kinds_max) {
    kinds_.push_back({place, {}, 0});
    return kinds_.size() - 1;
  }
  kinds_[idle] = {place, {}, 0};
  return idle;
}

std::uint32_t Topologies::place_of(std::size_t kind, const HostFacts& facts, std::uint32_t slot) {
  if (kind == hosts) return slot;
  Kind& known = kinds_[kind];
  const std::string& value =
      known.place == place_zone ? zone_of(facts) : attribute_or_nothing(facts, known.place);
  return known.numbers.try_emplace(value, static_cast<std::uint32_t>(known.numbers.size())).first->second;
}

FollowedJob* JobBook::follow(const JobId& job, const Lookups& lookups) {
  auto& slot = jobs_[job];
  if (!slot) {
    slot = std::make_unique<FollowedJob>();
    slot->id = job;
    if (lookups.places_of)
      for (const auto& [task, host] : lookups.places_of(job)) put(*slot, task, host);
  }
  ++slot->users;
  return slot.get();
}

void JobBook::unfollow(FollowedJob* job) {
  if (--job->users != 0) return;
  changed_.erase(job);
  jobs_.erase(job->id);
}

JobBook::Moved JobBook::put(FollowedJob& job, const TaskId& task, HostId host) {
  Moved moved{{}, host};
  const auto [at, is_new] = job.tasks.try_emplace(task, host);
  if (!is_new) {
    if (at->second == host) return {};
    moved.from = at->second;
    count_down(job, at->second);
    at->second = host;
  }
  ++job.by_host[host];
  changed_.insert(&job);
  return moved;
}

JobBook::Moved JobBook::erase(FollowedJob& job, const TaskId& task) {
  const auto at = job.tasks.find(task);
  if (at == job.tasks.end()) return {};
  const Moved moved{at->second, {}};
  count_down(job, at->second);
  job.tasks.erase(at);
  ++job.leavings;
  changed_.insert(&job);
  return moved;
}

void JobBook::count_down(FollowedJob& job, HostId host) {
  const auto at = job.by_host.find(host);
  if (at != job.by_host.end() && --at->second == 0) job.by_host.erase(at);
}

}  // namespace troupe::scheduler
