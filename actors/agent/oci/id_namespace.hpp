#pragma once

#include <cstdint>

#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

/// A user namespace in which 0 and the numbers above it are these on the host, users and groups alike; held
/// by its descriptor alone. Forks: takes ms where the machine is busy. Not open: errno says why.
Fd make_id_namespace(std::uint32_t uid_first, std::uint32_t uid_count);

}  // namespace troupe::agent
