#pragma once

#include "actors/agent/protocol.hpp"
#include "storage/model/records.hpp"

namespace troupe::cores {

/// "name:tag", or "name@digest" where a digest is given; tag "latest" by default.
std::string image_text(const Image& image);

/// What a host needs to run this task. argv: entry point, then command. Beside the job's environment, which
/// ports are its own: TROUPE_PORTS, and TROUPE_PORT_0 and so on.
agent::ContainerSpec container_spec(const TaskRecord& task, const JobDescriptor& job);

}  // namespace troupe::cores
