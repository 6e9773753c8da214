#include "net/api/bodies.hpp"

#include "net/api/budget.hpp"
#include "net/api/reading.hpp"
#include "net/api/retry_policy.hpp"

namespace troupe::api {
namespace {

constexpr std::int64_t amount_max = 1'000'000'000;  // far beyond any cell; keeps products within 64 bits
constexpr std::int64_t instance_count_max = 1'000'000;
constexpr std::size_t group_name_bytes_max = 512;

Capacity read_whole_capacity(const json::Value& value, const DescriptorLimits& limits,
                             std::vector<Violation>& violations) {
  json::ObjectReader reader(value, "", violations);
  for (const auto* name : {"min", "desired", "max"})
    if (!reader.has(name)) reader.complain(name, "is required");
  if (!violations.empty()) return {};
  return read_capacity(reader, limits);
}

CapacityChange read_change(const json::Value& value, const DescriptorLimits& limits,
                           std::vector<Violation>& violations) {
  json::ObjectReader reader(value, "", violations);
  const auto size = [&](std::string_view name) -> std::optional<std::uint32_t> {
    const auto number = read_integer(reader, name, {0, limits.service_size_max});
    return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
  };
  CapacityChange out;
  out.min = size("min");
  out.desired = size("desired");
  out.max = size("max");
  if (violations.empty() && !out.min && !out.desired && !out.max)
    reader.complain("", "must have at least one of min, desired, max");
  if (out.min && out.max && *out.min > *out.max) reader.complain("min", "must be at most max");
  if (out.min && out.desired && *out.min > *out.desired) reader.complain("min", "must be at most desired");
  if (out.desired && out.max && *out.desired > *out.max) reader.complain("desired", "must be at most max");
  reader.finish();
  return out;
}

void read_group_name(json::ObjectReader& reader, std::optional<std::string_view> name, GroupRecord& out) {
  out.name = read_name(reader, "appName", group_name_bytes_max);
  if (out.name.empty() && name) out.name = *name;
  if (is_blank(out.name)) reader.complain("appName", "is required and must not be blank");
  if (name && out.name != *name) reader.complain("appName", "is not the group that the path names");
}

void read_tier(json::ObjectReader& reader, GroupRecord& out) {
  const auto tier = reader.optional_string("tier");
  if (!tier) return;
  if (*tier == tier_text(Tier::critical))
    out.tier = Tier::critical;
  else if (*tier != tier_text(Tier::flex))
    reader.complain("tier", "must be Critical or Flex");
}

GroupRecord read_group(const json::Value& value, std::optional<std::string_view> name,
                       std::vector<Violation>& violations) {
  json::ObjectReader reader(value, "", violations);
  GroupRecord out;
  read_group_name(reader, name, out);
  read_tier(reader, out);
  if (!reader.has("instanceCPU")) reader.complain("instanceCPU", "is required");
  out.instance.cpu_milli = read_milli(reader, "instanceCPU", {1, amount_max}).value_or(0);
  out.instance.memory_mb = read_required_integer(reader, "instanceMemoryMB", {1, amount_max});
  out.instance.disk_mb = read_integer(reader, "instanceDiskMB", {0, amount_max}).value_or(0);
  out.instance.network_mbps = read_integer(reader, "instanceNetworkMbs", {0, amount_max}).value_or(0);
  out.instance.gpu = read_integer(reader, "instanceGPU", {0, amount_max}).value_or(0);
  out.instance.ports = read_integer(reader, "instancePorts", {0, amount_max}).value_or(0);
  out.instance_count =
      static_cast<std::uint32_t>(read_required_integer(reader, "instanceCount", {1, instance_count_max}));
  out.tasks_max = static_cast<std::uint64_t>(read_integer(reader, "tasksMax", {0, amount_max}).value_or(0));
  out.jobs_max = static_cast<std::uint64_t>(read_integer(reader, "jobsMax", {0, amount_max}).value_or(0));
  const auto count = [&](std::string_view field, std::int64_t least) {
    return static_cast<std::uint64_t>(read_integer(reader, field, {least, amount_max}).value_or(least));
  };
  out.launch_burst = count("launchBurst", 1);
  out.launches_per_minute = count("launchesPerMinute", 0);
  out.launches_max = count("launchesMax", 0);
  reader.finish();
  return out;
}

}  // namespace

Result<Capacity> parse_capacity(std::string_view text, const DescriptorLimits& limits) {
  return read_body<Capacity>(text, [&](const json::Value& value, std::vector<Violation>& violations) {
    return read_whole_capacity(value, limits, violations);
  });
}

Result<CapacityChange> parse_capacity_change(std::string_view text, const DescriptorLimits& limits) {
  return read_body<CapacityChange>(text, [&](const json::Value& value, std::vector<Violation>& violations) {
    return read_change(value, limits, violations);
  });
}

std::string complaint_about_attribute(std::string_view name) {
  if (name.empty()) return "must have a name";
  if (name.starts_with(reserved_attribute_prefix)) return "titus. is reserved for the cell";
  if (name.starts_with(parameter_attribute_prefix)) return "titusParameter. is fixed when a job is submitted";
  return {};
}

namespace {

template <class Id>
Id read_id(json::ObjectReader& reader, std::string_view name) {
  const std::string text = reader.required_string(name);
  if (text.empty()) return {};
  const auto id = parse_uuid<Id>(text);
  if (id.ok()) return id.value();
  reader.complain(name, "must be an id, such as 6f1c2a70-3d8e-4b21-9c55-0a1b2c3d4e5f");
  return {};
}

}  // namespace

Result<MoveTask> parse_task_move(std::string_view text) {
  return read_body<MoveTask>(text, [&](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    MoveTask out;
    out.task = read_id<TaskId>(reader, "taskId");
    out.source = read_id<JobId>(reader, "sourceJobId");
    out.target = read_id<JobId>(reader, "targetJobId");
    if (violations.empty() && out.source == out.target)
      reader.complain("targetJobId", "must be another job than sourceJobId");
    reader.finish();
    return out;
  });
}

Result<StringMap> parse_attributes(std::string_view text, std::string_view id_name, std::string_view id) {
  return read_body<StringMap>(text, [&](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    if (const auto said = reader.optional_string(id_name); said && !said->empty() && *said != id)
      reader.complain(id_name, "is not the one that the path names");
    StringMap out = reader.required_string_map("attributes");
    for (const auto& [name, text_of] : out)
      if (auto complaint = complaint_about_attribute(name); !complaint.empty())
        complain_entry(reader, "attributes", name, std::move(complaint));
    if (out.empty() && violations.empty()) reader.complain("attributes", "must have at least one");
    reader.finish();
    return out;
  });
}

Result<std::vector<std::string>> parse_attribute_keys(std::string_view keys) {
  std::vector<std::string> out;
  std::vector<Violation> violations;
  while (!keys.empty()) {
    const auto comma = keys.find(',');
    if (const auto name = keys.substr(0, comma); !name.empty()) {
      if (auto complaint = complaint_about_attribute(name); !complaint.empty())
        json::add_violation(violations, "keys", std::string(name) + ": " + complaint, {});
      out.emplace_back(name);
    }
    keys.remove_prefix(comma == std::string_view::npos ? keys.size() : comma + 1);
  }
  if (out.empty()) json::add_violation(violations, "keys", "must name at least one attribute", {});
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return out;
}

ServiceProcesses read_processes(json::ObjectReader& reader) {
  ServiceProcesses out;
  out.disable_increase = reader.optional_bool("disableIncreaseDesired").value_or(false);
  out.disable_decrease = reader.optional_bool("disableDecreaseDesired").value_or(false);
  reader.finish();
  return out;
}

Result<ServiceProcesses> parse_processes(std::string_view text) {
  return read_body<ServiceProcesses>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    return read_processes(reader);
  });
}

Result<DisruptionBudget> parse_budget(std::string_view text) {
  return read_body<DisruptionBudget>(text, [](const json::Value& value, std::vector<Violation>& violations) {
    json::ObjectReader reader(value, "", violations);
    auto wrapped = reader.optional_object("disruptionBudget");
    if (!wrapped) return read_budget(reader);
    reader.finish();
    return read_budget(*wrapped);
  });
}

Result<GroupRecord> parse_group(std::string_view text, std::optional<std::string_view> name) {
  return read_body<GroupRecord>(text, [&](const json::Value& value, std::vector<Violation>& violations) {
    return read_group(value, name, violations);
  });
}

}  // namespace troupe::api
