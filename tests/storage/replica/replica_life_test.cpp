// Three drivers on failing disks and wires, from a seed: the same entries everywhere, nothing acknowledged is
// lost, every restart finds log and state fitting together, however short the log is kept.
//
// REPLICA_SIM_FIRST=N REPLICA_SIM_SEEDS=M ./replica_driver_tests --gtest_filter='ReplicaLife.*'

#include <charconv>
#include <cstdlib>
#include <map>

#include "machine.hpp"

namespace troupe {
namespace {

constexpr int steps = 2'500;
constexpr std::size_t wires_max = 400;

std::uint64_t number_of(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  if (text == nullptr) return fallback;
  std::uint64_t value = fallback;
  std::from_chars(text, text + std::string_view(text).size(), value);
  return value;
}

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {
    MachineOptions options;
    constexpr std::uint64_t kept[] = {1, 10, 60};
    options.retention.entries_max = kept[random_.below(3)];
    options.retention.flush_every = milliseconds(random_.between(100, 3'000));
    options.queue_bytes_max = random_.chance(30) ? 1 : 1 << 20;
    const std::vector<std::uint32_t> all{1, 2, 3};
    for (const std::uint32_t n : all) {
      nodes_.emplace(n, std::make_unique<Machine>(n, all, options));
      nodes_.at(n)->on_apply_ = [this, n](Index index, std::uint64_t chain) { applied(n, index, chain); };
    }
  }

  std::string run() {
    for (int step = 0; step < steps && problem_.empty(); ++step) act();
    heal();
    return problem_;
  }

 private:
  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }
  Machine& some() { return *nodes_.at(static_cast<std::uint32_t>(random_.between(1, 3))); }

  void applied(std::uint32_t node, Index index, std::uint64_t chain) {
    const auto [at, fresh] = truth_.try_emplace(index, chain);
    if (at->second != chain) fail("node " + std::to_string(node) + " differs at " + to_text(index));
  }

  void act() {
    const auto dice = random_.below(1'000);
    if (dice < 300) return tick();
    if (dice < 650) return deliver();
    if (dice < 850) return sync(some());
    if (dice < 960) return propose();
    if (dice < 975) return change();
    if (dice < 985) return crash(some());
    restart(some());
  }
  void tick() {
    for (auto& [n, node] : nodes_) {
      if (!node->is_up()) continue;
      node->tick();
      take(*node);
    }
  }
  void take(Machine& node) {
    for (ReplicaMessage& message : node.take().send)
      if (wires_.size() < wires_max) wires_.push_back(std::move(message));
    if (!node.stops_.empty()) fail("a node stopped: " + node.stops_.back());
    serve(node);
  }
  void sync(Machine& node) {
    if (!node.is_up()) return;
    node.sync();
    take(node);
  }
  void deliver() {
    if (wires_.empty()) return tick();
    const auto at = static_cast<std::ptrdiff_t>(random_.below(std::min<std::size_t>(wires_.size(), 8)));
    const ReplicaMessage message = wires_[static_cast<std::size_t>(at)];
    if (!random_.chance(3)) wires_.erase(wires_.begin() + at);
    if (message.message.to.value > 3 || random_.chance(4)) return;
    Machine& to = *nodes_.at(message.message.to.value);
    if (!to.is_up()) return;
    to.hear(message);
    if (random_.chance(70)) take(to);
  }
  Machine* leader() {
    Machine* found = nullptr;
    for (auto& [n, node] : nodes_)
      if (node->is_up() && node->driver_->role() == raft::Role::leader &&
          (found == nullptr || node->driver_->term() > found->driver_->term()))
        found = node.get();
    return found;
  }
  void propose() {
    if (Machine* lead = leader()) {
      (void)lead->propose("entry " + std::to_string(++proposed_));
      take(*lead);
    }
  }
  void change() {
    Machine* lead = leader();
    if (lead == nullptr) return;
    const auto kind = lead->driver_->status().membership.learners.empty()
                          ? raft::MemberChangeKind::add_learner
                          : raft::MemberChangeKind::remove;
    (void)lead->driver_->change({kind, NodeId{9}, "nowhere", {}}, lead->now_);
    take(*lead);
  }
  /// A snapshot arrives at once, or not at all.
  void serve(Machine& node) {
    for (const raft::SnapshotNeed& need : std::exchange(node.needs_, {})) {
      const auto found = nodes_.find(need.peer.value);
      const bool arrives = found != nodes_.end() && found->second->is_up() && random_.chance(80);
      Index held;
      if (arrives) {
        const raft::SnapshotMeta meta = node.driver_->snapshot_meta();
        const bool taken = found->second->install(meta, node.state_);
        if (taken || found->second->driver_->applied() >= meta.index) held = meta.index;
      }
      node.driver_->snapshot_sent(need.peer, held);
    }
  }
  void crash(Machine& node) {
    if (node.is_up()) node.crash(&random_);
  }
  void restart(Machine& node) {
    if (!node.is_up() && !node.start()) fail("a restart failed: " + node.unusable_);
  }

  void heal() {
    for (auto& [n, node] : nodes_)
      if (problem_.empty()) restart(*node);
    for (int round = 0; round < 400 && problem_.empty(); ++round) {
      tick();
      while (!wires_.empty() && problem_.empty()) {
        const ReplicaMessage message = wires_.front();
        wires_.erase(wires_.begin());
        if (message.message.to.value > 3) continue;
        Machine& to = *nodes_.at(message.message.to.value);
        to.hear(message);
        take(to);
      }
      for (auto& [n, node] : nodes_) sync(*node);
      if (round == 200) propose();
    }
    if (!problem_.empty()) return;
    Machine* lead = leader();
    if (lead == nullptr) return fail("nobody leads in the end");
    for (auto& [n, node] : nodes_) {
      if (node->state_.index != lead->driver_->last())
        return fail("node " + std::to_string(n) + " is behind");
      if (!(node->driver_->status().membership == lead->driver_->status().membership))
        return fail("node " + std::to_string(n) + " has another membership");
    }
  }

  Random random_;
  std::map<std::uint32_t, std::unique_ptr<Machine>> nodes_;
  std::vector<ReplicaMessage> wires_;
  std::map<Index, std::uint64_t> truth_;
  std::uint64_t proposed_ = 0;
  std::string problem_;
};

TEST(ReplicaLife, keeps_every_promise_under_every_fault) {
  const std::uint64_t first = number_of("REPLICA_SIM_FIRST", 1);
  const std::uint64_t seeds = number_of("REPLICA_SIM_SEEDS", 60);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const std::string problem = Life(seed).run();
    ASSERT_EQ(problem, "") << "REPLICA_SIM_FIRST=" << seed
                           << " REPLICA_SIM_SEEDS=1 ./replica_driver_tests --gtest_filter='ReplicaLife.*'";
  }
}

}  // namespace
}  // namespace troupe
