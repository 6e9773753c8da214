#pragma once
// The public views of jobs and tasks, read from what the API answers. Internal.

#include <troupe/job.hpp>

#include "net/json/value.hpp"

namespace troupe::embedded {

Job job_from(const json::Value& value);
Task task_from(const json::Value& value);

}  // namespace troupe::embedded
