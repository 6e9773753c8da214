#pragma once
// The hosts of a SimCluster: agents, their containers, and what befalls them.

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "actors/agent/agent.hpp"
#include "actors/agent/sim_driver.hpp"
#include "cmd/embedded/sim_checks.hpp"
#include "cmd/embedded/sim_parts.hpp"
#include "cmd/embedded/sim_turns.hpp"
#include "net/link/sim_network.hpp"

namespace troupe::embedded {

/// What the hosts stand on; all outlives them.
struct SimHostSeams {
  const SimOptions* options = nullptr;
  const SimClock* clock = nullptr;
  net::SimNetwork* network = nullptr;
  SimChecks* checks = nullptr;
  Random* random = nullptr;
  std::function<std::vector<std::string>()> bootstrap;  ///< of an agent that starts now
  std::function<std::unique_ptr<net::LinkHub>(const net::PeerName& self, net::LinkListener&)> open_hub;
};

/// Numbered from 1; the one behind them all may be a machine of another cell. One thread.
class SimHosts {
 public:
  explicit SimHosts(SimHostSeams seams);
  ~SimHosts();
  SimHosts(const SimHosts&) = delete;
  SimHosts& operator=(const SimHosts&) = delete;

  static net::PeerName peer(std::uint32_t host);

  void start(std::uint32_t host);   ///< nothing if it runs
  void crash(std::uint32_t host);   ///< its containers run on
  void kill(std::uint32_t host);    ///< with its containers and its journal
  void freeze(std::uint32_t host);  ///< its containers run on, its links fall silent
  void thaw(std::uint32_t host);
  void slow_down(std::uint32_t host, milliseconds by);  ///< its agent has a turn only so often; 0: at once
  /// What its next start says that tasks may use.
  void resize(std::uint32_t host, const Resources& resources) { sizes_[host] = resources; }
  /// An agent that belongs to another cell, with containers of that cell, dials this one.
  void start_stray();
  void fail_registry();
  void heal();  ///< thaws, none is slow, and the registry answers

  bool is_up(std::uint32_t host) const;
  bool runs(std::uint32_t host, const TaskId& task) const;  ///< as its driver has it
  std::size_t kept(std::uint32_t host) const;               ///< containers that run, or whose end waits
  std::uint64_t take_turns(Moment now, std::uint64_t most);
  std::optional<Moment> next_due() const;

 private:
  class Doorbell;
  struct Host {
    std::unique_ptr<ActorHost> actors;
    SimTurns turns;
    std::unique_ptr<agent::SimDriver> driver;
    std::unique_ptr<WitnessDriver> witness;
    std::unique_ptr<KvStore> journal;
    std::unique_ptr<Doorbell> bell;
    std::unique_ptr<agent::Agent> agent;
  };
  agent::AgentConfig config_of(const HostOptions& host) const;
  void start(std::uint32_t number, const HostOptions& host);
  void make_machine(Host& box, const HostOptions& host);
  /// Something has befallen it, or reached it: it may have a use for a turn.
  void wake(std::uint32_t number);

  SimHostSeams seams_;
  const std::shared_ptr<agent::SimRegistry> registry_ = std::make_shared<agent::SimRegistry>();
  std::map<std::uint32_t, Host> hosts_;
  std::map<std::uint32_t, Resources> sizes_;
  std::vector<Moment> wakes_;  ///< by number: no turn is of use before; looked through at each instant
};

}  // namespace troupe::embedded
