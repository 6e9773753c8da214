#pragma once
// This process as the kernel sees it. Any thread; reads small files of /proc and waits for nobody.

#include <string>

#include "storage/base/result.hpp"

namespace troupe {

constexpr std::size_t threads_told_max = 512;
constexpr std::size_t descriptors_counted_max = 100'000;
constexpr std::size_t stack_bytes_max = 2'048;  ///< of one thread

/// {"pid", "uptimeMs", "rssBytes", "rssPeakBytes", "threads", "descriptors", "descriptorsMax", "userMs",
/// "systemMs", "load"}; what cannot be read is left out. `folder`: /proc/self, or what a test put there.
std::string process_json(const std::string& folder);
/// {"threads": [{"id", "name", "state", "userMs", "systemMs", "waitsIn"?, "stack"?}], "leftOut"?}. The kernel
/// shows stacks only to root. Errors: io.
Result<std::string> threads_json(const std::string& folder);
/// {"path", "bytes", "free", "inodes", "inodesFree"} of the file system there. Errors: io.
Result<std::string> disk_json(const std::string& path);

}  // namespace troupe
