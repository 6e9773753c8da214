#pragma once
// A whole cell of drivers under faults, in one thread and from one seed.

#include <map>
#include <memory>
#include <set>

#include "storage/base/random.hpp"
#include "storage/raft/mutant.hpp"
#include "tests/storage/raft/clients.hpp"
#include "tests/storage/replica/life/fault.hpp"
#include "tests/storage/replica/life/judge.hpp"
#include "tests/storage/replica/machine.hpp"

namespace troupe {

struct LifeCounts {
  std::uint64_t events = 0, leaders = 0, commits = 0, answers = 0, reads = 0, restarts = 0, crashes = 0;
  std::uint64_t configs = 0, snapshots = 0, cuts = 0, stalls = 0, leaps_refused = 0, stops = 0, damaged = 0;
  std::uint64_t raises = 0, refused = 0;  ///< feature levels; starts that a build refused
  std::uint64_t broken_checks = 0;        ///< only deliberate bugs have them
  std::array<std::uint64_t, fault_kinds> faults{};
  void add(const LifeCounts& other);
  friend bool operator==(const LifeCounts&, const LifeCounts&) = default;
};
std::string text_of(const LifeCounts& counts);

/// Drawn from the seed.
struct LifeTunables {
  MachineOptions machine;
  std::uint32_t loss_percent, duplicate_percent;
  bool in_order;  ///< messages of one link never overtake each other
  std::int64_t delay_us_max, sync_us_max, apply_us_max, lazy_us_max, client_us;
  std::size_t batch_max;
  std::uint32_t voters, new_builds_percent;
  explicit LifeTunables(Random& random);
};

raft::Membership first_members(std::uint32_t voters);

/// Machines with clocks of their own, a network, clients, an operator; time is the sum of what happens. At
/// the end all is healed: then the cell must get well, and stay so, also when all of it stands still for a
/// while. Deterministic from the seed and the faults.
class Life {
 public:
  Life(std::uint64_t seed, std::vector<Fault> faults, milliseconds length);
  /// The first violation, or nothing.
  std::optional<std::string> run();
  const LifeCounts& counts() const { return counts_; }

 private:
  using Act = std::function<void()>;
  struct Snapshot {
    raft::SnapshotMeta meta;
    MachineState state;
  };
  using SnapshotPtr = std::shared_ptr<const Snapshot>;
  struct Host {
    Host(NodeId id, raft::Membership initial, const MachineOptions& options)
        : machine(id, std::move(initial), options) {}
    Machine machine;
    std::int64_t rate_permille = 1000;  ///< of its steady clock
    std::int64_t steady_ns = 0, since_ns = 0;
    milliseconds wall_off{0};
    bool wild = false;  ///< its wall clock leapt
    std::int64_t wild_until_ns = 0;
    bool stands_still = false, tick_waits = false;
    std::deque<Act> backlog;  ///< what came while it stood still
    bool flush_pending = false, applying = false;
    std::deque<raft::Entry> to_apply;
    std::optional<Snapshot> arrived;
    std::set<raft::ReadToken> reads;
    bool slow = false;
    bool hurt = false;    ///< its disk was told to fail: it may stop
    bool struck = false;  ///< its log was damaged on purpose
    bool damaged = false;
    bool restarts = false;
    NodeId id() const { return machine.self_; }
    bool up() const { return machine.is_up(); }
    bool acts() const { return up() && !stands_still; }
    ReplicaDriver& driver() { return *machine.driver_; }
    raft::test::Clients::At life() const { return {machine.self_, machine.lives_}; }
  };
  // life.cpp
  void later(std::int64_t delay_us, Act act);
  void later_at(Host& host, std::int64_t delay_us, std::function<void(Host&)> act);
  void guarded(Host& host, const std::function<void(Host&)>& act);
  void happen_until(std::int64_t end_ns);
  Now now_of(const Host& host) const;
  void tell(const Host& host, const std::string& what) const;
  Host& host(NodeId id) { return *hosts_.at(id); }
  Host& any(Random& random);
  Host* leader();
  Host& add_host(NodeId id, raft::Membership initial);
  void tick(Host& host);
  void tick_later(Host& host);
  void look_at_leases(Host& host);
  void flush_soon(Host& host);
  void take(Host& host);
  void perform(Host& host, ReplicaEffects effects);
  void leads(Host& host, Term term);
  void sync_soon(Host& host);
  void apply_soon(Host& host);
  void care(Host& host, StateCare care);
  void answer(Host& host, const ReadAnswer& answer);
  // life_clients.cpp
  void clients_act();
  void propose_filler(Host& host);
  bool read(Host& host, raft::ReadToken token);
  raft::test::Clients::Door door_of(Host& host);
  void operate();
  // life_network.cpp
  void send(const ReplicaMessage& message);
  void arrive(Host& host, const ReplicaMessage& message);
  void tell_link(Host& host, NodeId peer, bool up);
  void send_snapshot(Host& from, NodeId peer);
  void offer_snapshot(Host& from, NodeId peer, SnapshotPtr snapshot, int tries);
  void arrive_late(Host& from, NodeId peer, SnapshotPtr snapshot);
  void hear_offer(Host& to, const Snapshot& snapshot, Term sender_term);
  void install(Host& host);
  // life_faults.cpp
  void strike(const Fault& fault);
  void strike_disk(const Fault& fault, Host& host, Random& random);
  void crash(Host& host, Random* random);
  void die(Host& host, const std::string& why);
  void restart(Host& host);
  void restart_soon(Host& host);
  void damage(FaultKind kind, Host& host, Random& random);
  void cut(Host& host, Random& random);
  void links(Host& host, Random& random);
  void set_rate(Host& host, std::int64_t permille);
  void leap(Host& host, Random& random);
  void stand_still(Host& host);
  void go_on(Host& host);
  void change(Random& random);
  // life_recovery.cpp
  void get_well();
  bool is_well();
  bool members_read();
  void stay_well();
  std::string state_of(Host& host);

  Random random_;
  const LifeTunables tunables_;
  std::uint32_t loss_percent_, duplicate_percent_;
  std::int64_t delay_us_max_, sync_us_max_, apply_us_max_, lazy_us_max_;
  const std::vector<Fault> faults_;
  const std::int64_t length_ns_;
  std::int64_t truth_ns_ = 0;
  std::multimap<std::int64_t, Act> events_;
  std::map<NodeId, std::unique_ptr<Host>> hosts_;
  Judge judge_;
  raft::test::Clients clients_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::map<std::pair<NodeId, NodeId>, std::int64_t>
      newest_due_;  ///< of each link, when messages keep their order
  std::size_t on_the_way_ = 0;
  bool healed_ = false;
  std::uint32_t newest_id_ = 0;
  raft::ReadToken next_token_ = 1;
  std::uint64_t next_filler_ = 1;
  std::set<raft::ReadToken> answered_;  ///< since the cell was healed
  LifeCounts counts_;
};

/// The fewest faults of the list, found by leaving out ever smaller parts, with which the seed still fails.
std::vector<Fault> shrunk(std::uint64_t seed, std::vector<Fault> faults, milliseconds length);

}  // namespace troupe
