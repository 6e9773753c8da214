#include "tests/storage/raft/simulation.hpp"

#include <algorithm>

#include "storage/base/msgpack.hpp"

namespace troupe::raft::test {

namespace {
constexpr std::size_t network_max = 400;  ///< beyond it the oldest message is lost
constexpr std::uint32_t nodes_min = 5;    ///< strangers to the first membership included

template <class T>
T pick(Random& random, std::initializer_list<T> of) {
  return *(of.begin() + static_cast<std::ptrdiff_t>(random.below(of.size())));
}

Config random_config(Random& random) {
  Config config;
  config.heartbeat_ticks = static_cast<std::uint32_t>(random.between(1, 3));
  config.election_ticks = config.heartbeat_ticks + static_cast<std::uint32_t>(random.between(2, 12));
  config.link_retry_ticks = static_cast<std::uint32_t>(random.between(1, 4));
  config.max_append_bytes = pick<std::size_t>(random, {1, 100, 1000, 1 << 20});
  config.max_inflight_appends = pick<std::uint32_t>(random, {1, 2, 8, 64});
  config.max_inflight_bytes = pick<std::size_t>(random, {1, 500, 1 << 20});
  config.max_uncommitted_bytes = pick<std::size_t>(random, {1, 1000, 1 << 20});
  config.max_unapplied_bytes = pick<std::size_t>(random, {1, 200, 1 << 20});
  config.max_read_rounds = pick<std::uint32_t>(random, {1, 4});
  config.max_promote_lag = pick<std::uint64_t>(random, {0, 5, 100});
  return config;
}

Membership random_members(Random& random) {
  const std::uint32_t voters = pick<std::uint32_t>(random, {1, 3, 3, 3, 4, 5});
  Membership members;
  for (std::uint32_t id = 1; id <= voters; ++id) members.voters.push_back(NodeId{id});
  if (random.chance(20)) members.learners.push_back(NodeId{voters + 1});
  return members;
}
}  // namespace

void Tally::add(const Tally& other) {
  events += other.events;
  leaders += other.leaders;
  commits += other.commits;
  reads += other.reads;
  crashes += other.crashes;
  transfers += other.transfers;
  configs += other.configs;
  wipes += other.wipes;
  compactions += other.compactions;
  snapshots += other.snapshots;
  stale_snapshots += other.stale_snapshots;
  answers += other.answers;
  stops += other.stops;
}

Simulation::Simulation(std::uint64_t seed)
    : random_(seed),
      config_(random_config(random_)),
      initial_(random_members(random_)),
      checker_(initial_),
      clients_(3) {
  loss_percent_ = pick<std::uint32_t>(random_, {0, 2, 20});
  duplicate_percent_ = pick<std::uint32_t>(random_, {0, 2, 20});
  reorder_percent_ = pick<std::uint32_t>(random_, {0, 5, 50});
  lazy_percent_ = pick<std::uint32_t>(random_, {0, 10, 60});
  fault_weight_ = pick<std::uint32_t>(random_, {3, 12, 40});
  tick_weight_ = pick<std::uint32_t>(random_, {20, 60, 150});
  members_weight_ = pick<std::uint32_t>(random_, {0, 4, 15, 40});
  remove_percent_ = pick<std::uint32_t>(random_, {5, 30, 80});
  compact_weight_ = pick<std::uint32_t>(random_, {0, 5, 30});
  ever_voters_.insert(initial_.voters.begin(), initial_.voters.end());
  batch_max_ = pick<std::size_t>(random_, {1, 4, 40});
  const auto members = static_cast<std::uint32_t>(initial_.voters.size() + initial_.learners.size());
  for (std::uint32_t id = 1; id <= std::max(members, nodes_min); ++id) {
    nodes_[NodeId{id}] =
        std::make_unique<Node>(NodeId{id}, config_, id <= members ? initial_ : Membership{}, random_.next());
  }
}

std::optional<std::string> Simulation::run(std::uint64_t events) {
  for (; events > 0 && !checker_.violation(); --events) {
    ++tally_.events;
    event();
    if (events % 256 == 0) checker_.compare_logs(nodes_);
  }
  if (!checker_.violation()) get_well();
  checker_.compare_logs(nodes_);
  if (const auto violation = clients_.history().violation()) checker_.fail(*violation);
  tally_.leaders = checker_.leaders();
  tally_.commits = checker_.commits();
  tally_.reads = checker_.reads_answered();
  tally_.configs = checker_.configs();
  tally_.answers = clients_.history().answered();
  return checker_.violation();
}

Node& Simulation::any_node() {
  return *std::next(nodes_.begin(), static_cast<std::ptrdiff_t>(random_.below(nodes_.size())))->second;
}

void Simulation::event() {
  Node& node = any_node();
  const std::uint64_t roll = random_.below(1000 + tick_weight_ + members_weight_ + compact_weight_);
  if (roll < fault_weight_) return fault();
  if (!node.up()) {
    if (roll < 60) restart(node);
    return;
  }
  if (roll < 50)
    propose(node);
  else if (roll < 70)
    (void)read(node, next_token_++).ok();
  else if (roll < 110)
    guard(node, [&] { clients_.act(random_, door_of(node)); });
  else if (roll < 350)
    sync(node);
  else if (roll < 370)
    return carry_bulk();
  else if (roll < 1000)
    return deliver_one();
  else if (roll < 1000 + tick_weight_)
    guard(node, [&] { node.core().tick(); });
  else if (roll < 1000 + tick_weight_ + members_weight_)
    change_members(node);
  else
    compact(node);
  settle_node(node);
}

void Simulation::fault() {
  Node& node = any_node();
  switch (random_.below(6)) {
    case 0:
      if (node.up()) crash(node);
      return;
    case 1:
      return cut();
    case 2:
      return heal();
    case 3:
      if (!node.up() || !node.core().transfer(any_node().id).ok()) return;
      ++tally_.transfers;
      return settle_node(node);
    case 4:
      if (node.up()) node.core().link_down(any_node().id);
      return;
    default:
      if (node.up()) node.core().link_up(any_node().id);
      return;
  }
}

bool Simulation::can_pass(const Message& message) const {
  return !cuts_.contains({message.from, message.to}) && nodes_.at(message.to)->up();
}

void Simulation::deliver_one() {
  if (network_.empty()) return;
  const bool reorder = random_.chance(reorder_percent_);
  const auto at =
      network_.begin() + static_cast<std::ptrdiff_t>(reorder ? random_.below(network_.size()) : 0);
  const Message message = *at;
  const bool again = random_.chance(duplicate_percent_);
  if (!again) network_.erase(at);
  if (random_.chance(loss_percent_) || !can_pass(message)) return;
  Node& node = *nodes_.at(message.to);
  guard(node, [&] { node.core().step(message); });
  settle_node(node);
}

// Usually takes the node's Readys at once; a lazy node gathers more first.
void Simulation::settle_node(Node& node) {
  if (!random_.chance(lazy_percent_)) flush(node);
}

void Simulation::flush(Node& node) {
  if (!node.up()) return;
  guard(node, [&] {
    node.flush([&](const Ready& ready) {
      checker_.on_ready(nodes_, node, ready);
      promises_.on_ready(node, ready);
      for (const ReadGrant& grant : ready.reads) clients_.granted({node.id, node.life}, grant);
      clients_.committed({node.id, node.life}, ready.committed);
    });
    clients_.answer_reads({node.id, node.life}, node.state.applied,
                          [&](std::uint8_t key) { return node.state.values[key]; });
    if (random_.chance(30)) node.flush_state();
    for (const SnapshotNeed& need : std::exchange(node.snapshots, {})) {
      bulk_.push_back({node.id, need.peer, node.life, node.take_snapshot()});
    }
  });
  collect(node);
}

void Simulation::collect(Node& node) {
  for (Message& message : node.outbox) {
    promises_.on_sent(nodes_, message);
    network_.push_back(std::move(message));
  }
  node.outbox.clear();
  while (network_.size() > network_max) network_.pop_front();
}

void Simulation::sync(Node& node) {
  guard(node, [&] { node.sync_one(); });
  collect(node);
}

void Simulation::propose(Node& node) {
  std::vector<Proposal> batch(1 + random_.below(batch_max_));
  for (Proposal& proposal : batch) proposal.data = Blob("filler " + std::to_string(next_command_++));
  guard(node, [&] { (void)offer(node, batch).ok(); });
}

Result<Index> Simulation::offer(Node& node, std::span<const Proposal> proposals) {
  const Status before = node.core().status();
  auto index = node.core().propose(proposals);
  if (index.ok()) promises_.on_accepted(node, before);
  return index;
}

Result<void> Simulation::read(Node& node, ReadToken token) {
  auto result = node.core().read(token);
  if (result.ok()) checker_.read_started(node.id, token);
  return result;
}

Clients::Door Simulation::door_of(Node& node) {
  const auto propose = [this, &node](const Command& command) -> std::optional<std::pair<Index, Term>> {
    const Proposal proposal{{}, Blob(packed(command))};
    const auto index = offer(node, {&proposal, 1});
    if (!index.ok()) return std::nullopt;
    return std::pair(index.value(), node.core().term());
  };
  return {{node.id, node.life}, propose, [this, &node](ReadToken token) { return read(node, token).ok(); }};
}

void Simulation::crash(Node& node) {
  ++tally_.crashes;
  const std::size_t writes = random_.below(node.writes.size() + 1), torn = random_.below(4);
  guard(node, [&] { node.reach_disk_untold(writes, torn); });
  node.crash();
  // What it was sending is lost, or was out already.
  std::erase_if(bulk_, [&](const Bulk& bulk) { return bulk.from == node.id && random_.chance(50); });
  for (auto& [id, other] : nodes_) {
    if (other->up() && random_.chance(50)) other->core().link_down(node.id);
  }
}

void Simulation::restart(Node& node) {
  checker_.on_restart(node);
  const std::uint64_t seed = random_.next();
  guard(node, [&] { node.restart(seed); });
  for (auto& [id, other] : nodes_) {
    if (other->up() && random_.chance(50)) other->core().link_up(node.id);
  }
}

void Simulation::cut() {
  Node& one = any_node();
  for (auto& [id, other] : nodes_) {
    if (id == one.id || random_.chance(40)) continue;
    const std::uint64_t kind = random_.below(3);
    if (kind != 0) cuts_.insert({one.id, id});
    if (kind != 1) cuts_.insert({id, one.id});
    if (other->up() && random_.chance(30)) other->core().link_down(one.id);
    if (one.up() && random_.chance(30)) one.core().link_down(id);
  }
}

void Simulation::heal() {
  cuts_.clear();
  for (auto& [id, node] : nodes_) {
    if (!node->up()) continue;
    for (auto& [other, unused] : nodes_) node->core().link_up(other);
  }
}

}  // namespace troupe::raft::test
