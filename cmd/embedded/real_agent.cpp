#include "cmd/embedded/real_agent.hpp"

#include <filesystem>

#include "actors/agent/oci/oci_driver.hpp"
#include "actors/agent/process_driver.hpp"
#include "actors/agent/sim_driver.hpp"
#include "cmd/embedded/fault_seams.hpp"
#include "storage/base/random.hpp"
#include "storage/kv/memory_store.hpp"
#include "storage/kv/rocks_store.hpp"

namespace troupe::embedded {
namespace {

class RunningAgent final : public RealAgent {
 public:
  RunningAgent(ActorHost& actors, RealAgentConfig config) : actors_(actors), config_(std::move(config)) {
    if (!config_.cuts) config_.cuts = std::make_shared<Cuts>();
  }
  ~RunningAgent() override { crash(); }

  Result<void> start() {
    if (config_.driver != "process" && config_.driver != "oci" && config_.driver != "sim")
      return Error{ErrorCode::invalid_argument,
                   "unknown driver '" + config_.driver + "'; there are oci, process and sim"};
    config_.agent.drivers = {config_.driver};
    return restart();
  }

  void crash() override {
    agent_.reset();
    if (sim_) sim_->agent_died();
    real_.reset();
    if (!config_.data.empty()) journal_.reset();
  }

  void fail_writes() override { journal_->fail_writes(); }

  Result<void> kill_host() override {
    if (config_.driver != "sim")
      return Error{ErrorCode::invalid_argument,
                   "the tasks of driver '" + config_.driver + "' are processes of this machine and live on"};
    crash();
    sim_.reset();
    journal_.reset();
    std::error_code ignored;
    if (!config_.data.empty()) std::filesystem::remove_all(config_.data, ignored);
    return {};
  }

  Result<void> restart() override {
    if (auto ready = open_journal(); !ready.ok()) return ready;
    agent::AgentSeams seams;
    seams.clock = &clock_;
    seams.journal = journal_.get();
    seams.on_failure = config_.on_failure;
    if (config_.driver == "sim") {
      if (!sim_)
        sim_ = std::make_unique<agent::SimDriver>(config_.agent.host, config_.agent.host_group,
                                                  config_.sim_registry);
      seams.driver = seams.sim = sim_.get();
    } else {
      if (auto opened = open_driver(); !opened.ok()) return opened;
      seams.driver = real_.get();
    }
    Random random = Random::from_system();
    seams.open_hub =
        [this, seed = random.next()](net::LinkListener& listener) -> Result<std::unique_ptr<net::LinkHub>> {
      net::HubConfig hub;
      hub.self = "agent/" + config_.agent.host;
      hub.cell = config_.cell;
      hub.io_thread = config_.io_thread;
      hub.seed = seed;
      hub.backoff_max = milliseconds(500);
      hub.wait_longer(config_.link_patience);
      const CuttableHub::Open open =
          [hub](net::LinkListener& inner) -> Result<std::unique_ptr<net::LinkHub>> {
        auto opened = net::open_hub(hub, inner);
        if (!opened.ok()) return opened.error();
        return std::unique_ptr<net::LinkHub>(std::move(opened).value());
      };
      return CuttableHub::open(open, listener, config_.cuts, CutLinks::end);
    };
    auto agent = agent::Agent::start(actors_, config_.agent, std::move(seams), random.next());
    if (!agent.ok()) return agent.error();
    agent_ = std::move(agent).value();
    return {};
  }

 private:
  Result<void> open_driver() {
    agent::ProcessDriverConfig tasks;
    tasks.root = config_.data + "/tasks";
    tasks.shim_command = config_.shim_command.empty() ? agent::default_shim_command() : config_.shim_command;
    if (config_.driver == "process") {
      real_ = std::make_unique<agent::ProcessDriver>(tasks);
      return {};
    }
    agent::OciDriverConfig oci;
    oci.images.folder = config_.data + "/images";
    oci.images.helper = std::filesystem::path(tasks.shim_command.front()).replace_filename("troupe-unpack");
    oci.tasks = std::move(tasks);
    oci.image_folders = config_.image_folders;
    oci.registries.registries = config_.registries;
    oci.uid_first = config_.uid_first;
    oci.uid_ranges = config_.uid_ranges;
    oci.images.limits = config_.layer_limits;
    oci.pids_max = config_.pids_max;
    oci.disk_quota = config_.disk_quota;
    oci.cdi_folders = config_.cdi_folders;
    oci.gpu_kind = config_.gpu_kind;
    oci.allow_host_network = config_.allow_host_network;
    oci.usage_every = config_.usage_every;
    oci.probes = config_.probes;
    oci.metrics_file = config_.data + "/metrics.prom";
    auto opened = agent::OciDriver::open(std::move(oci));
    if (!opened.ok()) return opened.error();
    if (auto told = take_offers(opened.value()->offers()); !told.ok()) return told;
    real_ = std::move(opened).value();
    return {};
  }

  /// The host's own words go before the driver's, but for what it can give.
  Result<void> take_offers(const agent::DriverOffers& offers) {
    config_.agent.drivers = offers.drivers;
    for (const auto& [name, value] : offers.attributes) config_.agent.attributes[name] = value;
    std::int64_t& gpus = config_.agent.resources.gpu;
    if (gpus > offers.gpus)
      return Error{ErrorCode::invalid_argument, "the host is to have " + std::to_string(gpus) +
                                                    " gpus, but its CDI "
                                                    "files list " +
                                                    std::to_string(offers.gpus) + " of the kind '" +
                                                    config_.gpu_kind + "'"};
    if (gpus == 0) gpus = offers.gpus;
    return {};
  }

  Result<void> open_journal() {
    if (journal_) return {};
    if (config_.driver == "sim" && config_.data.empty()) {
      journal_ = std::make_unique<FaultyStore>(open_memory(agent::journal_tables()));
      return {};
    }
    std::error_code failed;
    std::filesystem::create_directories(config_.data, failed);
    if (failed)
      return Error{ErrorCode::io, "cannot make the folder " + config_.data + ": " + failed.message()};
    RocksConfig rocks;
    rocks.path = config_.data + "/journal";
    rocks.role = RocksConfig::Role::journal;
    rocks.tables = agent::journal_tables();
    auto store = open_rocks(rocks);
    if (!store.ok()) return store.error();
    journal_ = std::make_unique<FaultyStore>(std::move(store).value());
    return {};
  }

  ActorHost& actors_;
  RealAgentConfig config_;
  SystemClock clock_;
  std::unique_ptr<FaultyStore> journal_;
  std::unique_ptr<agent::SimDriver> sim_;
  std::unique_ptr<agent::Driver> real_;  ///< of `process`, `oci`
  std::unique_ptr<agent::Agent> agent_;
};

}  // namespace

Result<std::unique_ptr<RealAgent>> RealAgent::start(ActorHost& actors, RealAgentConfig config) {
  auto agent = std::make_unique<RunningAgent>(actors, std::move(config));
  if (auto started = agent->start(); !started.ok()) return started.error();
  return std::unique_ptr<RealAgent>(std::move(agent));
}

}  // namespace troupe::embedded
