#include "actors/cores/container_spec.hpp"

namespace troupe::cores {

std::string image_text(const Image& image) {
  if (image.name.empty()) return {};
  if (!image.digest.empty()) return image.name + '@' + image.digest;
  return image.name + ':' + (image.tag.empty() ? "latest" : image.tag);
}

agent::ContainerSpec container_spec(const TaskRecord& task, const JobDescriptor& job) {
  agent::ContainerSpec spec;
  spec.task = task.id;
  spec.job = task.job;
  spec.slot = task.slot.value;
  spec.argv = job.entry_point;
  spec.argv.insert(spec.argv.end(), job.command.begin(), job.command.end());
  spec.env = job.env;
  spec.resources = job.resources;
  spec.image = image_text(job.image);
  spec.attributes = job.attributes;
  spec.kill_grace = job.kill_grace;
  spec.resubmits = task.resubmits;
  return spec;
}

}  // namespace troupe::cores
