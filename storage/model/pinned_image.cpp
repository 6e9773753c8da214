#include "storage/model/pinned_image.hpp"

#include "storage/model/feature_level.hpp"

namespace troupe {
namespace {

DescriptorPtr as_submitted(const JobDescriptor& stored) {
  auto job = std::make_shared<JobDescriptor>(stored);
  if (!job->image.tag.empty()) job->image.digest.clear();
  job->attributes.erase(unresolved_image_attribute);
  return job;
}

}  // namespace

std::uint64_t request_hash(const Command& command) {
  const auto* create = std::get_if<CreateJob>(&command.body);
  if (create == nullptr || create->descriptor == nullptr || command.level < level_of_pinned_images)
    return request_hash(command.body);
  return request_hash(CreateJob{create->job, as_submitted(*create->descriptor), create->places});
}

}  // namespace troupe
