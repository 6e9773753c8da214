#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "actors/node/node.hpp"
#include "actors/runtime/logging.hpp"
#include "cmd/embedded/cluster_impl.hpp"
#include "cmd/embedded/options.hpp"
#include "cmd/embedded/policy_names.hpp"

namespace troupe::embedded {
namespace {

constexpr std::uint32_t nodes_max = 63;  ///< a history has a bit for each

/// This program's arguments as the system has them; empty where it does not say.
std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_of(" \t\"'*?$&|;<>()\\`") == std::string::npos;
  return plain ? word : "'" + word + "'";
}

std::optional<std::uint64_t> seed_of(const Options& options) {
  const char* wanted = std::getenv("TROUPE_SEED");
  if (!options.seed || wanted == nullptr) return options.seed;
  char* end = nullptr;
  const std::uint64_t seed = std::strtoull(wanted, &end, 10);
  if (end == wanted || *end != '\0')
    throw Failure(Failure::Kind::invalid, "TROUPE_SEED must be a number, not '" + std::string(wanted) + "'");
  return seed;
}

ClusterOptions inner_options(const Options& options) {
  ClusterOptions inner;
  inner.nodes = options.nodes;
  inner.cell = options.cell;
  inner.hosts = 0;
  for (const HostGroup& group : options.hosts) {
    inner.host_groups.push_back({group.name,
                                 group.count,
                                 {.cpu_milli = static_cast<std::int64_t>(group.cpus * 1'000 + 0.5),
                                  .memory_mb = group.memory_mb,
                                  .disk_mb = group.disk_mb,
                                  .network_mbps = group.network_mbps,
                                  .gpu = group.gpus},
                                 group.attributes});
  }
  for (const auto& [name, value] : options.settings) {
    const auto policy = set_policy(inner.policy, name, value);
    if (!policy.ok()) throw Failure(Failure::Kind::invalid, policy.error().message);
    if (policy.value()) continue;
    if (auto set = inner.settings.set(name, value, node_settings()); !set.ok())
      throw Failure(Failure::Kind::invalid, set.error().message);
  }
  return inner;
}

void check(const Options& options) {
  std::string wrong;
  if (options.nodes == 0 || options.nodes > nodes_max) wrong = "a cluster has 1 to 63 nodes";
  if (options.seed && options.driver == Driver::process)
    wrong = "a simulation cannot run processes: use Driver::sim, or no seed";
  if (options.seed && !options.folder.empty()) wrong = "a simulation has its disks in memory: no folder";
  for (const HostGroup& group : options.hosts)
    if (group.cpus <= 0 || group.memory_mb < 0 || group.disk_mb < 0 || group.network_mbps < 0 ||
        group.gpus < 0)
      wrong = "host group '" + group.name + "': resources are not negative, and there is some cpu";
  if (!wrong.empty()) throw Failure(Failure::Kind::invalid, wrong);
}

// The nodes' logs are for whoever debugs the cell; a test's output is its own.
void hush() {
  if (std::getenv("TROUPE_LOG") == nullptr) logging::set_least(logging::Level::silent);
}

}  // namespace

std::string repeat_text(const std::optional<std::uint64_t>& seed, const std::string& arguments) {
  const std::vector<std::string> words = own_command();
  std::string command = words.empty() ? "this program" : quoted(words.front());
  if (!arguments.empty()) command += " " + arguments;
  for (std::size_t n = 1; arguments.empty() && n < words.size(); ++n) command += " " + quoted(words[n]);
  if (!seed) return "(a real cluster: no seed; repeat: " + command + ")";
  const std::string number = std::to_string(*seed);
  return "(seed " + number + "; repeat: TROUPE_SEED=" + number + " " + command + ")";
}

Cluster::Impl::Impl(Options given) : options(std::move(given)) {
  hush();
  check(options);
  options.seed = seed_of(options);
  for (const HostGroup& group : options.hosts)
    for (std::uint32_t n = 0; n < group.count; ++n)
      host_names.emplace_back("host-" + std::to_string(host_names.size() + 1), group.name);
  const ClusterOptions inner = inner_options(options);
  if (options.seed) {
    world = make_sim_world(inner, {*options.seed, options.resets_ppm}, book);
  } else {
    auto made = make_real_world(
        inner, {options.folder, options.driver == Driver::sim ? "sim" : "process", options.shim}, book);
    if (!made.ok()) fail(Failure::Kind::broken, "the cluster does not start: " + made.error().message);
    world = std::move(made).value();
  }
  began = world->now();
}

void Cluster::Impl::fail(Failure::Kind kind, const std::string& what) const {
  throw Failure(kind, what + "\n" + repeat_text(options.seed, options.repeat_arguments));
}

std::uint32_t Cluster::Impl::node_number(std::uint32_t node) const {
  if (node == 0 || node > options.nodes)
    fail(Failure::Kind::invalid, "there is no node " + std::to_string(node));
  return node;
}

std::uint32_t Cluster::Impl::host_number(std::string_view name) const {
  const auto found = std::find_if(host_names.begin(), host_names.end(),
                                  [&](const auto& host) { return host.first == name; });
  if (found == host_names.end()) fail(Failure::Kind::invalid, "there is no host '" + std::string(name) + "'");
  return static_cast<std::uint32_t>(found - host_names.begin()) + 1;
}

void Cluster::Impl::strike(FaultOrder order) {
  const auto state = [&](bool is_up, bool must_be_up) {
    if (is_up != must_be_up)
      fail(Failure::Kind::invalid, "cannot " + fault_text(order) + ": it is " + (is_up ? "up" : "down"));
  };
  switch (order.kind) {
    case FaultKind::crash_node:
    case FaultKind::fail_writes:
    case FaultKind::fail_syncs:
    case FaultKind::freeze_node:
      state(world->is_up(node_number(order.node)), true);
      break;
    case FaultKind::restart_node:
      state(world->is_up(node_number(order.node)), false);
      break;
    case FaultKind::cut_link:
    case FaultKind::slow_link:
      node_number(order.node), node_number(order.to);
      break;
    case FaultKind::lose_disk:
    case FaultKind::thaw_node:
    case FaultKind::isolate_node:
    case FaultKind::leap_clock:
    case FaultKind::drift_clock:
      node_number(order.node);
      break;
    case FaultKind::crash_agent:
      state(world->agent_is_up(order.host), true);
      break;
    case FaultKind::restart_agent:
      state(world->agent_is_up(order.host), false);
      break;
    case FaultKind::freeze_agent:
    case FaultKind::slow_agent:
      state(world->agent_is_up(order.host), true);
      break;
    case FaultKind::kill_host:
    case FaultKind::isolate_host:
    case FaultKind::stray_agent:
    case FaultKind::fail_registry:
    case FaultKind::heal:
      break;
  }
  const Instant at = world->now();
  auto done = world->strike(order);
  if (!done.ok()) {
    const bool cannot = done.error().code == ErrorCode::invalid_argument;
    fail(cannot ? Failure::Kind::unsupported : Failure::Kind::broken,
         "cannot " + fault_text(order) + ": " + done.error().message);
  }
  book.add_line("fault", at, fault_text(order));
}

std::uint32_t Cluster::Impl::speaker(std::uint32_t wanted) const {
  for (std::uint32_t n = 1; wanted == 0 && n <= options.nodes; ++n)
    if (world->may_speak(n)) return n;
  return wanted;
}

WorldAnswer Cluster::Impl::call(std::uint32_t wanted, const WorldRequest& request) {
  const std::uint32_t node = speaker(wanted);
  if (node == 0) return {0, {}, "no node can speak for the cell"};
  return world->call(node_number(node), request);
}

Cluster::Cluster(Options options) : impl_(std::make_unique<Impl>(std::move(options))) { await_settled(); }
Cluster::~Cluster() = default;

bool Cluster::is_simulated() const { return impl_->world->is_simulated(); }
std::uint32_t Cluster::nodes() const { return impl_->options.nodes; }
std::vector<std::string> Cluster::hosts(std::string_view group) const {
  std::vector<std::string> names;
  for (const auto& [name, of] : impl_->host_names)
    if (group.empty() || of == group) names.push_back(name);
  return names;
}
std::uint32_t Cluster::leader() const { return impl_->world->leader(); }
bool Cluster::is_up(std::uint32_t node) const { return impl_->world->is_up(impl_->node_number(node)); }
bool Cluster::is_up(std::string_view host) const {
  return impl_->world->agent_is_up(impl_->host_number(host));
}
std::string Cluster::peer_address(std::uint32_t node) const {
  return impl_->world->peer_address(impl_->node_number(node));
}
Client Cluster::client(std::uint32_t node) { return {*this, node == 0 ? 0 : impl_->node_number(node)}; }

Time Cluster::now() const { return Time(milliseconds(impl_->world->now().ms)); }
void Cluster::run_for(milliseconds span) { impl_->world->run_for(span); }
bool Cluster::run_until(const std::function<bool()>& done, milliseconds at_most) {
  return impl_->world->run_until(done, at_most);
}
void Cluster::await_settled() {
  if (run_until([this] { return impl_->world->why_not_settled().empty(); }, impl_->options.patience)) return;
  impl_->fail(Failure::Kind::timeout,
              "the cluster is not settled: " + impl_->world->why_not_settled() + "\n" + timeline());
}

void Cluster::crash_node(std::uint32_t node) { impl_->strike({FaultKind::crash_node, node}); }
void Cluster::restart_node(std::uint32_t node) { impl_->strike({FaultKind::restart_node, node}); }
void Cluster::freeze_node(std::uint32_t node) { impl_->strike({FaultKind::freeze_node, node}); }
void Cluster::thaw_node(std::uint32_t node) { impl_->strike({FaultKind::thaw_node, node}); }
void Cluster::isolate_node(std::uint32_t node) { impl_->strike({FaultKind::isolate_node, node}); }
void Cluster::cut_link(std::uint32_t from, std::uint32_t to) {
  impl_->strike({FaultKind::cut_link, from, to});
}
void Cluster::lose_disk(std::uint32_t node) { impl_->strike({FaultKind::lose_disk, node}); }
void Cluster::fail_writes(std::uint32_t node) { impl_->strike({FaultKind::fail_writes, node}); }
void Cluster::fail_syncs(std::uint32_t node) { impl_->strike({FaultKind::fail_syncs, node}); }
void Cluster::leap_clock(std::uint32_t node, milliseconds by) {
  impl_->strike({FaultKind::leap_clock, node, 0, 0, by.count()});
}
void Cluster::drift_clock(std::uint32_t node, std::int64_t ppm) {
  impl_->strike({FaultKind::drift_clock, node, 0, 0, ppm});
}
void Cluster::crash_agent(std::string_view host) {
  impl_->strike({FaultKind::crash_agent, 0, 0, impl_->host_number(host)});
}
void Cluster::restart_agent(std::string_view host) {
  impl_->strike({FaultKind::restart_agent, 0, 0, impl_->host_number(host)});
}
void Cluster::kill_host(std::string_view host) {
  impl_->strike({FaultKind::kill_host, 0, 0, impl_->host_number(host)});
}
void Cluster::isolate_host(std::string_view host) {
  impl_->strike({FaultKind::isolate_host, 0, 0, impl_->host_number(host)});
}
void Cluster::freeze_agent(std::string_view host) {
  impl_->strike({FaultKind::freeze_agent, 0, 0, impl_->host_number(host)});
}
void Cluster::slow_agent(std::string_view host, milliseconds by) {
  impl_->strike({FaultKind::slow_agent, 0, 0, impl_->host_number(host), by.count()});
}
void Cluster::slow_link(std::uint32_t node, std::uint32_t other, milliseconds by) {
  impl_->strike({FaultKind::slow_link, node, other, 0, by.count()});
}
void Cluster::start_stray_agent() { impl_->strike({FaultKind::stray_agent}); }
void Cluster::fail_registry() { impl_->strike({FaultKind::fail_registry}); }
void Cluster::heal() { impl_->strike({FaultKind::heal}); }

std::vector<std::string> Cluster::violations() const { return impl_->world->violations(); }
std::uint64_t Cluster::history_hash() const {
  if (!is_simulated())
    impl_->fail(Failure::Kind::unsupported, "a real cluster's history is never the same twice");
  return impl_->world->history_hash();
}
std::optional<std::uint64_t> Cluster::seed() const { return impl_->options.seed; }
std::string Cluster::how_to_repeat() const {
  return repeat_text(impl_->options.seed, impl_->options.repeat_arguments);
}

}  // namespace troupe::embedded
