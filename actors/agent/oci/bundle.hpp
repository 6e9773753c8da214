#pragma once
// A container's config.json (OCI runtime specification 1.0), from what a job asks for and its image says.

#include <string>
#include <vector>

#include "actors/agent/images/image_documents.hpp"
#include "actors/agent/oci/devices.hpp"
#include "actors/agent/protocol.hpp"

namespace troupe::agent {

struct TmpfsWish {
  std::string path;
  std::int64_t bytes = 0;
  friend bool operator==(const TmpfsWish&, const TmpfsWish&) = default;
};

/// All that varies between two containers' bundles.
struct BundleWishes {
  std::vector<std::string> argv;
  std::vector<std::string> env;  ///< NAME=value
  std::string folder = "/";      ///< where the program begins
  std::uint32_t user = 0, group = 0;
  std::string host_name;
  std::uint32_t uid_first = 0, uid_count = 0;
  bool read_only_root = false;
  std::int64_t shm_bytes = 64 << 20;
  std::vector<TmpfsWish> tmpfs;
  bool host_network = false;
  std::vector<std::string> network_files;  ///< the host's, with its network
  DeviceEdits devices;                     ///< its nodes are those of the plan, in that order
  std::uint64_t open_files_max = 1'024;
};

/// The job attribute that makes the root read-only when it is "true".
constexpr std::string_view read_only_root_attribute = "troupe.readOnlyRoot";
/// The job attribute with more file systems in memory: "/scratch=64,/var/cache=16", MiB.
constexpr std::string_view tmpfs_attribute = "troupe.tmpfs";
constexpr std::size_t tmpfs_max = 16;

/// The job's words go before the image's: argv replaces entry point and command, its variables replace those
/// of the same name, and ours replace both. Errors: invalid_argument (nothing to run, a user by name, a size
/// that is none or more than its memory).
Result<BundleWishes> bundle_wishes(const ContainerSpec& spec, const ImageConfig& image);
std::string bundle_config(const BundleWishes& wishes);
/// System calls that a container may make; every other one fails with EPERM (clone3: ENOSYS, so that
/// libraries fall back to clone, whose flags can be looked at).
const std::vector<std::string>& allowed_system_calls();

}  // namespace troupe::agent
