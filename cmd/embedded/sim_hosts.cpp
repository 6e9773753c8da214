#include "cmd/embedded/sim_hosts.hpp"

#include <algorithm>
#include <limits>

#include "actors/agent/agent_core.hpp"
#include "storage/base/check.hpp"
#include "storage/kv/memory_store.hpp"

namespace troupe::embedded {
namespace {

constexpr std::uint32_t stray_tasks = 2;
constexpr Moment never{std::numeric_limits<std::int64_t>::max()};
constexpr std::uint64_t stray_index = 1'000'000'000;  // Its own cell's log is far ahead of ours.

std::string name_of(std::uint32_t host) { return "host-" + std::to_string(host); }

agent::ContainerSpec stray_container(std::uint32_t number) {
  agent::ContainerSpec spec;
  spec.task.bytes.fill(static_cast<std::uint8_t>(number + 1));
  spec.job.bytes = spec.task.bytes;
  spec.argv = {"/bin/true"};
  spec.attributes = {{"troupe.sim", "run=forever"}};
  return spec;
}

/// What an agent's core wants of its journal and its driver; it has no link yet.
void perform_at_home(const agent::Effects& effects, KvStore& journal, agent::Driver& driver) {
  for (const agent::Effect& effect : effects) {
    if (const auto* write = std::get_if<agent::WriteJournal>(&effect)) {
      KvBatch batch;
      for (const agent::JournalChange& change : write->changes)
        if (change.value) batch.put(0, Bytes(change.key), Bytes(*change.value));
      TROUPE_CHECK(journal.write(batch, Durability::synced).ok());
    }
    if (const auto* launch = std::get_if<agent::LaunchTask>(&effect)) driver.launch(launch->spec);
  }
}

/// An earlier life of the agent, in another cell.
void live_elsewhere(agent::AgentConfig config, Instant wall, Moment now, KvStore& journal,
                    agent::SimDriver& driver) {
  agent::AgentCore core(std::move(config), Random(1));
  SessionId session;
  session.bytes.fill(7);
  agent::Launch launch{session, Index{stray_index}, {}};
  for (std::uint32_t n = 0; n < stray_tasks; ++n) launch.tasks.push_back(stray_container(n));
  driver.advance(now, wall);
  std::uint64_t dial = 0;
  for (const agent::Effect& effect : core.on(wall, now, agent::Adopted{}))
    if (const auto* wanted = std::get_if<agent::Dial>(&effect)) dial = wanted->dial;
  const auto hears = [&](agent::Event event) { perform_at_home(core.on(wall, now, event), journal, driver); };
  hears(agent::LinkUp{dial});
  hears(agent::NodeMessage{dial, agent::Welcome{"elsewhere", session, Index{stray_index}}});
  hears(agent::NodeMessage{dial, launch});
}

}  // namespace

/// Stands between a host's links and its agent: what arrives is a reason to have a turn.
class SimHosts::Doorbell final : public net::LinkListener {
 public:
  Doorbell(SimHosts& hosts, std::uint32_t number, net::LinkListener& agent)
      : hosts_(hosts), number_(number), agent_(agent) {}
  void on_link_up(const net::LinkKey& link) override {
    hosts_.wake(number_);
    agent_.on_link_up(link);
  }
  void on_link_down(const net::LinkKey& link, std::string_view why) override {
    hosts_.wake(number_);
    agent_.on_link_down(link, why);
  }
  void on_dial_failed(const net::LinkKey& link, net::DialFailure how, std::string_view why) override {
    hosts_.wake(number_);
    agent_.on_dial_failed(link, how, why);
  }
  void on_message(const net::LinkKey& link, Bytes message) override {
    hosts_.wake(number_);
    agent_.on_message(link, std::move(message));
  }

 private:
  SimHosts& hosts_;
  const std::uint32_t number_;
  net::LinkListener& agent_;
};

SimHosts::SimHosts(SimHostSeams seams) : seams_(std::move(seams)) {}

SimHosts::~SimHosts() {
  for (auto& [n, box] : hosts_) {
    box.agent.reset();
    if (box.actors) box.actors->await_end();
  }
}

net::PeerName SimHosts::peer(std::uint32_t host) { return "agent/" + name_of(host); }

agent::AgentConfig SimHosts::config_of(const HostOptions& host) const {
  agent::AgentConfig config;
  config.host = host.name;
  config.host_group = host.group;
  config.resources = host.resources;
  config.attributes = host.attributes;
  config.drivers = {"sim"};
  config.link.back_off_max = milliseconds(500);
  config.link.dial_max = milliseconds(1'000);
  config.link.greet_max = milliseconds(3'000);
  config.bootstrap = seams_.bootstrap();
  return config;
}

void SimHosts::make_machine(Host& box, const HostOptions& host) {
  if (!box.journal) box.journal = open_memory(agent::journal_tables());
  if (box.driver) return;
  box.driver = std::make_unique<agent::SimDriver>(host.name, host.group, registry_);
  box.witness =
      std::make_unique<WitnessDriver>(*box.driver, *seams_.checks, seams_.options->observer, host.name);
}

void SimHosts::start(std::uint32_t number) {
  HostOptions host = seams_.options->host(number);
  if (const auto size = sizes_.find(number); size != sizes_.end()) host.resources = size->second;
  start(number, host);
}

void SimHosts::start(std::uint32_t number, const HostOptions& host) {
  Host& box = hosts_[number];
  if (box.agent) return;
  make_machine(box, host);
  wake(number);
  box.actors = ActorHost::simulated();
  box.turns = SimTurns(*box.actors, seams_.clock->steady());
  agent::AgentConfig config = config_of(host);
  agent::AgentSeams seams;
  seams.clock = seams_.clock;
  seams.driver = box.witness.get();
  seams.sim = box.driver.get();
  seams.journal = box.journal.get();
  const net::PeerName self = "agent/" + config.host;
  seams.open_hub = [this, self, number](net::LinkListener& agent) -> Result<std::unique_ptr<net::LinkHub>> {
    Host& mine = hosts_.at(number);
    mine.bell = std::make_unique<Doorbell>(*this, number, agent);
    return seams_.open_hub(self, *mine.bell);
  };
  auto started = agent::Agent::start(*box.actors, std::move(config), std::move(seams), seams_.random->next());
  box.agent = std::move(started).value();
}

void SimHosts::start_stray() {
  const std::uint32_t number = seams_.options->hosts + 1;
  HostOptions host = seams_.options->host(number);
  host.name = "stray-1";
  if (hosts_.contains(number)) return start(number, host);
  Host& box = hosts_[number];
  make_machine(box, host);
  const Moment now = seams_.clock->steady();
  live_elsewhere(config_of(host), seams_.clock->wall(), now, *box.journal, *box.driver);
  start(number, host);
}

void SimHosts::crash(std::uint32_t number) {
  Host& box = hosts_[number];
  if (!box.agent) return;
  thaw(number);
  seams_.network->crash(peer(number));
  box.driver->agent_died();
  box.agent.reset();
  box.turns = {};
  box.actors->await_end();
  box.actors.reset();
}

void SimHosts::kill(std::uint32_t number) {
  crash(number);
  hosts_[number] = {};
  seams_.checks->machine_died(name_of(number));
}

void SimHosts::freeze(std::uint32_t number) {
  Host& box = hosts_[number];
  if (!box.agent || box.turns.is_frozen()) return;
  box.turns.freeze();
  seams_.network->mute(peer(number));
}

void SimHosts::thaw(std::uint32_t number) {
  Host& box = hosts_[number];
  if (!box.turns.is_frozen()) return;
  box.turns.thaw();
  wake(number);
  seams_.network->unmute(peer(number));
}

void SimHosts::slow_down(std::uint32_t number, milliseconds by) {
  Host& box = hosts_[number];
  if (!box.agent) return;
  box.turns.slow_down(by);
  wake(number);
}

void SimHosts::fail_registry() { registry_->is_down = true; }

void SimHosts::heal() {
  registry_->is_down = false;
  for (auto& [n, box] : hosts_) {
    thaw(n);
    slow_down(n, milliseconds(0));
  }
}

bool SimHosts::is_up(std::uint32_t number) const { return hosts_.at(number).agent != nullptr; }

bool SimHosts::runs(std::uint32_t number, const TaskId& task) const {
  const auto found = hosts_.find(number);
  return found != hosts_.end() && found->second.driver && found->second.driver->runs(task);
}

std::size_t SimHosts::kept(std::uint32_t number) const {
  const auto found = hosts_.find(number);
  return found == hosts_.end() || !found->second.driver ? 0 : found->second.driver->kept();
}

void SimHosts::wake(std::uint32_t number) {
  if (wakes_.size() <= number) wakes_.resize(number + 1, never);
  wakes_[number] = Moment{};
}

std::uint64_t SimHosts::take_turns(Moment now, std::uint64_t most) {
  std::uint64_t steps = 0;
  for (std::uint32_t number = 0; number < wakes_.size(); ++number) {
    if (wakes_[number] > now) continue;
    SimTurns& turns = hosts_.at(number).turns;
    steps += turns.take(now, most - std::min(most, steps));
    wakes_[number] = turns.next_due().value_or(never);
  }
  return steps;
}

std::optional<Moment> SimHosts::next_due() const {
  const auto next = std::min_element(wakes_.begin(), wakes_.end());
  return next == wakes_.end() || *next == never ? std::nullopt : std::optional(*next);
}

}  // namespace troupe::embedded
