#pragma once
// What no single write can be faster than on this machine: a sync of the disk, a round trip of a link.

#include <string>
#include <vector>

#include "storage/base/result.hpp"

namespace troupe::cli {

/// Microseconds each: 300 bytes appended to a file in the folder, then fdatasync. Error: io.
Result<std::vector<double>> time_syncs(const std::string& folder, int count);
/// Microseconds each: 300 bytes to another hub of this process over loopback, and back. Error: io.
Result<std::vector<double>> time_round_trips(int count);

}  // namespace troupe::cli
