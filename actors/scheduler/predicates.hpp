#pragma once
// The constraints of placement, each a named predicate.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "actors/scheduler/facts.hpp"

namespace troupe::scheduler {

/// What a class of tasks needs of a host beside free resources. Two parts: what a host's facts alone decide,
/// and what depends on who else is there.
struct Needs {
  std::string driver;      ///< empty: any
  std::string machine_id;  ///< the host's name
  std::string machine_group;
  StringMap attributes;  ///< availabilityZone, machineType and all that Troupe gives no meaning of its own
  bool unique_host = false;     ///< no other task of the job there
  bool exclusive_host = false;  ///< no other task at all there
  std::string text() const;     ///< of the first part: equal texts allow equal hosts
};
/// Hard constraints whose value is "false" or empty ask for nothing. `activeHost` always holds; `zoneBalance`
/// is a preference and forbids nothing. The driver is the job attribute "troupe.driver".
Needs needs_of(const JobDescriptor& descriptor);

struct Predicate {
  std::string_view name;      ///< stable; for counts and `explain`
  std::string_view sentence;  ///< for people
  bool (*holds)(const HostFacts& host, const Needs& needs);
};
/// By the host's facts alone, in the order in which they are asked.
std::span<const Predicate> host_predicates();
bool all_hold(const HostFacts& host, const Needs& needs);
/// The name of the first that fails; of an attribute its key.
std::optional<std::string> first_failure(const HostFacts& host, const Needs& needs);
/// The first resource that does not suffice: "cpu", "memory", "disk", "network", "gpu".
std::optional<std::string> first_shortage(const Resources& need, const Resources& free);

}  // namespace troupe::scheduler
