#pragma once
// A file system of bounded size in a file, as a container's writable layer.

#include <string>

#include "actors/agent/process_tree.hpp"

namespace troupe::agent {

/// Mounts it there, in the caller's mount namespace. The loop device goes with the last mount of it, whoever
/// dies when. Returns 0 or errno.
int mount_disk_image(const std::string& image, const std::string& at);
/// The same, mounted nowhere yet: it goes with the descriptor unless move_mount() has put it somewhere. Not
/// open: errno says why.
Fd open_disk_image(const std::string& image);

}  // namespace troupe::agent
