#include "tests/storage/raft/durable/simulation.hpp"

#include <algorithm>

namespace troupe::raft::test {

namespace {
constexpr std::size_t network_max = 400;
constexpr std::uint32_t first_voters = 3, machines_max = 8;
constexpr std::uint64_t rounds_to_get_well = 4000;

template <class T>
T pick(Random& random, std::initializer_list<T> of) {
  return *(of.begin() + static_cast<std::ptrdiff_t>(random.below(of.size())));
}

Config random_config(Random& random) {
  Config config;
  config.heartbeat_ticks = static_cast<std::uint32_t>(random.between(1, 3));
  config.election_ticks = config.heartbeat_ticks + static_cast<std::uint32_t>(random.between(3, 12));
  config.link_retry_ticks = static_cast<std::uint32_t>(random.between(1, 4));
  config.max_append_bytes = pick<std::size_t>(random, {1, 200, 1 << 20});
  config.max_inflight_appends = pick<std::uint32_t>(random, {1, 4, 64});
  config.max_inflight_bytes = pick<std::size_t>(random, {1, 500, 1 << 20});
  config.max_uncommitted_bytes = pick<std::size_t>(random, {1, 1000, 1 << 20});
  config.max_unapplied_bytes = pick<std::size_t>(random, {1, 200, 1 << 20});
  config.max_read_rounds = pick<std::uint32_t>(random, {1, 4});
  config.max_promote_lag = pick<std::uint64_t>(random, {0, 5, 1000});
  return config;
}
std::string state_of(Machine& machine) {
  std::string out = "\n  node=" + to_text(machine.id());
  if (!machine.up()) return out + (machine.damaged() ? " damaged" : " down");
  const Status status = machine.core().status();
  out += " role=" + std::to_string(static_cast<int>(status.role)) + " term=" + to_text(status.term) +
         " leader=" + to_text(status.leader) + " first=" + to_text(status.first) +
         " last=" + to_text(status.last) + " commit=" + to_text(status.commit) +
         " applied=" + to_text(machine.state().applied) + " voters=";
  for (const NodeId id : status.membership.voters) out += to_text(id) + ",";
  out += " learners=";
  for (const NodeId id : status.membership.learners) out += to_text(id) + ",";
  for (const PeerStatus& peer : status.peers) {
    out += "\n    peer=" + to_text(peer.id) + " state=" + std::to_string(static_cast<int>(peer.state)) +
           " match=" + to_text(peer.match) + " next=" + to_text(peer.next) +
           " inflight=" + std::to_string(peer.inflight);
  }
  return out + " durable=" + to_text(status.durable);
}
}  // namespace

void Counts::add(const Counts& other) {
  events += other.events;
  leaders += other.leaders;
  commits += other.commits;
  writes += other.writes;
  reads += other.reads;
  restarts += other.restarts;
  damaged += other.damaged;
  snapshots += other.snapshots;
  changes += other.changes;
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) faults[kind] += other.faults[kind];
}

DurableSimulation::DurableSimulation(std::uint64_t seed, std::vector<Fault> faults)
    : random_(seed), config_(random_config(random_)), faults_(std::move(faults)) {
  loss_percent_ = pick<std::uint32_t>(random_, {0, 2, 20});
  duplicate_percent_ = pick<std::uint32_t>(random_, {0, 2, 20});
  reorder_percent_ = pick<std::uint32_t>(random_, {0, 5, 50});
  lazy_percent_ = pick<std::uint32_t>(random_, {0, 10, 60});
  tick_weight_ = pick<std::uint32_t>(random_, {20, 60, 150});
  cache_bytes_ = pick<std::size_t>(random_, {0, 500, 1 << 20});
  keep_entries_ = pick<std::uint64_t>(random_, {0, 3, 50});
  Membership membership;
  for (std::uint32_t id = 1; id <= first_voters; ++id) membership.voters.push_back(NodeId{id});
  for (std::uint32_t id = 1; id <= first_voters; ++id) add_machine(NodeId{id}, membership);
}

void DurableSimulation::add_machine(NodeId id, Membership membership) {
  auto& machine = machines_[id] =
      std::make_unique<Machine>(id, config_, std::move(membership), judge_, cache_bytes_);
  newest_id_ = std::max(newest_id_, id.value);
  machine->on_read = [this, raw = machine.get()](std::uint64_t token) {
    const auto open = reads_.find(token);
    if (open == reads_.end()) return judge_.fail("read_answered_twice");
    judge_.read_ends(open->second.read, raw->state());
    reads_.erase(open);
  };
  restart(*machine);
}

std::optional<std::string> DurableSimulation::run(std::uint64_t events) {
  for (; counts_.events < events && !judge_.violation(); ++counts_.events) {
    while (next_fault_ < faults_.size() && faults_[next_fault_].at <= counts_.events)
      strike(faults_[next_fault_++]);
    event();
  }
  if (!judge_.violation()) get_well();
  counts_.leaders = judge_.leaders();
  counts_.commits = judge_.committed();
  counts_.reads = judge_.reads();
  return judge_.violation();
}

Machine& DurableSimulation::any(Random& random) {
  return *std::next(machines_.begin(), static_cast<std::ptrdiff_t>(random.below(machines_.size())))->second;
}

void DurableSimulation::event() {
  Machine& machine = any(random_);
  const std::uint64_t roll = random_.below(1000 + tick_weight_);
  if (!machine.up()) {
    if (roll < 60 && !machine.damaged()) restart(machine);
    return;
  }
  if (const auto stalled = stalled_.find(machine.id()); stalled != stalled_.end()) {
    if (stalled->second > counts_.events) return;
    stalled_.erase(stalled);
    for (std::uint32_t ticks = 0; ticks < 2 * config_.election_ticks; ++ticks) machine.core().tick();
  }
  if (roll >= 400 && roll < 1000) return deliver();
  work(machine, roll);
}

void DurableSimulation::work(Machine& machine, std::uint64_t roll) {
  if (roll < 60)
    write(machine);
  else if (roll < 90)
    read(machine);
  else if (roll < 350)
    machine.sync_group();
  else if (roll < 370)
    machine.flush_state();
  else if (roll < 385)
    machine.compact(keep_entries_);
  else if (roll < 400)
    return deliver_snapshot();
  else
    tick(machine);
  if (machine.up() && !random_.chance(lazy_percent_)) machine.flush();
  collect(machine);
}

void DurableSimulation::tick(Machine& machine) {
  for (int times = machine.id() == fast_ ? 5 : 1; times > 0; --times) machine.core().tick();
}

void DurableSimulation::collect(Machine& machine) {
  if (!machine.sent.empty()) judge_.speaks(machine.id());
  for (Message& message : machine.sent) network_.push_back(std::move(message));
  machine.sent.clear();
  while (network_.size() > network_max) network_.pop_front();
  for (SnapshotSent& snapshot : machine.snapshots) snapshots_.push_back(std::move(snapshot));
  machine.snapshots.clear();
  for (const Write& write : std::exchange(machine.answered, {})) {
    Client& client = clients_[write.client];
    if (write.sequence != client.sequence || client.answered) continue;
    client.answered = true;
    ++counts_.writes;
    judge_.answered(write);
  }
  for (const std::uint64_t token : std::exchange(machine.lost_reads, {})) reads_.erase(token);
}

void DurableSimulation::deliver() {
  if (network_.empty()) return;
  const bool reorder = random_.chance(reorder_percent_);
  const auto at =
      network_.begin() + static_cast<std::ptrdiff_t>(reorder ? random_.below(network_.size()) : 0);
  const Message message = *at;
  if (!random_.chance(duplicate_percent_)) network_.erase(at);
  const auto to = machines_.find(message.to);
  if (random_.chance(loss_percent_) || cuts_.contains({message.from, message.to}) || to == machines_.end())
    return;
  Machine& machine = *to->second;
  if (!machine.up() || stalled_.contains(message.to)) return;
  machine.core().step(message);
  if (!random_.chance(lazy_percent_)) machine.flush();
  collect(machine);
}

void DurableSimulation::deliver_snapshot() {
  if (snapshots_.empty()) return;
  const SnapshotSent snapshot = std::move(snapshots_.front());
  snapshots_.pop_front();
  const auto to = machines_.find(snapshot.to);
  const bool passes =
      to != machines_.end() && to->second->up() && !cuts_.contains({snapshot.from, snapshot.to});
  const bool fails = random_.chance(20);
  if (passes && !fails) {
    if (to->second->install(snapshot, [&] { return !random_.chance(5); })) ++counts_.snapshots;
    if (to->second->up()) to->second->flush();
    collect(*to->second);
  }
  Machine& from = *machines_.at(snapshot.from);
  if (!from.up()) return;
  from.core().snapshot_sent(snapshot.to, passes && !fails ? snapshot.meta.index : Index{});
  from.flush();
  collect(from);
}

// A client repeats its write, anywhere, until it is answered; then it begins the next.
void DurableSimulation::write(Machine& machine) {
  const std::uint64_t number = random_.below(clients_.size());
  Client& client = clients_[number];
  if (client.answered) {
    ++client.sequence;
    client.answered = false;
    judge_.asked({number, client.sequence});
  }
  machine.propose({number, client.sequence});
}

void DurableSimulation::read(Machine& machine) {
  const std::uint64_t token = next_token_++;
  reads_[token] = {machine.id(), judge_.read_begins()};
  machine.read(token);
}

void DurableSimulation::restart(Machine& machine) {
  std::erase_if(reads_, [&](const auto& open) { return open.second.node == machine.id(); });
  machine.disk().limit_bytes(UINT64_MAX);
  ++counts_.restarts;
  if (!machine.start(random_.next())) ++counts_.damaged;
}

Machine* DurableSimulation::leader() {
  Machine* found = nullptr;
  for (auto& [id, machine] : machines_) {
    if (!machine->up() || machine->core().role() != Role::leader) continue;
    if (!found || machine->core().term() > found->core().term()) found = machine.get();
  }
  return found;
}

void DurableSimulation::get_well() {
  cuts_.clear();
  stalled_.clear();
  fast_ = {};
  bool asked = false;
  for (std::uint64_t round = 0; round < rounds_to_get_well && !judge_.violation(); ++round) {
    for (auto& [id, machine] : machines_) {
      if (!machine->up() && !machine->damaged()) restart(*machine);
      if (machine->up()) machine->core().tick();
    }
    pass_quietly();
    Machine* leads = leader();
    if (!leads || round < 3 * config_.election_ticks) continue;
    if (!asked || round % 50 == 0) {
      for (std::uint64_t client = 0; client < clients_.size(); ++client) write(*leads);
      asked = true;
      pass_quietly();
    }
    if (leader() && all_equal()) return;
  }
  if (judge_.violation()) return;
  std::string what = "never_well_again";
  for (auto& [id, machine] : machines_) what += state_of(*machine);
  judge_.fail(what);
}

void DurableSimulation::pass_quietly() {
  bool moved = true;
  for (int round = 0; moved && round < 2000 && !judge_.violation(); ++round) {
    moved = !network_.empty() || !snapshots_.empty();
    for (auto& [id, machine] : machines_) {
      if (!machine->up()) continue;
      moved = moved || machine->core().has_ready();
      machine->flush();
      while (machine->sync_group()) machine->flush();
      collect(*machine);
    }
    for (Message& message : std::exchange(network_, {})) {
      const auto to = machines_.find(message.to);
      if (to != machines_.end() && to->second->up()) to->second->core().step(message);
    }
    while (!snapshots_.empty()) deliver_snapshot();
  }
  if (moved && !judge_.violation()) judge_.fail("never_quiet");
}

// All living members of the leader's configuration hold the same, it is all applied, and somebody was
// answered.
bool DurableSimulation::all_equal() {
  const Machine& best = *leader();
  const Membership& membership = best.state().membership;
  const auto equal = [&](NodeId id) {
    const auto at = machines_.find(id);
    if (at == machines_.end() || !at->second->up()) return at != machines_.end() && at->second->damaged();
    Register theirs = at->second->state(), ours = best.state();
    theirs.known_in = ours.known_in = {};
    return theirs == ours && at->second->log().last() == ours.applied;
  };
  return best.log().last() == best.state().applied &&
         std::all_of(membership.voters.begin(), membership.voters.end(), equal) &&
         std::all_of(membership.learners.begin(), membership.learners.end(), equal);
}

}  // namespace troupe::raft::test
