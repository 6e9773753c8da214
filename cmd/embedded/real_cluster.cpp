#include "cmd/embedded/real_cluster.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "cmd/embedded/fault_seams.hpp"
#include "cmd/embedded/node_images.hpp"
#include "storage/raft/ready.hpp"

namespace troupe::embedded {
namespace {

/// So that containers of different hosts in one process share no user ids, up to 1,000 hosts.
constexpr std::uint32_t uid_ranges_per_host = 48;
constexpr std::uint32_t hosts_at_ease = 1'000;

bool can_listen(std::uint16_t port, std::uint16_t& bound) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return false;
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool taken = ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     ::listen(listener, 1) == 0 &&
                     ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  ::close(listener);
  bound = ntohs(address.sin_port);
  return taken;
}

}  // namespace

Result<std::uint16_t> free_port() {
  std::uint16_t port = 0;
  if (!can_listen(0, port)) return Error{ErrorCode::io, "no free TCP port on the loopback address"};
  return port;
}

struct RealCluster::Impl {
  RealOptions options;
  std::shared_ptr<net::IoThread> peer_io = std::make_shared<net::IoThread>();
  std::shared_ptr<http::IoThread> http_io = std::make_shared<http::IoThread>();
  std::map<NodeId, NodeAddress> addresses;
  std::map<std::uint32_t, std::unique_ptr<RealNode>> nodes;
  std::unique_ptr<ActorHost> agent_actors;
  std::map<std::uint32_t, std::unique_ptr<RealAgent>> agents;
  std::map<std::uint32_t, std::shared_ptr<NodeFaults>> node_faults;
  std::map<std::uint32_t, std::shared_ptr<Cuts>> host_cuts;
  std::shared_ptr<agent::SimRegistry> sim_registry = std::make_shared<agent::SimRegistry>();
  std::set<std::uint32_t> agents_down;
  std::shared_ptr<ImageResolver> images;  ///< of all nodes

  /// Folders of images go before the default registry, and nodes do not know what is in them.
  std::shared_ptr<ImageResolver> make_images() const {
    agent::RegistriesConfig registries = options.registries;
    if (!options.image_folders.empty()) registries.default_registry.clear();
    return make_image_resolver(registries, options.settings);
  }

  std::string folder_of(std::uint32_t node) const { return options.data + "/node-" + std::to_string(node); }

  /// Addresses survive a restart of the whole cluster on the same folder only by chance: nobody outside knows
  /// the peers'.
  Result<void> choose_addresses() {
    for (std::uint32_t n = 1; n <= options.nodes; ++n) {
      auto peer = free_port();
      if (!peer.ok()) return peer.error();
      const std::uint16_t wanted =
          options.http_port == 0 ? 0 : static_cast<std::uint16_t>(options.http_port + n - 1);
      std::uint16_t http = 0;
      if (!can_listen(wanted, http) && (n == 1 || !can_listen(0, http)))
        return Error{ErrorCode::io,
                     "port " + std::to_string(wanted) + " is taken; choose another with --http"};
      addresses[NodeId{n}] = {"127.0.0.1:" + std::to_string(peer.value()),
                              options.http_host + ":" + std::to_string(http)};
    }
    return {};
  }

  Result<void> start_node(std::uint32_t n) {
    RealNodeConfig config;
    config.node.self = NodeId{n};
    config.node.cell = options.cell;
    config.node.nodes = addresses;
    config.node.settings = options.settings;
    config.node.policy = options.policy;
    config.node.fault_point = options.fault_point;
    config.node.images = images;
    config.node.threads = options.nodes > 1 ? 1 : 2;
    config.data = folder_of(n);
    auto& faults = node_faults[n];
    if (!faults) faults = std::make_shared<NodeFaults>();
    config.faults = faults;
    config.peer_listen = addresses[NodeId{n}].peer;
    config.http_listen = addresses[NodeId{n}].http;
    config.io_thread = peer_io;
    config.link_patience = link_patience();
    config.http_thread = http_io;
    config.small_buffers = true;
    config.on_failure = [this, n](const std::string& why) {
      if (options.on_failure) options.on_failure("node " + std::to_string(n), why);
    };
    auto started = RealNode::start(std::move(config));
    if (!started.ok()) return started.error();
    nodes[n] = std::move(started).value();
    return {};
  }

  /// Thousands that share this machine dial at once: who gives up early only dials again.
  milliseconds link_patience() const {
    return milliseconds(options.hosts > hosts_at_ease ? options.hosts : 0);
  }

  Result<void> start_agent(std::uint32_t n) {
    RealAgentConfig config;
    const HostOptions host = options.host(n);
    config.agent.host = host.name;
    config.agent.host_group = host.group;
    config.agent.resources = host.resources;
    config.agent.attributes = host.attributes;
    config.link_patience = link_patience();
    config.agent.link.back_off_max = milliseconds(500) + link_patience();
    config.agent.link.dial_max = milliseconds(1'000) + link_patience();
    config.agent.link.greet_max = milliseconds(3'000) + link_patience();
    // Different hosts begin with different nodes.
    for (std::uint32_t k = 0; k < options.nodes; ++k) {
      const NodeId node{(n + k) % options.nodes + 1};
      config.agent.bootstrap.push_back(to_text(node) + "@" + addresses[node].peer);
    }
    config.cell = options.cell;
    config.driver = options.driver;
    if (options.driver != "sim") config.data = options.data + "/" + config.agent.host;
    config.shim_command = options.shim_command;
    config.image_folders = options.image_folders;
    config.registries = options.registries;
    config.uid_ranges = uid_ranges_per_host;
    config.uid_first += (n - 1) * uid_ranges_per_host * 65'536U;
    config.io_thread = peer_io;
    auto& cuts = host_cuts[n];
    if (!cuts) cuts = std::make_shared<Cuts>();
    config.cuts = cuts;
    config.sim_registry = sim_registry;
    config.on_failure = [this, host = config.agent.host](const std::string& why) {
      if (options.on_failure) options.on_failure(host, why);
    };
    auto started = RealAgent::start(*agent_actors, std::move(config));
    if (!started.ok()) return started.error();
    agents[n] = std::move(started).value();
    return {};
  }
};

RealCluster::RealCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<RealCluster>> RealCluster::start(RealOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  impl->images = impl->make_images();
  impl->options.count_hosts();
  if (auto chosen = impl->choose_addresses(); !chosen.ok()) return chosen.error();
  for (std::uint32_t n = 1; n <= impl->options.nodes; ++n)
    if (auto started = impl->start_node(n); !started.ok()) return started.error();
  impl->agent_actors = ActorHost::with_threads(1);
  for (std::uint32_t n = 1; n <= impl->options.hosts; ++n)
    if (auto started = impl->start_agent(n); !started.ok()) return started.error();
  return std::unique_ptr<RealCluster>(new RealCluster(std::move(impl)));
}

RealCluster::~RealCluster() {
  impl_->agents.clear();
  if (impl_->agent_actors) impl_->agent_actors->await_end();
  for (auto& [n, node] : impl_->nodes)
    if (node) node->stop();
}

std::uint32_t RealCluster::leader() const {
  std::uint32_t leader = 0;
  std::uint64_t term = 0;
  for (const auto& [n, node] : impl_->nodes) {
    if (!node) continue;
    const NodeStatus& status = node->node().status();
    if (status.role.load() == static_cast<std::uint8_t>(raft::Role::leader) && status.term.load() > term)
      leader = n, term = status.term.load();
  }
  return leader;
}

RealNode* RealCluster::node(std::uint32_t number) const {
  const auto found = impl_->nodes.find(number);
  return found == impl_->nodes.end() ? nullptr : found->second.get();
}

std::uint16_t RealCluster::http_port(std::uint32_t number) const {
  return parse_host_port(impl_->addresses.at(NodeId{number}).http).value().port;
}

std::string RealCluster::peer_address(std::uint32_t number) const {
  return impl_->addresses.at(NodeId{number}).peer;
}

void RealCluster::stop_node(std::uint32_t number) { impl_->nodes.at(number).reset(); }

void RealCluster::crash_node(std::uint32_t number) {
  impl_->nodes.at(number)->crash();
  impl_->nodes.at(number).reset();
}

Result<void> RealCluster::restart_node(std::uint32_t number) { return impl_->start_node(number); }

void RealCluster::lose_disk(std::uint32_t node) {
  if (impl_->nodes.at(node)) crash_node(node);
  std::error_code ignored;  // What is left of it fails the next start.
  std::filesystem::remove_all(impl_->folder_of(node), ignored);
}

void RealCluster::isolate_node(std::uint32_t node) { impl_->node_faults.at(node)->cuts.cut_all(); }
void RealCluster::cut(std::uint32_t from, std::uint32_t to) {
  impl_->node_faults.at(from)->cuts.cut_to(peer_name(NodeId{to}));
}
void RealCluster::fail_writes(std::uint32_t node) { impl_->nodes.at(node)->fail_writes(); }
void RealCluster::fail_syncs(std::uint32_t node) { impl_->nodes.at(node)->fail_syncs(); }
void RealCluster::leap_clock(std::uint32_t node, milliseconds by) {
  impl_->node_faults.at(node)->clock.leap(by);
}
void RealCluster::drift_clock(std::uint32_t node, std::int64_t ppm) {
  impl_->node_faults.at(node)->clock.drift(ppm);
}
void RealCluster::isolate_host(std::uint32_t host) { impl_->host_cuts.at(host)->cut_all(); }
Result<void> RealCluster::fail_registry() {
  if (impl_->options.driver != "sim")
    return Error{ErrorCode::invalid_argument,
                 "the hosts of driver '" + impl_->options.driver + "' have no registry of this cluster's"};
  impl_->sim_registry->is_down = true;
  return {};
}
void RealCluster::heal() {
  impl_->sim_registry->is_down = false;
  for (auto& [n, faults] : impl_->node_faults) {
    faults->cuts.heal();
    faults->clock.set_right();
  }
  for (auto& [n, cuts] : impl_->host_cuts) cuts->heal();
}

bool RealCluster::agent_is_up(std::uint32_t host) const {
  return impl_->agents.contains(host) && !impl_->agents_down.contains(host);
}
void RealCluster::crash_agent(std::uint32_t host) {
  impl_->agents.at(host)->crash();
  impl_->agents_down.insert(host);
}
Result<void> RealCluster::restart_agent(std::uint32_t host) {
  auto started = impl_->agents.at(host)->restart();
  if (started.ok()) impl_->agents_down.erase(host);
  return started;
}
Result<void> RealCluster::kill_host(std::uint32_t host) {
  auto killed = impl_->agents.at(host)->kill_host();
  if (killed.ok()) impl_->agents_down.insert(host);
  return killed;
}
void RealCluster::fail_agent_writes(std::uint32_t host) { impl_->agents.at(host)->fail_writes(); }

}  // namespace troupe::embedded
