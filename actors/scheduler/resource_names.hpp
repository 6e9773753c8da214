#pragma once

#include <array>
#include <string_view>

#include "storage/model/resources.hpp"

namespace troupe::scheduler {

/// What people call the resources.
struct ResourceName {
  std::string_view name;
  std::string_view unit;
  std::int64_t Resources::*member;
};
inline constexpr std::array resource_names{
    ResourceName{"cpu", "thousandths of a cpu", &Resources::cpu_milli},
    ResourceName{"memory", "MB", &Resources::memory_mb},
    ResourceName{"disk", "MB", &Resources::disk_mb},
    ResourceName{"network", "Mbps", &Resources::network_mbps},
    ResourceName{"gpu", "gpus", &Resources::gpu},
    ResourceName{"ports", "ports", &Resources::ports},
};

inline Resources times(Resources amount, std::int64_t count) {
  for (const ResourceName& resource : resource_names) amount.*resource.member *= count;
  return amount;
}

}  // namespace troupe::scheduler
