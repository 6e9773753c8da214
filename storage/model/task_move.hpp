#pragma once
// Which services may exchange tasks: those whose containers are made alike.

#include <string>
#include <vector>

#include "storage/model/job_descriptor.hpp"

namespace troupe {

/// In what the containers of the two differ, by the names of the descriptor's fields; empty: a task of the
/// one may become one of the other. Who owns a job, what it is called, its sizes, budget, environment and
/// notes of users do not count, as in Titus; attributes that the cell itself heeds do.
std::vector<std::string> container_differences(const JobDescriptor& a, const JobDescriptor& b);

}  // namespace troupe
