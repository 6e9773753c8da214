#include "actors/cores/container_spec.hpp"

namespace troupe::cores {

std::string image_text(const Image& image) {
  if (image.name.empty()) return {};
  if (!image.digest.empty()) return image.name + '@' + image.digest;
  return image.name + ':' + (image.tag.empty() ? "latest" : image.tag);
}

namespace {

/// TROUPE_PORTS=20017,20018 TROUPE_PORT_0=20017 TROUPE_PORT_1=20018
void add_ports(const TaskRecord& task, StringMap& env) {
  std::string all;
  std::size_t number = 0;
  for (const std::uint16_t port : task.ports.values()) {
    const std::string text = std::to_string(port);
    all += (all.empty() ? "" : ",") + text;
    env["TROUPE_PORT_" + std::to_string(number++)] = text;
  }
  if (!all.empty()) env["TROUPE_PORTS"] = all;
}

}  // namespace

agent::ContainerSpec container_spec(const TaskRecord& task, const JobDescriptor& job) {
  agent::ContainerSpec spec;
  spec.task = task.id;
  spec.job = task.job;
  spec.slot = task.slot.value;
  spec.argv = job.entry_point;
  spec.argv.insert(spec.argv.end(), job.command.begin(), job.command.end());
  spec.env = job.env;
  add_ports(task, spec.env);
  spec.resources = job.resources;
  spec.image = image_text(job.image);
  spec.attributes = job.attributes;
  spec.kill_grace = job.kill_grace;
  spec.resubmits = task.resubmits;
  return spec;
}

}  // namespace troupe::cores
