#pragma once
// What a shim needs to run its task as a container, beside the spec. Written once by the driver into the
// task's folder as `container`; the same file is the lease on the layers and on the range of user ids.

#include <optional>
#include <string>
#include <vector>

#include "actors/agent/oci/cgroup_plan.hpp"
#include "actors/agent/oci/devices.hpp"
#include "actors/agent/task_folder.hpp"

namespace troupe::agent {

constexpr std::int64_t mib = 1 << 20;  ///< bytes

struct ContainerPlan {
  std::string name;                 ///< of the container: the task's id
  std::vector<std::string> layers;  ///< absolute folders, lowest first
  std::uint32_t uid_first = 0;      ///< on the host, of the container's user 0; groups alike
  std::uint32_t uid_count = 0;
  std::uint32_t user = 0;  ///< in the container, of the program
  std::int64_t memory_mb = 0;
  std::string runtime;  ///< absolute path of crun
  std::string init;     ///< absolute path of a static troupe-shim, the container's first process
  CgroupPlan cgroups;
  std::string disk_image;            ///< holds the writable layer; empty: that is a folder in `work/`
  std::int64_t disk_mb = 0;          ///< that the agent must see to itself; 0: nothing
  std::vector<DeviceNode> nodes;     ///< with their numbers
  std::vector<std::string> devices;  ///< full names of those that are its own
  static constexpr auto fields() {
    using P = ContainerPlan;
    return field_list(field("name", &P::name), field("layers", &P::layers), field("uid_first", &P::uid_first),
                      field("uid_count", &P::uid_count), field("user", &P::user),
                      field("memory_mb", &P::memory_mb), field("runtime", &P::runtime),
                      field("init", &P::init), field("cgroups", &P::cgroups),
                      field("disk_image", &P::disk_image), field("disk_mb", &P::disk_mb),
                      field("nodes", &P::nodes), field("devices", &P::devices));
  }
  friend bool operator==(const ContainerPlan&, const ContainerPlan&) = default;
};

/// Both files or an error; `config` is the bundle's config.json. Errors: io.
Result<void> write_container(const TaskFolder& folder, const ContainerPlan& plan, const std::string& config);
/// Absent: this task is no container.
std::optional<ContainerPlan> read_container(const TaskFolder& folder);

// Where things are inside the mount namespace that a container begins in. The folder on the host stays empty:
// nothing mounted there is seen outside, and all of it goes with the container.
constexpr const char* stage_folder = "/run/troupe";
constexpr const char* init_in_container = "/dev/troupe-init";
/// Where the device node of that index in the plan is made.
std::string staged_node(std::size_t index);

}  // namespace troupe::agent
