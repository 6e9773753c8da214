#pragma once
// The other bodies of requests: new sizes of a service, capacity groups.

#include <optional>
#include <string_view>

#include "net/api/descriptor.hpp"
#include "net/json/value.hpp"
#include "storage/base/result.hpp"
#include "storage/model/records.hpp"

namespace troupe::api {

/// What of a service's size is to change.
struct CapacityChange {
  std::optional<std::uint32_t> min, desired, max;
  friend bool operator==(const CapacityChange&, const CapacityChange&) = default;
};
/// PUT /jobs/{id}/instances: all of {min, desired, max}. Errors: invalid_argument.
Result<Capacity> parse_capacity(std::string_view text, const DescriptorLimits& limits = {});
/// PUT /jobs/{id}/capacityAttributes: any of them, at least one. Errors: invalid_argument.
Result<CapacityChange> parse_capacity_change(std::string_view text, const DescriptorLimits& limits = {});

/// POST and PUT /api/v2/management/applications: {appName, tier, instanceCPU, instanceMemoryMB,
/// instanceDiskMB, instanceNetworkMbs, instanceCount} and our tasksMax. With `name` (from the path) appName
/// may be absent, and must agree if it is there. Errors: invalid_argument.
Result<GroupRecord> parse_group(std::string_view text, std::optional<std::string_view> name);

}  // namespace troupe::api
