#include "cmd/embedded/sim_cluster.hpp"

#include <map>
#include <stdexcept>

#include "actors/node/node.hpp"
#include "cmd/embedded/settled.hpp"
#include "cmd/embedded/sim_checks.hpp"
#include "cmd/embedded/sim_hosts.hpp"
#include "cmd/embedded/sim_parts.hpp"
#include "net/link/sim_network.hpp"
#include "storage/kv/memory_store.hpp"
#include "storage/raft/ready.hpp"
#include "storage/snapshot/self_repair.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_hash.hpp"

namespace troupe::embedded {
namespace {

constexpr std::uint64_t steps_at_once_max = 2'000'000;  // Of one instant; the busiest takes some thousands.
constexpr milliseconds requests_patience{20'000};       // Longer than the nodes' own.
constexpr milliseconds epoch_of_simulations{1'700'000'000'000};  // Any fixed wall time will do.

std::string node_peer_address(std::uint32_t node) { return "sim:" + std::to_string(node); }

}  // namespace

struct SimCluster::Impl {
  struct SimNode {
    explicit SimNode(const SimClock& base) : clock(base) {}
    SimNodeClock clock;
    std::uint64_t lives = 0;
    bool joins = false;
    std::optional<std::uint32_t> level_known;  ///< of another build than the cell began with
    bool snapshot_arrived = false;
    std::uint64_t installed = 0;
    std::uint64_t repairs = 0;
    std::optional<NodeFolder> folder;
    std::unique_ptr<KvStore> log, state;
    std::shared_ptr<SimWriter*> writer = std::make_shared<SimWriter*>(nullptr);
    std::unique_ptr<Node> node;
    std::string failure;
    SimTurns turns;
    bool is_retired = false;
  };
  explicit Impl(SimOptions given)
      : options(std::move(given)),
        random(options.seed),
        clock(epoch_of_simulations),
        network(network_config(options), clock),
        hosts(host_seams()) {
    options.count_hosts();
    for (std::uint32_t n = 1; n <= options.nodes; ++n)
      addresses[NodeId{n}] = {node_peer_address(n), "sim-http:" + std::to_string(n)};
    for (std::uint32_t n = 1; n <= options.nodes; ++n) start_node(n);
    for (std::uint32_t n = 1; n <= options.hosts; ++n) hosts.start(n);
  }

  static net::SimNetworkConfig network_config(const SimOptions& options) {
    net::SimNetworkConfig config;
    config.seed = options.seed * 31 + 7;
    config.backoff_max = milliseconds(200);
    config.resets = options.resets;
    config.drops = options.drops;
    return config;
  }

  SimHostSeams host_seams() {
    SimHostSeams seams{&options, &clock, &network, &checks, &random, {}, {}};
    seams.bootstrap = [this] {
      std::vector<std::string> known;
      for (const auto& [id, address] : addresses) known.push_back(to_text(id) + "@" + address.peer);
      return known;
    };
    seams.open_hub = [this](const net::PeerName& self, net::LinkListener& listener) {
      return tapped_hub(self, listener, "");
    };
    return seams;
  }

  std::unique_ptr<net::LinkHub> tapped_hub(const net::PeerName& self, net::LinkListener& listener,
                                           const std::string& address) {
    if (!options.heard) return network.make_hub(self, listener, address);
    auto tapped = std::make_unique<TappedListener>(listener, self, options.heard);
    auto hub = network.make_hub(self, *tapped, address);
    return std::make_unique<TappedHub>(std::move(tapped), std::move(hub));
  }

  static std::string folder_of(std::uint32_t node) { return "node-" + std::to_string(node); }
  std::string path(std::uint32_t node, const char* what) const {
    if (std::string_view(what) == "state") return nodes.at(node).folder->state_path();
    return nodes.at(node).folder->log_path();
  }

  /// Errors: io, corrupt; the node cannot start.
  static Result<void> open_stores(SimNode& box, SimDisk& disk) {
    if (auto cleaned = box.folder->remove_leftovers(); !cleaned.ok()) return cleaned;
    auto log = disk.open(box.folder->log_path(), LogStore::tables());
    if (!log.ok()) return log.error();
    auto state = disk.open(box.folder->state_path(), keys::table_names());
    if (!state.ok()) return state.error();
    box.log = std::move(log).value();
    box.state = std::move(state).value();
    return {};
  }

  /// Errors: io; precondition_failed: it cannot mend what is damaged.
  Result<void> open_folder(std::uint32_t n) {
    SimNode& box = nodes.at(n);
    box.log.reset();  // Of a life that did not get further.
    box.state.reset();
    SimDisk& disk = disks[n];
    auto folder = NodeFolder::open(disk.files(), folder_of(n));
    if (!folder.ok()) return folder.error();
    box.folder = std::move(folder).value();
    if (auto resumed = resume_repair(*box.folder, repair_seams(disk)); !resumed.ok()) return resumed;
    const auto fault = box.folder->fault();
    if (!fault.ok()) return fault.error();
    return fault.value() ? repair(n, *fault.value()) : Result<void>();
  }

  static RepairSeams repair_seams(SimDisk& disk) {
    return {[&disk](const std::string& path) { return disk.open(path, LogStore::tables()); },
            [&disk](const std::string& path) { return disk.open(path, keys::table_names()); }};
  }

  Result<void> repair(std::uint32_t n, const std::string& why) {
    SimNode& box = nodes.at(n);
    box.log.reset();
    box.state.reset();
    const auto repaired = repair_folder(*box.folder, why, repair_seams(disks[n]));
    if (!repaired.ok()) return Error{repaired.error().code, why + "; " + repaired.error().message};
    ++box.repairs;
    return {};
  }

  /// As whoever runs a node does: what is damaged is set aside, and the node goes on without it.
  void start_node(std::uint32_t n) {
    SimNode& box = nodes.try_emplace(n, clock).first->second;
    box.failure.clear();
    checks.restarted(n);
    auto started = open_folder(n);
    if (started.ok()) started = open_node(n);
    if (!started.ok() && started.error().code == ErrorCode::corrupt && box.folder) {
      started = repair(n, started.error().message);
      if (started.ok()) started = open_node(n);
    }
    if (!started.ok()) box.failure = started.error().message;
  }

  Result<void> open_node(std::uint32_t n) {
    SimNode& box = nodes.at(n);
    SimDisk& disk = disks[n];
    if (auto opened = open_stores(box, disk); !opened.ok()) return opened;
    NodeConfig config;
    config.self = NodeId{n};
    config.cell = options.cell;
    config.joins = box.joins;
    for (const auto& [id, address] : addresses)
      if (box.joins || id.value <= options.nodes) config.nodes.emplace(id, address);
    config.settings = options.settings;
    config.policy = options.policy;
    config.seed = random.next();
    config.life = ++box.lives;
    config.threads = 0;
    if (options.shuffles_turns) config.turns_seed = config.seed | 1;
    config.fault_point = options.fault_point;
    NodeSeams seams;
    seams.clock = &box.clock;
    seams.log = box.log.get();
    seams.state = box.state.get();
    seams.folder = &*box.folder;
    seams.state_options.level_known = box.level_known.value_or(options.level_known);
    if (options.observer != nullptr) seams.state_options.observer = options.observer->node_starts(n);
    seams.look = [&disk](const std::string& folder) { return disk.open_copy(folder, keys::table_names()); };
    seams.on_snapshot = [&box] { box.snapshot_arrived = true; };
    seams.open_hub = [this, n](net::LinkListener& listener) -> Result<std::unique_ptr<net::LinkHub>> {
      return tapped_hub(peer_name(NodeId{n}), listener, node_peer_address(n));
    };
    const std::uint64_t writer_seed = random.next();
    seams.make_log_writer = [this, writer_seed, slot = box.writer](LogStore& log, LogWriter::Done done) {
      auto writer = std::make_unique<SimWriter>(log, std::move(done), clock, Random(writer_seed),
                                                options.sync_min, options.sync_max);
      *slot = writer.get();
      writer->on_gone = [slot] { *slot = nullptr; };
      return writer;
    };
    seams.on_failure = [&box](const std::string& why) { box.failure = why; };
    seams.note_fault = [&box](const std::string& why) { (void)box.folder->note_fault(why); };
    auto started = Node::start(std::move(config), std::move(seams));
    if (!started.ok()) return started.error();
    box.node = std::move(started).value();
    box.turns = SimTurns(box.node->actors(), clock.steady());
    return {};
  }

  void crash_node(std::uint32_t n) {
    SimNode& box = nodes.at(n);
    thaw_node(n);
    network.crash(peer_name(NodeId{n}));
    box.turns = {};
    box.node.reset();
    for (const std::string& store : {box.folder->log_path(), box.folder->state_path()})
      disks[n].crash(store, random);
    disks[n].crash_files(random);
    box.snapshot_arrived = false;
    box.log.reset();
    box.state.reset();
  }

  /// What whoever runs a node does when it asks for it.
  void install_snapshot(std::uint32_t n) {
    SimNode& box = nodes.at(n);
    box.snapshot_arrived = false;
    network.crash(peer_name(NodeId{n}));
    box.turns = {};
    box.node.reset();
    box.log.reset();
    box.state.reset();
    TROUPE_CHECK(box.folder->switch_to_incoming().ok());
    ++box.installed;
    start_node(n);
  }

  void lose_disk(std::uint32_t n) {
    if (nodes.at(n).node) crash_node(n);
    disks.erase(n);
  }

  void join_node(std::uint32_t n) {
    addresses[NodeId{n}] = {node_peer_address(n), "sim-http:" + std::to_string(n)};
    nodes.try_emplace(n, clock).first->second.joins = true;
    start_node(n);
  }

  /// Not stepped, and silent for the others; what is sent to it waits in its mailboxes, as in a kernel's
  /// buffers.
  void freeze_node(std::uint32_t n) {
    SimNode& box = nodes.at(n);
    if (!box.node || box.turns.is_frozen()) return;
    box.turns.freeze();
    network.mute(peer_name(NodeId{n}));
  }
  void thaw_node(std::uint32_t n) {
    SimNode& box = nodes.at(n);
    if (!box.turns.is_frozen()) return;
    box.turns.thaw();
    network.unmute(peer_name(NodeId{n}));
  }

  static bool moves(const SimNode& box) { return box.node && !box.turns.is_frozen(); }

  /// Looked at when nobody has anything to do. A node that could not go on may have half an entry in memory.
  void check() {
    for (auto& [n, box] : nodes) {
      if (!moves(box) || !box.failure.empty()) continue;
      const NodeStatus& status = box.node->status();
      if (status.role.load() == static_cast<std::uint8_t>(raft::Role::leader))
        checks.saw_leader(status.term.load(), n);
      checks.saw_state(n, status.applied.load(), box.node->reads());
    }
  }

  /// Everything that can happen now, in a fixed order.
  void settle() {
    const std::uint64_t begin = steps;
    for (std::uint64_t before = steps - 1; before != steps;) {
      if (steps - begin > steps_at_once_max) throw std::runtime_error("endless work at one instant");
      before = steps;
      step_actors();
      for (auto& [n, box] : nodes)
        if (moves(box) && *box.writer != nullptr && (*box.writer)->pump_due()) ++steps;
      steps += network.deliver_due(clock.steady());
      step_actors();
      for (auto& [n, box] : nodes) {
        if (!moves(box) || !box.snapshot_arrived) continue;
        install_snapshot(n);
        ++steps;
      }
    }
    check();
  }
  /// Not without end: two actors may keep each other busy for ever.
  void step_actors() {
    const std::uint64_t end = steps + steps_at_once_max;
    for (auto& [n, box] : nodes) steps += box.turns.take(clock.steady(), end - std::min(end, steps));
    steps += hosts.take_turns(clock.steady(), end - std::min(end, steps));
  }

  /// To the next event, or `until` at the latest.
  void advance_to_next(Moment until) {
    Moment next = until;
    const auto consider = [&](const std::optional<Moment>& due) {
      if (due) next = std::min(next, *due);
    };
    consider(network.next_due());
    consider(hosts.next_due());
    for (auto& [n, box] : nodes) {
      if (!moves(box)) continue;
      consider(box.turns.next_due());
      if (*box.writer != nullptr) consider((*box.writer)->next_due());
    }
    clock.advance(std::max(std::chrono::nanoseconds(0), next - clock.steady()));
  }

  void run_to(Moment until) {
    settle();
    while (clock.steady() < until) {
      advance_to_next(until);
      settle();
    }
  }

  template <class Ask>
  Result<Index> await_answer(std::uint32_t n, Ask ask) {
    SimNode& box = nodes.at(n);
    if (!box.node) return Error{ErrorCode::unavailable, "the node is down"};
    auto answer = std::make_shared<std::optional<Result<Index>>>();
    ask(*box.node, [answer](Result<Index> done) { *answer = std::move(done); });
    const Moment end = clock.steady() + requests_patience;
    while (!*answer && clock.steady() < end) run_to(clock.steady() + milliseconds(1));
    if (*answer) return **answer;
    return Error{ErrorCode::outcome_unknown, "no answer"};
  }

  SimOptions options;
  SimChecks checks;
  Random random;
  SimClock clock;
  net::SimNetwork network;
  std::map<NodeId, NodeAddress> addresses;
  std::map<std::uint32_t, SimDisk> disks;
  SimHosts hosts;
  std::map<std::uint32_t, SimNode> nodes;
  std::uint64_t answers_hash = 0;
  std::uint64_t steps = 0;
};

SimCluster::SimCluster(SimOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

SimCluster::~SimCluster() {
  for (auto& [n, box] : impl_->nodes) {
    box.turns = {};
    box.node.reset();
  }
}

Instant SimCluster::now() const { return impl_->clock.wall(); }
void SimCluster::run_for(milliseconds span) { impl_->run_to(impl_->clock.steady() + span); }

bool SimCluster::run_until(const std::function<bool()>& done, milliseconds at_most) {
  const Moment end = impl_->clock.steady() + at_most;
  while (!done()) {
    if (impl_->clock.steady() >= end) return false;
    impl_->run_to(impl_->clock.steady() + milliseconds(1));
  }
  return true;
}

std::shared_ptr<SimAnswer> SimCluster::ask(std::uint32_t node, std::string method, std::string target,
                                           std::string body, http::Headers headers, SimStream stream) {
  auto answer = std::make_shared<SimAnswer>();
  answer->stream = std::move(stream);
  const auto found = impl_->nodes.find(node);
  if (found == impl_->nodes.end() || !found->second.node) {
    answer->response = {0, {}, "the node is down"};
    answer->done = true;
    if (answer->stream.on_over) answer->stream.on_over();
    return answer;
  }
  answer->on_done = [this, node, told = answer.get()] {
    const http::Response& given = told->response;
    impl_->answers_hash =
        SimChecks::fold(SimChecks::fold(impl_->answers_hash, std::hash<std::string>{}(given.body)),
                        static_cast<std::uint64_t>(given.status));
    if (impl_->options.answered) impl_->options.answered(node, given);
  };
  found->second.node->handle(sim_request(std::move(method), target, std::move(body), std::move(headers)),
                             std::make_shared<SimReply>(answer));
  return answer;
}

http::Response SimCluster::call(std::uint32_t node, std::string method, std::string target, std::string body,
                                http::Headers headers, milliseconds patience) {
  const auto answer = ask(node, std::move(method), std::move(target), std::move(body), std::move(headers));
  run_until([&] { return answer->done; }, patience);
  return answer->done ? answer->response : http::Response{0, {}, "no answer"};
}

std::uint32_t SimCluster::leader() const {
  std::uint32_t leader = 0;
  std::uint64_t term = 0;
  for (const auto& [n, box] : impl_->nodes) {
    if (!box.node || box.node->status().role.load() != static_cast<std::uint8_t>(raft::Role::leader))
      continue;
    if (box.node->status().term.load() > term) leader = n, term = box.node->status().term.load();
  }
  return leader;
}

std::string SimCluster::why_not_settled(std::size_t hosts) const {
  return embedded::why_not_settled(nodes(), hosts, [this](std::uint32_t n) -> NodeLook {
    if (!is_up(n)) return {};
    return {failure(n), status(n), reads(n)};
  });
}

std::string SimCluster::why_not_whole() const {
  for (const std::uint32_t n : nodes())
    if (!is_up(n)) return "node " + std::to_string(n) + " is down: " + failure(n);
  return why_not_settled(impl_->options.hosts);
}

std::vector<std::uint32_t> SimCluster::nodes() const {
  std::vector<std::uint32_t> numbers;
  for (const auto& [n, box] : impl_->nodes)
    if (!box.is_retired) numbers.push_back(n);
  return numbers;
}
void SimCluster::retire_node(std::uint32_t node) {
  if (is_up(node)) crash_node(node);
  impl_->nodes.at(node).is_retired = true;
}

const Reads* SimCluster::reads(std::uint32_t node) const {
  const auto& box = impl_->nodes.at(node);
  return box.node ? &box.node->reads() : nullptr;
}
const NodeStatus* SimCluster::status(std::uint32_t node) const {
  const auto& box = impl_->nodes.at(node);
  return box.node ? &box.node->status() : nullptr;
}

void SimCluster::crash_node(std::uint32_t node) { impl_->crash_node(node); }
void SimCluster::restart_node(std::uint32_t node) { impl_->start_node(node); }
void SimCluster::install_build(std::uint32_t node, std::uint32_t level_known) {
  impl_->nodes.at(node).level_known = level_known;
}
void SimCluster::lose_disk(std::uint32_t node) { impl_->lose_disk(node); }
void SimCluster::join_node(std::uint32_t node) { impl_->join_node(node); }
std::uint64_t SimCluster::repairs(std::uint32_t node) const { return impl_->nodes.at(node).repairs; }
bool SimCluster::flip_log_bit(std::uint32_t node) {
  return impl_->disks[node].flip_bit(impl_->path(node, "log"), LogStore::entries_table, impl_->random);
}
void SimCluster::lose_log(std::uint32_t node) { impl_->disks[node].remove(impl_->path(node, "log")); }
bool SimCluster::lose_log_tail(std::uint32_t node) {
  return impl_->disks[node].tear_tail(impl_->path(node, "log"), LogStore::entries_table, impl_->random);
}
std::uint64_t SimCluster::snapshots_installed(std::uint32_t node) const {
  return impl_->nodes.at(node).installed;
}

namespace {

raft::MemberChange member_change(raft::MemberChangeKind kind, std::uint32_t node) {
  raft::MemberChange change{kind, NodeId{node}, {}, {}};
  if (kind == raft::MemberChangeKind::add_learner) change.address = node_peer_address(node);
  return change;
}

}  // namespace

SimOutcome SimCluster::begin_change(std::uint32_t leader, raft::MemberChangeKind kind, std::uint32_t node) {
  auto outcome = std::make_shared<std::optional<Result<Index>>>();
  impl_->nodes.at(leader).node->change_members(member_change(kind, node),
                                               [outcome](Result<Index> done) { *outcome = std::move(done); });
  return outcome;
}

Result<Index> SimCluster::change_members(std::uint32_t leader, raft::MemberChangeKind kind,
                                         std::uint32_t node) {
  const raft::MemberChange change = member_change(kind, node);
  return impl_->await_answer(
      leader, [&](Node& asked, Node::Done done) { asked.change_members(change, std::move(done)); });
}

Result<Index> SimCluster::transfer_leadership(std::uint32_t leader, std::uint32_t to) {
  return impl_->await_answer(
      leader, [&](Node& asked, Node::Done done) { asked.transfer_leadership(NodeId{to}, std::move(done)); });
}

void SimCluster::freeze_node(std::uint32_t node) { impl_->freeze_node(node); }
void SimCluster::thaw_node(std::uint32_t node) { impl_->thaw_node(node); }
bool SimCluster::is_up(std::uint32_t node) const { return impl_->nodes.at(node).node != nullptr; }
std::string SimCluster::failure(std::uint32_t node) const { return impl_->nodes.at(node).failure; }
void SimCluster::isolate_node(std::uint32_t node) { impl_->network.isolate(peer_name(NodeId{node})); }
void SimCluster::cut(std::uint32_t from, std::uint32_t to) {
  impl_->network.cut(peer_name(NodeId{from}), peer_name(NodeId{to}));
}
void SimCluster::isolate_host(std::uint32_t host) { impl_->network.isolate(SimHosts::peer(host)); }
void SimCluster::heal() {
  for (auto& [n, box] : impl_->nodes) {
    impl_->thaw_node(n);
    box.clock.set_right();
  }
  impl_->hosts.heal();
  impl_->network.heal_all();
}
void SimCluster::crash_agent(std::uint32_t host) { impl_->hosts.crash(host); }
void SimCluster::restart_agent(std::uint32_t host) { impl_->hosts.start(host); }
void SimCluster::kill_host(std::uint32_t host) { impl_->hosts.kill(host); }
void SimCluster::fail_registry() { impl_->hosts.fail_registry(); }
void SimCluster::freeze_agent(std::uint32_t host) { impl_->hosts.freeze(host); }
void SimCluster::slow_agent(std::uint32_t host, milliseconds by) { impl_->hosts.slow_down(host, by); }
void SimCluster::resize_host(std::uint32_t host, const Resources& resources) {
  impl_->hosts.resize(host, resources);
}
void SimCluster::start_stray_agent() { impl_->hosts.start_stray(); }
void SimCluster::slow_links(std::uint32_t node, std::uint32_t other, milliseconds by) {
  impl_->network.slow(peer_name(NodeId{node}), peer_name(NodeId{other}), by);
}
void SimCluster::slow_host_links(std::uint32_t host, milliseconds by) {
  for (const std::uint32_t node : nodes())
    impl_->network.slow(peer_name(NodeId{node}), SimHosts::peer(host), by);
}
bool SimCluster::agent_is_up(std::uint32_t host) const { return impl_->hosts.is_up(host); }
bool SimCluster::runs(std::uint32_t host, const TaskId& task) const { return impl_->hosts.runs(host, task); }
std::size_t SimCluster::containers_kept(std::uint32_t host) const { return impl_->hosts.kept(host); }
void SimCluster::fail_writes(std::uint32_t node) { impl_->disks[node].fail_writes(impl_->path(node, "log")); }
void SimCluster::fail_syncs(std::uint32_t node) { impl_->disks[node].fail_syncs(impl_->path(node, "log")); }
void SimCluster::fail_apply(std::uint32_t node) {
  impl_->disks[node].fail_writes(impl_->path(node, "state"));
}
void SimCluster::leap_clock(std::uint32_t node, milliseconds by) { impl_->nodes.at(node).clock.leap(by); }
void SimCluster::drift_clock(std::uint32_t node, std::int64_t ppm) { impl_->nodes.at(node).clock.drift(ppm); }

bool SimCluster::damage_state(std::uint32_t node) {
  const auto store =
      std::move(impl_->disks[node].open(impl_->path(node, "state"), keys::table_names())).value();
  const auto cursor = store->scan(keys::meta, keys::meta_low('h'), keys::meta_high('h'));
  if (!cursor->valid()) return false;
  HostRecord host = unpacked<HostRecord>(cursor->value()).value();
  host.registered.ms ^= 1;
  KvBatch batch;
  batch.put(keys::meta, Bytes(cursor->key()), packed(host));
  TROUPE_CHECK(store->write(batch, Durability::synced).ok());
  StatePosition position = read_position(*store).value();
  position.hash = recompute_hash(*store).value().hash.total();
  KvBatch seal;
  for (const Table table : {keys::meta, keys::current, keys::archived, keys::index})
    seal.put(table, keys::applied(), packed(position));
  TROUPE_CHECK(store->write(seal, Durability::synced).ok());
  return true;
}

const std::vector<std::string>& SimCluster::violations() const { return impl_->checks.violations(); }
std::size_t SimCluster::launches(const TaskId& task) const { return impl_->checks.launches(task); }
std::uint64_t SimCluster::steps() const { return impl_->steps; }
std::size_t SimCluster::tasks_launched() const { return impl_->checks.tasks_launched(); }

std::uint64_t SimCluster::history_hash() const {
  return SimChecks::fold(SimChecks::fold(impl_->network.hash(), impl_->answers_hash),
                         impl_->checks.history());
}

}  // namespace troupe::embedded
