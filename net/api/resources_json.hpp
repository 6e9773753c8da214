#pragma once

#include "net/json/writer.hpp"
#include "storage/model/resources.hpp"

namespace troupe::api {

/// {cpu, gpu, memoryMB, diskMB, networkMbps}, and ports and shmSizeMB where there are some; cpus with up to
/// three decimals.
void resources_json(json::Writer& writer, const Resources& resources, std::int64_t shm_mb = 0);

}  // namespace troupe::api
