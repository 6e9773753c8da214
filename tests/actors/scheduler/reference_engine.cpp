#include "tests/actors/scheduler/reference_engine.hpp"

#include <algorithm>

namespace troupe::test {
namespace {

std::string asked(const ReferenceTask& task, const std::string& constraint) {
  const auto found = task.descriptor->hard_constraints.find(constraint);
  return found == task.descriptor->hard_constraints.end() ? "" : found->second;
}

std::string attribute(const scheduler::HostFacts& host, const std::string& key) {
  const auto found = host.attributes.find(key);
  return found == host.attributes.end() ? "" : found->second;
}

std::string value_of(const scheduler::HostFacts& host, const std::string& place) {
  return place == "host" ? std::to_string(host.id.value) : attribute(host, place);
}

}  // namespace

Resources ReferenceEngine::used(HostId host) const {
  Resources sum;
  for (const auto& [id, task] : tasks)
    if (task.host == host) sum += task.descriptor->resources;
  return sum;
}

int ReferenceEngine::count(const JobId& job, const std::string& place, const std::string& value) const {
  int sum = 0;
  for (const auto& [id, task] : tasks)
    if (task.job == job && task.host.value != 0 && value_of(hosts.at(task.host), place) == value) ++sum;
  return sum;
}

int ReferenceEngine::least(const ReferenceTask& task, const std::string& place) const {
  int least = INT32_MAX;
  for (const auto& [id, host] : hosts)
    if (facts_allow(task, host)) least = std::min(least, count(task.job, place, value_of(host, place)));
  return least;
}

bool ReferenceEngine::facts_allow(const ReferenceTask& task, const scheduler::HostFacts& host) const {
  if (!host.connected || host.phase != HostPhase::active || !host.paused.empty()) return false;
  if (!asked(task, "machineId").empty() && asked(task, "machineId") != host.name) return false;
  if (!asked(task, "machineType").empty() && asked(task, "machineType") != attribute(host, "machineType"))
    return false;
  // The tests use this one expression, and one taint.
  if (!asked(task, "expression").empty() && attribute(host, "rack") == "r0") return false;
  return host.attributes.count("taint.spot") == 0 || asked(task, "tolerations") == "spot";
}

bool ReferenceEngine::neighbours_allow(const ReferenceTask& task, const scheduler::HostFacts& host) const {
  const auto here = [&](const std::string& place) { return count(task.job, place, value_of(host, place)); };
  if (!asked(task, "uniqueHost").empty() && here("host") > 0) return false;
  if (!asked(task, "zoneBalance").empty() && here("zone") + 1 > least(task, "zone") + 1) return false;
  if (!asked(task, "topologySpread").empty() && here("host") + 1 > least(task, "host") + 2) return false;
  if (!asked(task, "jobAntiAffinity").empty() && here("rack") > 0) return false;
  if (asked(task, "jobAffinity").empty() || here("zone") > 0) return true;
  return std::none_of(tasks.begin(), tasks.end(), [&](const auto& other) {
    return other.second.job == task.job && other.second.host.value != 0;
  });
}

bool ReferenceEngine::may_run(const ReferenceTask& task, const scheduler::HostFacts& host) const {
  Resources sum = used(host.id);
  sum += task.descriptor->resources;
  if (!sum.fits_into(host.total) || !facts_allow(task, host)) return false;
  for (const auto& [id, other] : tasks) {
    if (other.host != host.id) continue;
    if (!asked(task, "exclusiveHost").empty() || !asked(other, "exclusiveHost").empty()) return false;
  }
  return neighbours_allow(task, host);
}

bool ReferenceEngine::fits_anywhere(const ReferenceTask& task) const {
  return std::any_of(hosts.begin(), hosts.end(),
                     [&](const auto& host) { return may_run(task, host.second); });
}

}  // namespace troupe::test
