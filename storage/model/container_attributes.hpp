#pragma once
// What a job's attributes say of its container that more than one layer reads.

#include <string_view>

namespace troupe {

/// The size of /dev/shm in MiB; a descriptor's resources.shmSizeMB. What is written there counts as the
/// container's memory. 64 by default.
constexpr std::string_view shm_attribute = "troupe.shmMB";

}  // namespace troupe
