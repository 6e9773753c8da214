#include "net/api/budget.hpp"
#include "net/api/descriptor.hpp"
#include "net/api/members.hpp"
#include "net/api/reading.hpp"
#include "net/api/resources_json.hpp"
#include "net/api/retry_policy.hpp"
#include "storage/model/container_attributes.hpp"

namespace troupe::api {
namespace {

void owner_json(json::Writer& writer, const JobDescriptor& descriptor) {
  writer.key("owner");
  writer.begin_object();
  text_json(writer, "teamEmail", descriptor.team_email);
  writer.end_object();
}

void group_info_json(json::Writer& writer, const JobDescriptor& descriptor) {
  writer.key("jobGroupInfo");
  writer.begin_object();
  text_json(writer, "stack", descriptor.group_stack);
  text_json(writer, "detail", descriptor.group_detail);
  text_json(writer, "sequence", descriptor.group_sequence);
  writer.end_object();
}

void attributes_json(json::Writer& writer, const JobDescriptor& descriptor, const CallMark& mark) {
  writer.key("attributes");
  writer.begin_object();
  if (!mark.created_by.empty()) text_json(writer, created_by_attribute, mark.created_by);
  if (!mark.call_reason.empty()) text_json(writer, call_reason_attribute, mark.call_reason);
  for (const auto& [name, value] : descriptor.attributes) text_json(writer, name, value);
  writer.end_object();
}

void image_json(json::Writer& writer, const Image& image) {
  if (image.name.empty()) return;
  writer.key("image");
  writer.begin_object();
  text_json(writer, "name", image.name);
  if (!image.tag.empty()) text_json(writer, "tag", image.tag);
  if (!image.digest.empty()) text_json(writer, "digest", image.digest);
  writer.end_object();
}

void constraints_json(json::Writer& writer, std::string_view name, const StringMap& constraints) {
  writer.key(name);
  writer.begin_object();
  writer.key("constraints");
  json::write_value(writer, constraints);
  writer.end_object();
}

/// 0: not said, or not as a host would take it.
std::int64_t shm_mb(const JobDescriptor& descriptor) {
  const auto said = descriptor.attributes.find(std::string(shm_attribute));
  if (said == descriptor.attributes.end()) return 0;
  const auto mb = integer_of(said->second);
  return mb && *mb > 0 && *mb <= descriptor.resources.memory_mb ? *mb : 0;
}

void container_json(json::Writer& writer, const JobDescriptor& descriptor) {
  writer.key("container");
  writer.begin_object();
  writer.key("resources");
  resources_json(writer, descriptor.resources, shm_mb(descriptor));
  image_json(writer, descriptor.image);
  writer.key("entryPoint");
  json::write_value(writer, descriptor.entry_point);
  writer.key("command");
  json::write_value(writer, descriptor.command);
  writer.key("env");
  json::write_value(writer, descriptor.env);
  constraints_json(writer, "hardConstraints", descriptor.hard_constraints);
  constraints_json(writer, "softConstraints", descriptor.soft_constraints);
  writer.end_object();
}

void batch_json(json::Writer& writer, const BatchSpec& batch) {
  writer.key("batch");
  writer.begin_object();
  writer.key("size");
  writer.uint(batch.size);
  text_json(writer, "runtimeLimitSec", std::to_string(batch.runtime_limit.count() / 1000));
  writer.key("retryPolicy");
  retry_policy_json(writer, batch.retry);
  writer.key("retryOnRuntimeLimit");
  writer.boolean(batch.retry_on_runtime_limit);
  writer.end_object();
}

void service_json(json::Writer& writer, const ServiceSpec& service, const Capacity& size) {
  writer.key("service");
  writer.begin_object();
  writer.key("capacity");
  capacity_json(writer, size);
  writer.key("enabled");
  writer.boolean(service.enabled);
  writer.key("retryPolicy");
  retry_policy_json(writer, service.retry);
  writer.key("serviceJobProcesses");
  writer.begin_object();
  writer.key("disableIncreaseDesired");
  writer.boolean(service.processes.disable_increase);
  writer.key("disableDecreaseDesired");
  writer.boolean(service.processes.disable_decrease);
  writer.end_object();
  writer.end_object();
}

}  // namespace

void descriptor_json(json::Writer& writer, const JobDescriptor& descriptor, const CallMark& mark,
                     const Capacity* size_now) {
  writer.begin_object();
  owner_json(writer, descriptor);
  text_json(writer, "applicationName", descriptor.application_name);
  text_json(writer, "capacityGroup", descriptor.capacity_group);
  group_info_json(writer, descriptor);
  attributes_json(writer, descriptor, mark);
  container_json(writer, descriptor);
  if (const BatchSpec* batch = descriptor.batch()) batch_json(writer, *batch);
  if (const ServiceSpec* service = descriptor.service())
    service_json(writer, *service, size_now ? *size_now : service->capacity);
  if (descriptor.budget.is_set()) {
    writer.key("disruptionBudget");
    budget_json(writer, descriptor.budget);
  }
  writer.end_object();
}

}  // namespace troupe::api
