#include "net/api/resources_json.hpp"

#include "net/api/members.hpp"

namespace troupe::api {

void resources_json(json::Writer& writer, const Resources& resources, std::int64_t shm_mb) {
  writer.begin_object();
  writer.key("cpu");
  writer.real(static_cast<double>(resources.cpu_milli) / 1000.0);
  amount_json(writer, "gpu", resources.gpu);
  amount_json(writer, "memoryMB", resources.memory_mb);
  amount_json(writer, "diskMB", resources.disk_mb);
  amount_json(writer, "networkMbps", resources.network_mbps);
  if (resources.ports != 0) amount_json(writer, "ports", resources.ports);
  if (shm_mb != 0) amount_json(writer, "shmSizeMB", shm_mb);
  writer.end_object();
}

}  // namespace troupe::api
