#pragma once
// The other bodies of requests: new sizes of a service, capacity groups.

#include <optional>
#include <string_view>

#include "net/api/descriptor.hpp"
#include "net/json/object_reader.hpp"
#include "storage/base/result.hpp"
#include "storage/model/command.hpp"

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

/// PUT /jobs/{id}/attributes and /tasks/{id}/attributes: {attributes} with `id_name` ("jobId", "taskId")
/// empty or `id`. Names of the cell's own (`titus.`, `titusParameter.`) are refused. Errors:
/// invalid_argument.
Result<StringMap> parse_attributes(std::string_view text, std::string_view id_name, std::string_view id);
/// DELETE …/attributes?keys=a,b: at least one. Errors: invalid_argument.
Result<std::vector<std::string>> parse_attribute_keys(std::string_view keys);
/// POST /tasks/move: {taskId, sourceJobId, targetJobId}. Errors: invalid_argument.
Result<MoveTask> parse_task_move(std::string_view text);
/// {disableIncreaseDesired, disableDecreaseDesired}; what is absent is false.
ServiceProcesses read_processes(json::ObjectReader& reader);
/// PUT /jobs/{id}/jobprocesses. Errors: invalid_argument.
Result<ServiceProcesses> parse_processes(std::string_view text);
/// PUT /jobs/{id}/disruptionBudget: the budget, or it under "disruptionBudget". Errors: invalid_argument.
Result<DisruptionBudget> parse_budget(std::string_view text);
/// Why an attribute of this name cannot be set by a user; empty: it can.
std::string complaint_about_attribute(std::string_view name);

/// POST and PUT /api/v2/management/applications: {appName, tier, instanceCPU, instanceMemoryMB,
/// instanceDiskMB, instanceNetworkMbs, instanceCount} and our tasksMax and jobsMax. With `name` (from the
/// path) appName may be absent, and must agree if it is there. Errors: invalid_argument.
Result<GroupRecord> parse_group(std::string_view text, std::optional<std::string_view> name);

}  // namespace troupe::api
