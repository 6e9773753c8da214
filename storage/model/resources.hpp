#pragma once

#include <compare>
#include <cstdint>

#include "storage/base/fields.hpp"

namespace troupe {

/// An amount of each resource: what a task asks for, what a host has, what is free.
struct Resources {
  std::int64_t cpu_milli = 0;  ///< thousandths of a cpu
  std::int64_t memory_mb = 0;
  std::int64_t disk_mb = 0;
  std::int64_t network_mbps = 0;
  std::int64_t gpu = 0;
  std::int64_t ports = 0;  ///< of the host's own, see ports.hpp

  static constexpr std::size_t fields_at_first = 5;
  static constexpr auto fields() {
    return field_list(field("cpu_milli", &Resources::cpu_milli), field("memory_mb", &Resources::memory_mb),
                      field("disk_mb", &Resources::disk_mb), field("network_mbps", &Resources::network_mbps),
                      field("gpu", &Resources::gpu), field("ports", &Resources::ports));
  }
  friend bool operator==(const Resources&, const Resources&) = default;
  Resources& operator+=(const Resources& o) {
    cpu_milli += o.cpu_milli, memory_mb += o.memory_mb, disk_mb += o.disk_mb, network_mbps += o.network_mbps,
        gpu += o.gpu, ports += o.ports;
    return *this;
  }
  Resources& operator-=(const Resources& o) {
    cpu_milli -= o.cpu_milli, memory_mb -= o.memory_mb, disk_mb -= o.disk_mb, network_mbps -= o.network_mbps,
        gpu -= o.gpu, ports -= o.ports;
    return *this;
  }
  /// A host may have fewer ports than its tasks hold, when its agent came back with fewer: who asks for none
  /// is not held up by that.
  bool fits_into(const Resources& free) const {
    return cpu_milli <= free.cpu_milli && memory_mb <= free.memory_mb && disk_mb <= free.disk_mb &&
           network_mbps <= free.network_mbps && gpu <= free.gpu && (ports == 0 || ports <= free.ports);
  }
};

}  // namespace troupe
