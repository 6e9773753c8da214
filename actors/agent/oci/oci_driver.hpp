#pragma once
// Containers from OCI images, run by crun.

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/agent/images/image_store.hpp"
#include "actors/agent/images/registry_source.hpp"
#include "actors/agent/oci/cgroup_plan.hpp"
#include "actors/agent/oci/container_usage.hpp"
#include "actors/agent/oci/devices.hpp"
#include "actors/agent/oci/disk_quota.hpp"
#include "actors/agent/oci/ready_parts.hpp"
#include "actors/agent/oci/uid_ranges.hpp"
#include "actors/agent/process_driver.hpp"

namespace troupe::agent {

struct OciDriverConfig {
  ProcessDriverConfig tasks;  ///< its folder, its shims; a static troupe-shim
  ImageStoreConfig images;
  std::vector<std::string> image_folders;  ///< OCI image layouts, see LayoutSource
  RegistrySourceConfig registries;         ///< its folder: empty: `parts` in that of the images
  std::string runtime = "/usr/bin/crun";
  std::string cgroup_parent;           ///< one path component; empty: made of the folder's name
  std::uint32_t uid_first = 1U << 28;  ///< of uid_ranges ranges, one container each
  std::uint32_t uid_ranges = 4'096;
  std::int64_t pids_max = 4'096;      ///< in one container, its first process included
  std::size_t preparing_threads = 2;  ///< images are fetched and containers prepared on these
  DiskQuota disk_quota = DiskQuota::automatic;
  std::string make_disk = "/sbin/mkfs.ext4";
  std::string disks_folder;              ///< empty: `disks` beside the images
  std::vector<std::string> cdi_folders;  ///< of the devices that tasks may have to themselves
  std::string gpu_kind;                  ///< vendor.com/class of the GPUs among them; empty: none are
  bool allow_host_network = false;       ///< to jobs that ask for it
  milliseconds usage_every{10'000};      ///< host and containers are looked at, these held to their disk
  ProbeLimits probes;
  std::string metrics_file;  ///< rewritten at each look, Prometheus' text format; empty: none
};

/// What a host says of itself because of its driver.
struct DriverOffers {
  std::vector<std::string> drivers;
  std::map<std::string, std::string> attributes;
  std::int64_t gpus = 0;
};

/// The driver `oci`: the process driver's shims, logs and survival, around containers. A task gets its
/// image's layers, a range of user ids, control groups and a bundle, prepared on a thread of its own; the
/// shim does the rest (oci/container_start.hpp). What a crash leaves is found by adopt(): tasks as in the
/// process driver, control groups without a task ended and removed. Mounts need no sweep: each lives in its
/// container's own namespace and goes with it.
class OciDriver final : public Driver {
 public:
  /// What this machine lacks to run containers safely, for people; empty: nothing. Looks only.
  static std::vector<std::string> lacks(const OciDriverConfig& config);

  /// Errors: io, invalid_argument (the machine cannot run containers: why).
  static Result<std::unique_ptr<OciDriver>> open(OciDriverConfig config);
  ~OciDriver() override;
  std::string name() const override { return "oci"; }
  DriverOffers offers() const;
  std::vector<std::string> watch_health(HealthListener listener) override;
  std::vector<TaskId> adopt(Listener listener) override;
  void launch(const ContainerSpec& spec) override;
  void stop(const TaskId& task, milliseconds grace) override;
  void discard(const TaskId& task) override { tasks_.discard(task); }
  Result<LogChunk> read_log(const TaskId& task, LogStream stream, std::uint64_t offset,
                            std::size_t bytes_max) override {
    return tasks_.read_log(task, stream, offset, bytes_max);
  }

 private:
  struct Preparing {
    ContainerSpec spec;
    std::optional<milliseconds> stop_with;  ///< asked for meanwhile
  };
  struct Running {
    JobId job;
    ContainerPlan plan;
  };
  OciDriver(OciDriverConfig config, CgroupLayout layout, std::vector<Device> devices);
  Result<void> choose_quota();
  void work();
  void watch();
  std::vector<std::string> look(milliseconds waited);
  void prepare_and_launch(const ContainerSpec& spec);
  Result<ShimFds> prepare(const ContainerSpec& spec, const TaskFolder& folder);
  Result<ContainerPlan> plan_of(const ContainerSpec& spec, const ReadyImage& image, std::uint32_t user);
  /// Not open: the container's start mounts it.
  Result<Fd> give_disk(const ContainerSpec& spec, const TaskFolder& folder, ContainerPlan& plan);
  Result<DeviceEdits> give_devices(const ContainerSpec& spec, ContainerPlan& plan);
  Result<void> still_wanted(const TaskId& task);
  void adopt_leases();
  void sweep_cgroups(const std::vector<TaskId>& known);
  std::size_t end_orphans(const TaskId& task) const;
  void settle(const TaskId& task);

  OciDriverConfig config_;
  CgroupLayout layout_;
  SystemClock clock_;
  LayoutSource layouts_;
  RegistrySource registries_;
  FirstSource source_;
  ImageStore images_;
  EmptyDisks disks_;
  DiskQuota quota_ = DiskQuota::unenforced;  ///< as found
  std::optional<ReadyParts> ready_;          ///< once `quota_` is known
  Listener listener_;
  HealthListener health_listener_;
  HostFitness fitness_;  ///< of watch_health()'s thread, then of the watching one

  std::mutex mutex_;  ///< of all below; never held while an image is fetched
  std::condition_variable changed_;
  std::deque<TaskId> waiting_;
  std::map<TaskId, Preparing> preparing_;
  std::map<TaskId, std::vector<std::string>> leases_;
  std::map<TaskId, Running> running_;  ///< from their plan to their end
  UidRanges uids_;
  DeviceBook devices_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
  ProcessDriver tasks_;  ///< last: its watcher still asks the others while it ends
};

}  // namespace troupe::agent
