#pragma once

#include <string>
#include <vector>

#include "storage/base/result.hpp"
#include "storage/base/time.hpp"

namespace troupe::cli {

struct PackedFile {
  std::string name;  ///< with the folders before it
  std::string text;
};
/// A .tar.gz of these files, readable by their owner alone, all of this time. Errors: internal.
Result<std::string> tar_gz(const std::vector<PackedFile>& files, Instant at);

}  // namespace troupe::cli
