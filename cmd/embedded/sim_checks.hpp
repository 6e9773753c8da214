#pragma once
// What must hold at every moment of a simulation, whatever fails; what a SimCluster looks at as it goes.

#include <map>
#include <string>
#include <vector>

#include "actors/agent/driver.hpp"
#include "cmd/embedded/sim_tap.hpp"
#include "storage/state/reads.hpp"

namespace troupe::embedded {

/// Collects what broke a promise: one leader per term, one start per task in the whole cell, the same state
/// at the same index on every node. Single-threaded.
class SimChecks {
 public:
  static constexpr std::size_t violations_max = 20;  ///< kept; the first ones say what happened

  void saw_leader(std::uint64_t term, std::uint32_t node) {
    const auto [at, fresh] = leaders_.try_emplace(term, node);
    if (!fresh && at->second != node)
      violated("term " + std::to_string(term) + " has the leaders " + std::to_string(at->second) + " and " +
               std::to_string(node));
  }
  void saw_launch(const TaskId& task, const std::string& host) {
    auto& hosts = launches_[task];
    hosts.push_back(host);
    if (hosts.size() > 1)
      violated("task " + to_text(task) + " was started on " + hosts.front() + " and again on " + host);
  }
  /// Its containers ended with it, and it could not tell: the new machine may be told to start them.
  void machine_died(const std::string& host) {
    std::erase_if(launches_,
                  [&](const auto& entry) { return entry.second == std::vector<std::string>{host}; });
  }
  /// Of a node that has nothing in its hands: the state at its applied index.
  void saw_state(std::uint32_t node, std::uint64_t applied, const Reads& reads) {
    auto& last = applied_[node];
    if (last == applied || reads.shard_count() == 0) return;
    last = applied;
    std::uint64_t state = fold(applied, reads.shard_count());
    for (std::uint16_t s = 0; s < reads.shard_count(); ++s) state = fold(state, reads.shard_hash(ShardId{s}));
    history_ = fold(fold(history_, node), state);
    const auto [at, fresh] = states_.try_emplace(applied, state);
    if (!fresh && at->second != state)
      violated("node " + std::to_string(node) + " differs from another at index " + std::to_string(applied));
  }
  void restarted(std::uint32_t node) { applied_.erase(node); }

  std::size_t launches(const TaskId& task) const {
    const auto found = launches_.find(task);
    return found == launches_.end() ? 0 : found->second.size();
  }
  std::size_t tasks_launched() const { return launches_.size(); }
  const std::vector<std::string>& violations() const { return violations_; }
  std::uint64_t history() const { return history_; }  ///< of all states that all nodes went through
  static std::uint64_t fold(std::uint64_t hash, std::uint64_t value) {
    return (hash ^ value) * 1099511628211ULL;
  }

 private:
  void violated(std::string what) {
    if (violations_.size() < violations_max) violations_.push_back(std::move(what));
  }
  std::map<std::uint64_t, std::uint32_t> leaders_;
  std::map<TaskId, std::vector<std::string>> launches_;
  std::map<std::uint64_t, std::uint64_t> states_;
  std::map<std::uint32_t, std::uint64_t> applied_;
  std::vector<std::string> violations_;
  std::uint64_t history_ = 0xcbf29ce484222325ULL;
};

/// Passes everything on and notes each order to start something: the driver itself would start no task twice.
class WitnessDriver final : public agent::Driver {
 public:
  WitnessDriver(agent::Driver& inner, SimChecks& checks, SimObserver* observer, std::string host)
      : inner_(inner), checks_(checks), observer_(observer), host_(std::move(host)) {}
  std::string name() const override { return inner_.name(); }
  std::vector<TaskId> adopt(Listener listener) override { return inner_.adopt(std::move(listener)); }
  void launch(const agent::ContainerSpec& spec) override {
    checks_.saw_launch(spec.task, host_);
    if (observer_ != nullptr) observer_->host_launches(host_, spec);
    inner_.launch(spec);
  }
  void stop(const TaskId& task, milliseconds grace) override {
    if (observer_ != nullptr) observer_->host_stops(host_, task);
    inner_.stop(task, grace);
  }
  void discard(const TaskId& task) override { inner_.discard(task); }
  Result<agent::LogChunk> read_log(const TaskId& task, agent::LogStream stream, std::uint64_t offset,
                                   std::size_t bytes_max) override {
    return inner_.read_log(task, stream, offset, bytes_max);
  }

 private:
  agent::Driver& inner_;
  SimChecks& checks_;
  SimObserver* observer_;
  std::string host_;
};

}  // namespace troupe::embedded
