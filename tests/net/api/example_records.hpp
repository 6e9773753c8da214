#pragma once
// Records that several tests print.

#include "storage/model/records.hpp"

namespace troupe::api {

template <class Id>
Id example_id(std::uint8_t last) {
  Id id;
  id.bytes[15] = last;
  return id;
}

inline JobRecord example_job(std::uint8_t last = 1) {
  JobDescriptor descriptor;
  descriptor.team_email = "a@b";
  descriptor.application_name = "app";
  descriptor.capacity_group = "DEFAULT";
  descriptor.attributes = {{"show", "42"}, {"kind", "film"}};
  descriptor.command = {"true"};
  descriptor.image = {"encode", "v1", ""};
  descriptor.group_stack = "prod";
  descriptor.kind = ServiceSpec{{1, 2, 3}, true, {}};
  JobRecord job;
  job.id = example_id<JobId>(last);
  job.descriptor = std::make_shared<const JobDescriptor>(descriptor);
  job.capacity = {1, 3, 5};
  job.caller = "ann";
  job.call_reason = "because";
  job.created = {1000};
  job.version = {7};
  return job;
}

inline TaskRecord example_task(TaskState state) {
  TaskRecord task;
  task.id = example_id<TaskId>(2);
  task.job = example_id<JobId>(1);
  task.slot = {4};
  task.original = example_id<TaskId>(3);
  task.resubmit_of = example_id<TaskId>(3);
  task.resubmits = 1;
  task.state = state;
  task.version = {9};
  for (std::size_t i = 0; i <= static_cast<std::size_t>(state); ++i)
    task.enter(static_cast<TaskState>(i), {{2000 + static_cast<std::int64_t>(i)}, Reason::none});
  if (state >= TaskState::launched) task.host = {5};
  return task;
}

}  // namespace troupe::api
