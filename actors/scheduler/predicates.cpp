#include "actors/scheduler/predicates.hpp"

#include <algorithm>
#include <array>

#include "storage/base/msgpack.hpp"

namespace troupe::scheduler {
namespace {

bool is_connected(const HostFacts& host, const Needs&) { return host.connected; }
bool is_active(const HostFacts& host, const Needs&) { return host.phase == HostPhase::active; }
bool has_driver(const HostFacts& host, const Needs& needs) {
  if (needs.driver.empty()) return !host.drivers.empty();
  return std::find(host.drivers.begin(), host.drivers.end(), needs.driver) != host.drivers.end();
}
bool is_machine(const HostFacts& host, const Needs& needs) {
  return needs.machine_id.empty() || needs.machine_id == host.name;
}
bool is_in_group(const HostFacts& host, const Needs& needs) {
  return needs.machine_group.empty() || needs.machine_group == host.host_group;
}
const std::string* missing_attribute(const HostFacts& host, const Needs& needs) {
  for (const auto& [key, value] : needs.attributes) {
    const auto has = host.attributes.find(key);
    if (has == host.attributes.end() || has->second != value) return &key;
  }
  return nullptr;
}
bool has_attributes(const HostFacts& host, const Needs& needs) {
  return missing_attribute(host, needs) == nullptr;
}

constexpr std::array predicates{
    Predicate{"not connected", "The host's agent has no session.", is_connected},
    Predicate{"not active", "The host is draining or quarantined.", is_active},
    Predicate{"driver", "The host lacks the container driver that the job asks for.", has_driver},
    Predicate{"machineId", "The job asks for another host by name.", is_machine},
    Predicate{"machineGroup", "The job asks for another host group.", is_in_group},
    Predicate{"attribute", "The host lacks an attribute that the job asks for.", has_attributes},
};

bool is_asked(const std::string& value) { return !value.empty() && value != "false"; }

}  // namespace

std::string Needs::text() const {
  Bytes out;
  PackWriter writer(out);
  for (const auto* part : {&driver, &machine_id, &machine_group}) pack(writer, *part);
  pack(writer, attributes);
  return out;
}

Needs needs_of(const JobDescriptor& descriptor) {
  Needs needs;
  if (const auto driver = descriptor.attributes.find("troupe.driver"); driver != descriptor.attributes.end())
    needs.driver = driver->second;
  for (const auto& [name, value] : descriptor.hard_constraints) {
    if (!is_asked(value) || name == "activeHost" || name == "zoneBalance") continue;
    if (name == "uniqueHost")
      needs.unique_host = true;
    else if (name == "exclusiveHost")
      needs.exclusive_host = true;
    else if (name == "machineId")
      needs.machine_id = value;
    else if (name == "machineGroup")
      needs.machine_group = value;
    else
      needs.attributes.emplace(name, value);
  }
  return needs;
}

std::span<const Predicate> host_predicates() { return predicates; }

bool all_hold(const HostFacts& host, const Needs& needs) {
  return std::all_of(predicates.begin(), predicates.end(),
                     [&](const Predicate& p) { return p.holds(host, needs); });
}

std::optional<std::string> first_failure(const HostFacts& host, const Needs& needs) {
  for (const Predicate& predicate : predicates) {
    if (predicate.holds(host, needs)) continue;
    if (const auto* key = missing_attribute(host, needs); key != nullptr && predicate.holds == has_attributes)
      return *key;
    return std::string(predicate.name);
  }
  return std::nullopt;
}

std::optional<std::string> first_shortage(const Resources& need, const Resources& free) {
  if (need.cpu_milli > free.cpu_milli) return "cpu";
  if (need.memory_mb > free.memory_mb) return "memory";
  if (need.disk_mb > free.disk_mb) return "disk";
  if (need.network_mbps > free.network_mbps) return "network";
  if (need.gpu > free.gpu) return "gpu";
  return std::nullopt;
}

}  // namespace troupe::scheduler
