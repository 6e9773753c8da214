#pragma once
// Whole clusters under random faults, from one seed each.

#include <optional>
#include <string>

#include "storage/base/random.hpp"
#include "tests/storage/raft/checker.hpp"

namespace troupe::raft::test {

struct Tally {
  std::uint64_t events = 0, leaders = 0, commits = 0, reads = 0, crashes = 0, transfers = 0;
  void add(const Tally& other);
  friend bool operator==(const Tally&, const Tally&) = default;
};

/// Random tunables, then loss, duplication, reordering, one-way cuts, crashes that lose unsynced writes,
/// restarts, slow disks, reads and transfers; then all is healed and must get well. Deterministic from the
/// seed.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  /// The first violation, or nothing.
  std::optional<std::string> run(std::uint64_t events);
  const Tally& tally() const { return tally_; }

 private:
  Node& any_node();
  void event();
  void fault();
  void deliver_one();
  void settle_node(Node& node);
  void flush(Node& node);
  void collect(Node& node);
  void sync(Node& node);
  void propose(Node& node);
  void read(Node& node);
  void crash(Node& node);
  void restart(Node& node);
  void cut();
  void heal();
  bool can_pass(const Message& message) const;
  void get_well();
  void run_quietly();
  bool is_well();

  Random random_;
  Config config_;
  std::uint32_t loss_percent_, duplicate_percent_, reorder_percent_, lazy_percent_, fault_weight_,
      tick_weight_;
  std::size_t batch_max_;
  Nodes nodes_;
  Checker checker_;
  std::deque<Message> network_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::uint64_t next_token_ = 1, next_command_ = 1;
  Tally tally_;
};

}  // namespace troupe::raft::test
