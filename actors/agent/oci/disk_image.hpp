#pragma once
// A file system of bounded size in a file, as a container's writable layer.

#include <string>

namespace troupe::agent {

/// Mounts it there, in the caller's mount namespace. The loop device goes with the last mount of it, whoever
/// dies when. Returns 0 or errno.
int mount_disk_image(const std::string& image, const std::string& at);

}  // namespace troupe::agent
