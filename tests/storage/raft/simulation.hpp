#pragma once
// Whole clusters under random faults, from one seed each.

#include <optional>
#include <string>

#include "storage/base/random.hpp"
#include "storage/raft/mutant.hpp"
#include "tests/storage/raft/checker.hpp"
#include "tests/storage/raft/clients.hpp"
#include "tests/storage/raft/promise_checker.hpp"

namespace troupe::raft::test {

struct Tally {
  std::uint64_t events = 0, leaders = 0, commits = 0, reads = 0, crashes = 0, transfers = 0;
  std::uint64_t configs = 0, wipes = 0, compactions = 0, snapshots = 0, stale_snapshots = 0, answers = 0;
  std::uint64_t stops = 0;  ///< broken checks inside a node; only mutants have them
  void add(const Tally& other);
  friend bool operator==(const Tally&, const Tally&) = default;
};

/// Random tunables, then loss, duplication, reordering, one-way cuts, crashes that lose unsynced writes,
/// restarts, slow disks, reads, writes, transfers, changes of membership, compaction and snapshots; then all
/// is healed and must get well. Deterministic from the seed.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  /// The first violation, or nothing.
  std::optional<std::string> run(std::uint64_t events);
  const Tally& tally() const { return tally_; }

 private:
  struct Bulk {
    NodeId from, to;
    std::uint64_t from_life = 0;  ///< 0: a late copy, of which nobody is told
    Snapshot snapshot;
  };
  /// Broken checks stop the node, as they stop the process in production.
  template <class Do>
  void guard(Node& node, Do act);
  Node& any_node();
  void event();
  void fault();
  void deliver_one();
  void settle_node(Node& node);
  void flush(Node& node);
  void collect(Node& node);
  void sync(Node& node);
  void propose(Node& node);
  Result<void> read(Node& node, ReadToken token);
  Result<Index> offer(Node& node, std::span<const Proposal> proposals);
  Clients::Door door_of(Node& node);
  void crash(Node& node);
  void restart(Node& node);
  void cut();
  void heal();
  bool can_pass(const Message& message) const;
  // simulation_members.cpp
  void compact(Node& node);
  void change_members(Node& node);
  void wipe_stranger(NodeId id);
  void carry_bulk();
  void deliver_bulk(const Bulk& bulk);
  void tell_sender(const Bulk& bulk, Index index);
  // simulation_recovery.cpp
  void get_well();
  void stay_well();
  void run_quietly();
  bool is_well();
  Node* only_leader();
  void tick_all();
  // simulation_drills.cpp
  void drill();
  bool settles();
  Node& follower();
  void lose_one_link();
  void hand_over();
  void lose_leader();
  void leave_leader_alone();
  void remove_leader();

  Random random_;
  Config config_;
  std::uint32_t loss_percent_, duplicate_percent_, reorder_percent_, lazy_percent_, fault_weight_,
      tick_weight_, members_weight_, remove_percent_, compact_weight_;
  std::size_t batch_max_;
  Membership initial_;
  Nodes nodes_;
  Checker checker_;
  PromiseChecker promises_{checker_};
  static constexpr std::uint32_t settle_election_times = 40;
  Clients clients_;
  std::deque<Message> network_;
  std::deque<Bulk> bulk_;
  NodeId held_;  ///< whose disk syncs nothing for the moment
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::set<NodeId> ever_voters_;  ///< in anybody's log, at any time
  std::uint64_t next_token_ = 1, next_command_ = 1;
  Tally tally_;
};

template <class Do>
void Simulation::guard([[maybe_unused]] Node& node, Do act) {
#ifdef TROUPE_RAFT_MUTANTS
  try {
    act();
  } catch (const Stopped&) {
    ++tally_.stops;
    node.crash();
  }
#else
  act();
#endif
}

}  // namespace troupe::raft::test
