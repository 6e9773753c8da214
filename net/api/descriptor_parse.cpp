#include <algorithm>

#include "net/api/bodies.hpp"
#include "net/api/budget.hpp"
#include "net/api/constraint_names.hpp"
#include "net/api/descriptor.hpp"
#include "net/api/reading.hpp"
#include "net/api/retry_policy.hpp"
#include "storage/model/container_attributes.hpp"
#include "storage/model/gang.hpp"
#include "storage/model/isolation.hpp"
#include "storage/model/pinned_image.hpp"
#include "storage/model/preemption.hpp"

namespace troupe::api {
namespace {

using json::ObjectReader;
using Violations = std::vector<Violation>;
constexpr std::size_t constraint_value_bytes_max = 512;

void read_owner(ObjectReader& top, const DescriptorLimits& limits, JobDescriptor& out) {
  auto owner = top.required_object("owner");
  if (!owner) return;
  out.team_email = read_name(*owner, "teamEmail", limits.name_bytes_max);
  if (!owner->has("teamEmail"))
    owner->complain("teamEmail", "is required");
  else if (out.team_email.find('@') == std::string::npos)
    owner->complain("teamEmail", "must be an e-mail address");
  owner->finish();
}

void read_names(ObjectReader& top, const DescriptorLimits& limits, JobDescriptor& out) {
  out.application_name = read_name(top, "applicationName", limits.name_bytes_max);
  if (is_blank(out.application_name)) top.complain("applicationName", "is required and must not be blank");
  out.capacity_group = read_name(top, "capacityGroup", limits.name_bytes_max);
  if (out.capacity_group.empty()) out.capacity_group = "DEFAULT";
  auto group = top.optional_object("jobGroupInfo");
  if (!group) return;
  out.group_stack = read_name(*group, "stack", limits.name_bytes_max);
  out.group_detail = read_name(*group, "detail", limits.name_bytes_max);
  out.group_sequence = read_name(*group, "sequence", limits.name_bytes_max);
  group->finish();
}

/// Empty: fine.
std::string complaint_about_submitted(std::string_view name) {
  if (name == kill_wait_attribute) return {};
  if (name.starts_with(parameter_attribute_prefix)) return "is not supported by this cell";
  return complaint_about_attribute(name);
}

void read_kill_wait(ObjectReader& top, JobDescriptor& out) {
  const auto found = out.attributes.find(std::string(kill_wait_attribute));
  if (found == out.attributes.end()) return;
  const auto seconds = integer_of(found->second);
  if (seconds && *seconds >= 0 && *seconds <= kill_wait_s_max)
    out.kill_grace = milliseconds(*seconds * 1000);
  else
    complain_entry(top, "attributes", kill_wait_attribute,
                   "must be from 0 to " + std::to_string(kill_wait_s_max) + " seconds");
}

std::size_t bytes_of(const StringMap& map) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : map) bytes += name.size() + value.size();
  return bytes;
}

void read_attributes(ObjectReader& top, const DescriptorLimits& limits, JobDescriptor& out) {
  out.attributes = top.optional_string_map("attributes").value_or(StringMap{});
  // What the cell printed on the job comes back with a descriptor that was read and is sent again.
  out.attributes.erase(std::string(created_by_attribute));
  out.attributes.erase(std::string(call_reason_attribute));
  out.attributes.erase(unresolved_image_attribute);
  for (const auto& [name, value] : out.attributes)
    if (auto complaint = complaint_about_submitted(name); !complaint.empty())
      complain_entry(top, "attributes", name, std::move(complaint));
  if (out.attributes.size() > limits.attributes_max)
    top.complain("attributes", "must be at most " + std::to_string(limits.attributes_max));
  if (bytes_of(out.attributes) > limits.attributes_bytes_max)
    top.complain("attributes", "must have at most " + std::to_string(limits.attributes_bytes_max) + " bytes");
  read_kill_wait(top, out);
  const auto priority = out.attributes.find(std::string(priority_attribute));
  if (priority != out.attributes.end() && !priority_from_text(priority->second))
    complain_entry(top, "attributes", priority_attribute,
                   "must be from 0 to " + std::to_string(priority_max));
}

/// Hosts read it from an attribute.
void read_shm(ObjectReader& resources, JobDescriptor& out) {
  const auto wanted = read_integer(resources, "shmSizeMB", {0, out.resources.memory_mb}).value_or(0);
  if (wanted == 0) return;
  const std::string text = std::to_string(wanted);
  if (out.attributes.emplace(shm_attribute, text).first->second != text)
    resources.complain("shmSizeMB", "is another than the attribute " + std::string(shm_attribute) + " says");
}

/// A container has a network of its own, of which its host's ports are no part.
void check_ports(ObjectReader& resources, const JobDescriptor& job) {
  if (job.resources.ports > 0 && is_driver_enough("oci", job.image.name, job.attributes))
    resources.complain(
        "ports", "are the host's: a container needs the attribute troupe.network: host to listen there");
}

void read_resources(ObjectReader& container, const DescriptorLimits& limits, JobDescriptor& job) {
  Resources& out = job.resources;
  out = limits.fallback;
  auto resources = container.optional_object("resources");
  if (!resources) return;
  out.cpu_milli = read_milli(*resources, "cpu", {limits.floor.cpu_milli, limits.ceiling.cpu_milli})
                      .value_or(limits.fallback.cpu_milli);
  const auto amount = [&](std::string_view name, std::int64_t Resources::*member) {
    out.*member = read_integer(*resources, name, {limits.floor.*member, limits.ceiling.*member})
                      .value_or(limits.fallback.*member);
  };
  amount("gpu", &Resources::gpu);
  amount("memoryMB", &Resources::memory_mb);
  amount("diskMB", &Resources::disk_mb);
  amount("networkMbps", &Resources::network_mbps);
  amount("ports", &Resources::ports);
  read_shm(*resources, job);
  check_ports(*resources, job);
  for (const auto* name :
       {"allocateIP", "efsMounts", "signedAddressAllocations", "staticIPAddresses", "ebsVolumes"})
    refuse_unsupported(*resources, name);
  resources->finish();
}

bool is_made_of(std::string_view text, std::string_view extra) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

/// algorithm:hex, at least 32 digits.
bool is_digest(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_made_of(text.substr(0, colon), "+._-")) return false;
  const auto hex = text.substr(colon + 1);
  return hex.size() >= 32 && hex.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void read_image(ObjectReader& container, const DescriptorLimits& limits, Image& out) {
  auto image = container.optional_object("image");
  if (!image) return;
  out.name = read_name(*image, "name", limits.name_bytes_max);
  out.tag = read_name(*image, "tag", limits.name_bytes_max);
  out.digest = read_name(*image, "digest", limits.name_bytes_max);
  if (!is_made_of(out.name, "./_-\\:"))
    image->complain("name", "is required and made of letters, digits and . / _ - : \\");
  if (!out.tag.empty() && !is_made_of(out.tag, "._-"))
    image->complain("tag", "must be made of letters, digits and . _ -");
  if (!out.digest.empty() && !is_digest(out.digest))
    image->complain("digest", "must be algorithm:hex with at least 32 digits");
  if (out.tag.empty() && out.digest.empty()) image->complain("", "must have a tag or a digest");
  image->finish();
}

std::vector<std::string> read_words(ObjectReader& container, std::string_view name,
                                    const DescriptorLimits& limits) {
  auto words = container.optional_string_list(name).value_or(std::vector<std::string>{});
  std::size_t bytes = 0;
  for (const auto& word : words) bytes += word.size() + 1;
  if (words.size() > limits.argv_max)
    container.complain(name, "must have at most " + std::to_string(limits.argv_max) + " words");
  if (bytes > limits.argv_bytes_max)
    container.complain(name, "must have at most " + std::to_string(limits.argv_bytes_max) + " bytes");
  return words;
}

void read_command(ObjectReader& container, const DescriptorLimits& limits, JobDescriptor& out) {
  out.entry_point = read_words(container, "entryPoint", limits);
  out.command = read_words(container, "command", limits);
  const auto& first = out.entry_point.empty() ? out.command : out.entry_point;
  if (first.empty() || first.front().empty())
    container.complain("command", "entryPoint and command together must name a program");
}

void read_env(ObjectReader& container, const DescriptorLimits& limits, StringMap& out) {
  out = container.optional_string_map("env").value_or(StringMap{});
  for (const auto& [name, value] : out)
    if (name.empty() || name.find('=') != std::string::npos || has_control_character(name))
      complain_entry(container, "env", name, "a name must not be empty or contain = or control characters");
  if (bytes_of(out) + 2 * out.size() > limits.env_bytes_max)
    container.complain("env", "must have at most " + std::to_string(limits.env_bytes_max) +
                                  " bytes (names, values and 2 for each)");
}

std::string known_constraints() {
  std::string list;
  for (const auto& known : constraint_names()) list.append(list.empty() ? "" : ", ").append(known.name);
  return list;
}

void read_constraint(ObjectReader& where, const std::string& name, const std::string& value, StringMap& out) {
  const auto known = find_constraint(name);
  if (!known) return where.complain(name, "is no constraint; there are " + known_constraints());
  if (const auto wrong = value_complaint(known->value, value); !wrong.empty())
    return where.complain(name, wrong);
  if (value.size() > constraint_value_bytes_max)
    return where.complain(name, "must have at most " + std::to_string(constraint_value_bytes_max) + " bytes");
  if (!out.emplace(known->name, value).second) where.complain(name, "is there twice, in different case");
}

void read_constraint_map(ObjectReader& parent, std::string_view field, const DescriptorLimits& limits,
                         StringMap& out) {
  const auto given = parent.optional_string_map(field);
  auto where = parent.optional_object(field);
  if (!given || !where) return;
  if (given->size() > limits.constraints_max)
    return parent.complain(field, "must be at most " + std::to_string(limits.constraints_max));
  for (const auto& [name, value] : *given) read_constraint(*where, name, value, out);
}

/// Titus v3 wraps the map ({"constraints": {...}}); the bare map of older clients is understood too.
void read_constraints(ObjectReader& container, std::string_view field, const DescriptorLimits& limits,
                      StringMap& out) {
  const json::Value* value = container.field(field);
  const json::Value* inner = value ? value->find("constraints") : nullptr;
  if (!inner) return read_constraint_map(container, field, limits, out);
  auto wrapper = container.optional_object(field);
  read_constraint_map(*wrapper, "constraints", limits, out);
  if (const auto expression = wrapper->optional_string("expression"); expression && !expression->empty())
    read_constraint(*wrapper, "expression", *expression, out);
  wrapper->finish();
}

void read_container(ObjectReader& top, const DescriptorLimits& limits, JobDescriptor& out) {
  auto container = top.required_object("container");
  if (!container) return;
  read_image(*container, limits, out.image);
  read_resources(*container, limits, out);
  read_command(*container, limits, out);
  read_env(*container, limits, out.env);
  read_constraints(*container, "hardConstraints", limits, out.hard_constraints);
  read_constraints(*container, "softConstraints", limits, out.soft_constraints);
  for (const auto& [name, value] : out.hard_constraints)
    if (out.soft_constraints.contains(name))
      container->complain("softConstraints", name + " is a hard constraint too; it can be only one of both");
  for (const auto* name : {"securityProfile", "attributes", "volumeMounts"})
    refuse_unsupported(*container, name);
  container->finish();
}

BatchSpec read_batch(ObjectReader batch, const DescriptorLimits& limits) {
  BatchSpec out;
  out.size = static_cast<std::uint32_t>(read_required_integer(batch, "size", {1, limits.batch_size_max}));
  out.runtime_limit = std::chrono::seconds(
      read_integer(batch, "runtimeLimitSec", {limits.runtime_limit_s_min, limits.runtime_limit_s_max})
          .value_or(limits.runtime_limit_s_default));
  out.retry_on_runtime_limit = batch.optional_bool("retryOnRuntimeLimit").value_or(false);
  out.retry = read_retry_policy(batch, limits);
  batch.finish();
  return out;
}

ServiceSpec read_service(ObjectReader service, const DescriptorLimits& limits) {
  ServiceSpec out;
  if (auto capacity = service.required_object("capacity")) out.capacity = read_capacity(*capacity, limits);
  out.enabled = service.optional_bool("enabled").value_or(true);
  out.retry = read_retry_policy(service, limits);
  if (auto migration = service.optional_object("migrationPolicy")) {
    migration->optional_object("systemDefault");
    refuse_unsupported(*migration, "selfManaged");
    migration->finish();
  }
  if (auto processes = service.optional_object("serviceJobProcesses"))
    out.processes = read_processes(*processes);
  service.finish();
  return out;
}

void read_kind(ObjectReader& top, const DescriptorLimits& limits, JobDescriptor& out) {
  const auto kind = top.exactly_one_of({"batch", "service"});
  if (!kind) return;
  auto reader = top.optional_object(*kind);
  if (!reader) return;
  if (*kind == "batch")
    out.kind = read_batch(std::move(*reader), limits);
  else
    out.kind = read_service(std::move(*reader), limits);
}

JobDescriptor read_descriptor(const json::Value& body, const DescriptorLimits& limits,
                              Violations& violations) {
  JobDescriptor out;
  ObjectReader top(body, "", violations);
  if (!body.object()) return out;
  read_owner(top, limits, out);
  read_names(top, limits, out);
  read_attributes(top, limits, out);
  read_container(top, limits, out);
  read_kind(top, limits, out);
  if (auto budget = top.optional_object("disruptionBudget")) out.budget = read_budget(*budget);
  const auto gang = out.attributes.find(std::string(gang_attribute));
  if (gang != out.attributes.end() && (!out.is_batch() || !gang_patience_from_text(gang->second)))
    complain_entry(top, "attributes", gang_attribute,
                   "is for batch jobs, from 1 to " + std::to_string(gang_seconds_max) + " seconds");
  for (const auto* name : {"networkConfiguration", "extraContainers", "platformSidecars", "volumes"})
    refuse_unsupported(top, name);
  top.finish();
  return out;
}

}  // namespace

Result<JobDescriptor> parse_job_descriptor(const json::Value& body, const DescriptorLimits& limits) {
  std::vector<Violation> violations;
  JobDescriptor out = read_descriptor(body, limits, violations);
  if (!violations.empty()) return json::violations_error(std::move(violations));
  return out;
}

Result<JobDescriptor> parse_job_descriptor(std::string_view text, const DescriptorLimits& limits) {
  auto value = json::parse(text);
  if (!value.ok()) return value.error();
  return parse_job_descriptor(value.value(), limits);
}

}  // namespace troupe::api
