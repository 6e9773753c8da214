#pragma once
// Core and storage together under faults, in one thread and from one seed.

#include <map>
#include <memory>
#include <set>

#include "tests/storage/raft/durable/machine.hpp"

namespace troupe::raft::test {

enum class FaultKind : std::uint8_t {
  crash,        ///< what was flushed survives, and any prefix of what came after
  crash_hard,   ///< only what was flushed survives
  fail_sync,    ///< the next sync of the log fails; its batch may survive or not
  fail_write,   ///< the next write of the log fails
  fail_flush,   ///< the next flush of the state fails
  disk_full,    ///< until the next restart
  flip_bit,     ///< in the log of a node that is down
  tear_record,  ///< the same, the last record loses its end
  lose_record,  ///< the same, some record vanishes
  cut,          ///< one way or both, to some others
  heal,
  links,       ///< a link is reported down or up
  fast_clock,  ///< the node's ticks come five times as often, until the next fault of this kind
  stall,       ///< it does nothing for a while; its timers then fire before its messages
  transfer,
  change,  ///< add, promote or remove
};
constexpr std::size_t fault_kinds = static_cast<std::size_t>(FaultKind::change) + 1;

/// Drawn before the run, so that a failing run can be repeated with some of them left out.
struct Fault {
  std::uint64_t at = 0;  ///< event
  FaultKind kind = FaultKind::crash;
  std::uint64_t seed = 0;  ///< of whatever else it needs
};
std::string text_of(const Fault& fault);
std::vector<Fault> faults_of(std::uint64_t seed, std::uint64_t events);

struct Counts {
  std::uint64_t events = 0, leaders = 0, commits = 0, writes = 0, reads = 0, restarts = 0, damaged = 0,
                snapshots = 0, changes = 0;
  std::array<std::uint64_t, fault_kinds> faults{};
  void add(const Counts& other);
};

class DurableSimulation {
 public:
  DurableSimulation(std::uint64_t seed, std::vector<Fault> faults);
  /// The first violation, or nothing. Ends by healing everything; then a write and reads must get through.
  std::optional<std::string> run(std::uint64_t events);
  const Counts& counts() const { return counts_; }

 private:
  struct Client {
    std::uint64_t sequence = 0;
    bool answered = true;
  };
  struct OpenRead {
    NodeId node;
    Judge::Read read;
  };
  Machine& any(Random& random);
  void add_machine(NodeId id, Membership membership);
  void event();
  void strike(const Fault& fault);
  void strike_disk(const Fault& fault, Machine& machine, Random& random);
  void damage(FaultKind kind, Machine& machine, Random& random);
  void cut(Machine& machine, Random& random);
  void links(Machine& machine, Random& random);
  void change(Random& random);
  void restart(Machine& machine);
  void collect(Machine& machine);
  void deliver();
  void deliver_snapshot();
  void write(Machine& machine);
  void read(Machine& machine);
  void work(Machine& machine, std::uint64_t roll);
  void tick(Machine& machine);
  Machine* leader();
  void get_well();
  void pass_quietly();
  bool all_equal();

  Random random_;
  Config config_;
  std::uint32_t loss_percent_, duplicate_percent_, reorder_percent_, lazy_percent_, tick_weight_;
  std::size_t cache_bytes_;
  std::uint64_t keep_entries_;
  std::vector<Fault> faults_;
  std::size_t next_fault_ = 0;
  Judge judge_;
  std::map<NodeId, std::unique_ptr<Machine>> machines_;
  std::uint32_t newest_id_ = 0;
  std::deque<Message> network_;
  std::deque<SnapshotSent> snapshots_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::map<NodeId, std::uint64_t> stalled_;  ///< until this event
  NodeId fast_;
  std::array<Client, 4> clients_;
  std::map<std::uint64_t, OpenRead> reads_;
  std::uint64_t next_token_ = 1;
  Counts counts_;
};

/// The fewest faults of the list, found by leaving out ever smaller parts, with which the seed still fails.
std::vector<Fault> shrunk(std::uint64_t seed, std::vector<Fault> faults, std::uint64_t events);

}  // namespace troupe::raft::test
