#include "cmd/embedded/cluster.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

#include "storage/raft/ready.hpp"

namespace troupe::embedded {
namespace {

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

struct Cluster::Impl {
  RealOptions options;
  std::shared_ptr<net::IoThread> peer_io = std::make_shared<net::IoThread>();
  std::shared_ptr<http::IoThread> http_io = std::make_shared<http::IoThread>();
  std::map<NodeId, NodeAddress> addresses;
  std::map<std::uint32_t, std::unique_ptr<RealNode>> nodes;
  std::unique_ptr<ActorHost> agent_actors;
  std::map<std::uint32_t, std::unique_ptr<RealAgent>> agents;

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
    config.node.threads = options.nodes > 1 ? 1 : 2;
    config.data = options.data + "/node-" + std::to_string(n);
    config.peer_listen = addresses[NodeId{n}].peer;
    config.http_listen = addresses[NodeId{n}].http;
    config.io_thread = peer_io;
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

  Result<void> start_agent(std::uint32_t n) {
    RealAgentConfig config;
    config.agent.host = "host-" + std::to_string(n);
    config.agent.host_group = options.host_group;
    config.agent.resources = options.host_resources;
    config.agent.link.back_off_max = milliseconds(500);
    config.agent.link.dial_max = milliseconds(1'000);
    config.agent.link.greet_max = milliseconds(3'000);
    // Different hosts begin with different nodes.
    for (std::uint32_t k = 0; k < options.nodes; ++k) {
      const NodeId node{(n + k) % options.nodes + 1};
      config.agent.bootstrap.push_back(to_text(node) + "@" + addresses[node].peer);
    }
    config.cell = options.cell;
    config.driver = options.driver;
    if (options.driver != "sim") config.data = options.data + "/" + config.agent.host;
    config.shim_command = options.shim_command;
    config.io_thread = peer_io;
    config.on_failure = [this, host = config.agent.host](const std::string& why) {
      if (options.on_failure) options.on_failure(host, why);
    };
    auto started = RealAgent::start(*agent_actors, std::move(config));
    if (!started.ok()) return started.error();
    agents[n] = std::move(started).value();
    return {};
  }
};

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Cluster>> Cluster::start(RealOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  if (auto chosen = impl->choose_addresses(); !chosen.ok()) return chosen.error();
  for (std::uint32_t n = 1; n <= impl->options.nodes; ++n)
    if (auto started = impl->start_node(n); !started.ok()) return started.error();
  impl->agent_actors = ActorHost::with_threads(1);
  for (std::uint32_t n = 1; n <= impl->options.hosts; ++n)
    if (auto started = impl->start_agent(n); !started.ok()) return started.error();
  return std::unique_ptr<Cluster>(new Cluster(std::move(impl)));
}

Cluster::~Cluster() {
  impl_->agents.clear();
  if (impl_->agent_actors) impl_->agent_actors->await_end();
  for (auto& [n, node] : impl_->nodes)
    if (node) node->stop();
}

std::uint32_t Cluster::leader() const {
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

RealNode* Cluster::node(std::uint32_t number) const {
  const auto found = impl_->nodes.find(number);
  return found == impl_->nodes.end() ? nullptr : found->second.get();
}

std::uint16_t Cluster::http_port(std::uint32_t number) const {
  return parse_host_port(impl_->addresses.at(NodeId{number}).http).value().port;
}

void Cluster::stop_node(std::uint32_t number) { impl_->nodes.at(number).reset(); }

void Cluster::crash_node(std::uint32_t number) {
  impl_->nodes.at(number)->crash();
  impl_->nodes.at(number).reset();
}

Result<void> Cluster::restart_node(std::uint32_t number) { return impl_->start_node(number); }
void Cluster::cut_off_node(std::uint32_t number) { impl_->nodes.at(number)->cut_off(); }
void Cluster::heal_node(std::uint32_t number) { impl_->nodes.at(number)->heal(); }
void Cluster::crash_agent(std::uint32_t host) { impl_->agents.at(host)->crash(); }
void Cluster::fail_agent_writes(std::uint32_t host) { impl_->agents.at(host)->fail_writes(); }
Result<void> Cluster::restart_agent(std::uint32_t host) { return impl_->agents.at(host)->restart(); }

}  // namespace troupe::embedded
