#include "tests/storage/raft/simulation.hpp"

#include <algorithm>

namespace troupe::raft::test {

namespace {
constexpr std::size_t network_max = 400;  ///< beyond it the oldest message is lost
constexpr int recovery_election_times =
    40;  ///< a healed cluster must be well after so many election timeouts
constexpr int quiet_rounds_max = 20'000;

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
  return config;
}
}  // namespace

void Tally::add(const Tally& other) {
  events += other.events;
  leaders += other.leaders;
  commits += other.commits;
  reads += other.reads;
  crashes += other.crashes;
  transfers += other.transfers;
}

Simulation::Simulation(std::uint64_t seed) : random_(seed), config_(random_config(random_)) {
  loss_percent_ = pick<std::uint32_t>(random_, {0, 2, 20});
  duplicate_percent_ = pick<std::uint32_t>(random_, {0, 2, 20});
  reorder_percent_ = pick<std::uint32_t>(random_, {0, 5, 50});
  lazy_percent_ = pick<std::uint32_t>(random_, {0, 10, 60});
  fault_weight_ = pick<std::uint32_t>(random_, {3, 12, 40});
  tick_weight_ = pick<std::uint32_t>(random_, {20, 60, 150});
  batch_max_ = pick<std::size_t>(random_, {1, 4, 40});
  const std::uint32_t voters = pick<std::uint32_t>(random_, {1, 3, 3, 3, 5, 5});
  const std::uint32_t learners = random_.chance(20) ? 1 : 0;
  Membership membership;
  for (std::uint32_t id = 1; id <= voters; ++id) membership.voters.push_back(NodeId{id});
  if (learners > 0) membership.learners.push_back(NodeId{voters + 1});
  for (std::uint32_t id = 1; id <= voters + learners; ++id) {
    nodes_[NodeId{id}] = std::make_unique<Node>(NodeId{id}, config_, membership, random_.next());
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
  tally_.leaders = checker_.leaders();
  tally_.commits = checker_.commits();
  tally_.reads = checker_.reads_answered();
  return checker_.violation();
}

Node& Simulation::any_node() {
  return *std::next(nodes_.begin(), static_cast<std::ptrdiff_t>(random_.below(nodes_.size())))->second;
}

void Simulation::event() {
  Node& node = any_node();
  const std::uint64_t roll = random_.below(1000 + tick_weight_);
  if (roll < fault_weight_) return fault();
  if (!node.up()) {
    if (roll < 60) restart(node);
    return;
  }
  if (roll < 60)
    propose(node);
  else if (roll < 90)
    read(node);
  else if (roll < 350)
    sync(node);
  else if (roll < 1000)
    return deliver_one();
  else
    node.core().tick();
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
  node.core().step(message);
  settle_node(node);
}

// Usually takes the node's Readys at once; a lazy node gathers more first.
void Simulation::settle_node(Node& node) {
  if (!random_.chance(lazy_percent_)) flush(node);
}

void Simulation::flush(Node& node) {
  node.flush([&](const Ready& ready) { checker_.on_ready(nodes_, node, ready); });
  if (random_.chance(30)) node.disk.applied = node.core().status().applied;
  collect(node);
}

void Simulation::collect(Node& node) {
  for (Message& message : node.outbox) network_.push_back(std::move(message));
  node.outbox.clear();
  while (network_.size() > network_max) network_.pop_front();
}

void Simulation::sync(Node& node) {
  node.sync_one();
  collect(node);
}

void Simulation::propose(Node& node) {
  std::vector<Proposal> batch(1 + random_.below(batch_max_));
  for (Proposal& proposal : batch) proposal.data = Blob(std::to_string(next_command_++));
  (void)node.core().propose(batch).ok();
}

void Simulation::read(Node& node) {
  const ReadToken token = next_token_++;
  if (node.core().read(token).ok()) checker_.read_started(node.id, token);
}

void Simulation::crash(Node& node) {
  ++tally_.crashes;
  node.reach_disk_untold(random_.below(node.writes.size() + 1), random_.below(4));
  node.crash();
  for (auto& [id, other] : nodes_) {
    if (other->up() && random_.chance(50)) other->core().link_down(node.id);
  }
}

void Simulation::restart(Node& node) {
  checker_.on_restart(node.id);
  node.restart(random_.next());
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

void Simulation::get_well() {
  for (auto& [id, node] : nodes_) {
    if (!node->up()) restart(*node);
  }
  heal();
  bool proposed = false;
  for (std::uint32_t ticks = 0; ticks < recovery_election_times * config_.election_ticks; ++ticks) {
    run_quietly();
    if (checker_.violation() || (proposed && is_well())) return;
    for (auto& [id, node] : nodes_) {
      if (node->core().role() == Role::leader && ticks > 2 * config_.election_ticks) {
        propose(*node);
        proposed = true;
        break;
      }
    }
    for (auto& [id, node] : nodes_) node->core().tick();
  }
  if (!checker_.violation()) checker_.fail("never_well_again");
}

void Simulation::run_quietly() {
  for (int round = 0; round < quiet_rounds_max && !checker_.violation(); ++round) {
    bool moved = !network_.empty();
    for (auto& [id, node] : nodes_) {
      moved = moved || node->core().has_ready() || !node->writes.empty();
      flush(*node);
      while (!node->writes.empty()) sync(*node);
    }
    const auto batch = std::exchange(network_, {});
    for (const Message& message : batch) nodes_.at(message.to)->core().step(message);
    if (!moved) return;
  }
  if (!checker_.violation()) checker_.fail("never_quiet");
}

// One leader, equal logs all applied, every node can read, and what was proposed since is committed.
bool Simulation::is_well() {
  const Index last = nodes_.begin()->second->log.last();
  NodeId leader;
  for (auto& [id, node] : nodes_) {
    const Status status = node->core().status();
    if (status.last != last || status.applied != last || status.leader == NodeId{}) return false;
    if (leader != NodeId{} && status.leader != leader) return false;
    leader = status.leader;
  }
  const auto answered = checker_.reads_answered();
  for (auto& [id, node] : nodes_) read(*node);
  run_quietly();
  return checker_.reads_answered() == answered + nodes_.size();
}

}  // namespace troupe::raft::test
