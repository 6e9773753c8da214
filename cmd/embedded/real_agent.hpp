#pragma once
// One host's agent on real sockets, disk and driver: what `troupe agent` runs, and an embedded cluster
// several of.

#include <functional>
#include <memory>
#include <string>

#include "actors/agent/agent.hpp"
#include "actors/agent/host_probes.hpp"
#include "actors/agent/images/layer_check.hpp"
#include "actors/agent/images/registry_reference.hpp"
#include "actors/agent/oci/disk_quota.hpp"
#include "actors/agent/sim_driver.hpp"
#include "net/link/web_socket_hub.hpp"

namespace troupe::embedded {

class Cuts;

struct RealAgentConfig {
  agent::AgentConfig agent;        ///< bootstrap: "NODE@host:port"
  std::string cell;                ///< of the links; the agent's own memory of its cell is in its journal
  std::string driver = "process";  ///< or "oci", "sim"
  std::string data;                ///< its own folder; empty with `sim`: all in memory
  std::vector<std::string> shim_command;   ///< of `process`, `oci`; empty: agent::default_shim_command()
  std::vector<std::string> image_folders;  ///< of `oci`: OCI image layouts (agent::LayoutSource)
  agent::RegistriesConfig registries;      ///< of `oci`: for images that no folder has
  std::uint32_t uid_first = 1U << 28;      ///< of `oci`: user ids of its containers ...
  std::uint32_t uid_ranges = 4'096;        ///< ... as many ranges of 65,536
  agent::LayerLimits layer_limits;         ///< of `oci`: what one layer of an image may be
  std::int64_t pids_max = 4'096;           ///< of `oci`: processes and threads in one container
  agent::DiskQuota disk_quota = agent::DiskQuota::automatic;  ///< of `oci`
  std::vector<std::string> cdi_folders;  ///< of `oci`: devices that tasks may have to themselves
  std::string gpu_kind;                  ///< of `oci`: vendor.com/class of the GPUs among them
  bool allow_host_network = false;       ///< of `oci`: to jobs that ask for it
  milliseconds usage_every{10'000};      ///< of `oci`: host and containers are looked at
  agent::ProbeLimits probes;             ///< of `oci`: below or above these it offers itself for nothing new
  std::shared_ptr<net::IoThread> io_thread;  ///< empty: its own
  milliseconds link_patience{0};             ///< more than usual, for thousands of links that share a machine
  std::shared_ptr<const agent::SimRegistry> sim_registry;  ///< of `sim`; empty: one that never fails
  std::shared_ptr<Cuts> cuts;                              ///< for tests, of its links; empty: none
  std::function<void(const std::string& why)> on_failure;  ///< called once, from any thread
};

class RealAgent {
 public:
  /// `actors` may be shared by many. Errors: io, corrupt, invalid_argument (a driver
  /// that is unknown, or that this machine cannot offer: why).
  static Result<std::unique_ptr<RealAgent>> start(ActorHost& actors, RealAgentConfig config);
  /// Ends the agent; containers run on, but those of `sim` die with it.
  virtual ~RealAgent() = default;
  /// The agent process dies: its containers run on. restart() begins its next life.
  virtual void crash() = 0;
  virtual Result<void> restart() = 0;
  /// The machine is gone with its containers and its journal; restart() is a new machine of that name.
  /// Error: invalid_argument: containers that are processes of this machine outlive their agent.
  virtual Result<void> kill_host() = 0;
  virtual void fail_writes() = 0;  ///< of its journal's disk, until it is restarted
};

}  // namespace troupe::embedded
