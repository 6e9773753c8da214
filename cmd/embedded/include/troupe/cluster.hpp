#pragma once
// A whole cell in this process: real, or simulated from a seed.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <troupe/client.hpp>
#include <troupe/error.hpp>
#include <troupe/history.hpp>
#include <troupe/job.hpp>
#include <vector>

namespace troupe::embedded {

/// Hosts that are alike.
struct HostGroup {
  std::string name = "flex-1";
  std::uint32_t count = 1;
  double cpus = 8;
  std::int64_t memory_mb = 16'384;
  std::int64_t disk_mb = 100'000;
  std::int64_t network_mbps = 1'000;
  std::int64_t gpus = 0;
  std::map<std::string, std::string> attributes{};
};

/// What containers are.
enum class Driver : std::uint8_t {
  sim,      ///< they pretend, as the job's script says
  process,  ///< child processes of this one; only in the real world
};

struct Options {
  std::uint32_t nodes = 3;
  std::vector<HostGroup> hosts = {{.count = 3}};
  std::string cell = "test";
  /// Settings of nodes, as `troupe settings` lists them, and policies of the cell: jobs_max, tasks_max,
  /// requests_max, request_memory_ms, launched_ms_max, start_initiated_ms_max, kill_initiated_ms_max,
  /// host_lost_after_ms; relaunch_burst, relaunches_per_minute; launch_burst, launches_per_minute,
  /// launches_max, and of each host host_launch_burst, host_launches_per_minute, host_launches_max;
  /// host_rest_ms, host_rest_ms_max.
  std::map<std::string, std::string> settings{};
  Driver driver = Driver::sim;
  /// Set: the cell is simulated, in one thread under virtual time, and all chance comes from this number; the
  /// environment variable TROUPE_SEED takes its place. Not set: threads, sockets on loopback, RocksDB.
  std::optional<std::uint64_t> seed{};
  /// Of simulated messages, out of a million: lost together with their link, as when a connection breaks.
  std::uint32_t resets_ppm = 0;
  /// Where real nodes keep their disks: must be empty, or of an earlier life of the same nodes. Empty: a
  /// temporary folder that goes with the cluster.
  std::string folder{};
  /// Of Driver::process: the program troupe-shim, which is installed in libexec. Empty: beside this program.
  std::string shim{};
  /// How long calls that wait for the cell wait at most, where they are told nothing else.
  std::chrono::milliseconds patience{60'000};
  /// Arguments of this program that run just this test, for the command that repeats it:
  /// "--gtest_filter=Suite.Test". Empty: those that it was started with.
  std::string repeat_arguments{};
};

/// Owner: one thread, which makes all calls. In the simulated world time stands still between calls; those
/// that let it pass say so. In the real world the cell goes on by itself. Nodes are numbered from 1; hosts
/// are "host-1" and so on, in the order of their groups. Errors are Failures (error.hpp).
class Cluster {
 public:
  /// Starts it and waits until it is settled: every node follows one leader and every host is connected.
  explicit Cluster(Options options = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  bool is_simulated() const;
  std::uint32_t nodes() const;
  std::vector<std::string> hosts(std::string_view group = {}) const;  ///< empty: of all groups
  std::uint32_t leader() const;                                       ///< 0: none at the moment
  bool is_up(std::uint32_t node) const;
  bool is_up(std::string_view host) const;             ///< its agent
  std::string peer_address(std::uint32_t node) const;  ///< as /api/v3/cell/members wants it

  /// Speaks to that node; 0: to the first one that can speak for the cell at each call.
  Client client(std::uint32_t node = 0);

  // ---- time ----
  Time now() const;  ///< simulated, or the machine's
  void run_for(std::chrono::milliseconds span);
  /// Until `done` holds: looked at whenever the cell tells of a change, and at least ten times a second.
  /// False if `at_most` passed first.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds at_most);
  /// Until all that is up works together: one leader, every node level with it, every running agent connected
  /// where its shard is owned, shards spread where all nodes are up. Lets time pass; throws with what is
  /// missing after Options::patience.
  void await_settled();

  // ---- faults; each is an event of the history ----
  void crash_node(std::uint32_t node);  ///< what was not synced is lost
  /// One that lost its disk comes back as a stranger: remove and add it through /api/v3/cell/members.
  void restart_node(std::uint32_t node);
  void freeze_node(std::uint32_t node);                 ///< neither runs nor answers. Simulated only
  void thaw_node(std::uint32_t node);                   ///< it goes on where it was. Simulated only
  void isolate_node(std::uint32_t node);                ///< from nodes and agents, not from clients
  void cut_link(std::uint32_t from, std::uint32_t to);  ///< between nodes, one way
  /// It crashes, and all that it wrote is gone: it may not come back under its number.
  void lose_disk(std::uint32_t node);
  void fail_writes(std::uint32_t node);  ///< of its log; it gives up, and a crash and restart mend it
  void fail_syncs(std::uint32_t node);   ///< likewise
  void leap_clock(std::uint32_t node, std::chrono::milliseconds by);  ///< its wall clock
  void drift_clock(std::uint32_t node, std::int64_t ppm);             ///< its wall clock, from now on
  void crash_agent(std::string_view host);                            ///< its containers run on
  void restart_agent(std::string_view host);
  /// The machine with its containers and its agent's memory; restart_agent() is then a new one of that name.
  /// Not with Driver::process.
  void kill_host(std::string_view host);
  void isolate_host(std::string_view host);
  /// Its containers run on, its links stay and say nothing. Simulated only, as the next three.
  void freeze_agent(std::string_view host);
  void slow_agent(std::string_view host, std::chrono::milliseconds by);  ///< it handles all only so often
  void slow_link(std::uint32_t node, std::uint32_t other, std::chrono::milliseconds by);  ///< both ways
  void start_stray_agent();  ///< of another cell, with containers of its own; it is sent away
  /// Images that a host does not have yet cannot be had: their tasks end as localSystemError. With
  /// Driver::sim.
  void fail_registry();
  /// All links and agents, the registry, thaws, and sets the clocks right; what crashed stays down.
  void heal();

  // ---- what happened ----
  /// A line of the test's own in the history.
  void note(std::string text);
  /// All that is remembered, in order; or what concerns one job or task by its id, the faults included. The
  /// oldest is forgotten beyond history_events_max.
  std::vector<HistoryEvent> history(std::string_view entity = {}) const;
  static constexpr std::size_t history_events_max = 200'000;
  /// The same for people: its last lines, with times since the cluster began.
  std::string timeline(std::string_view entity = {}, std::size_t lines_max = 100) const;
  /// Promises that the cell broke so far: two leaders of a term, a task started twice, nodes that differ at
  /// the same index; and all that the judges of `troupe sim` find: jobs and tasks that leave their drawings,
  /// wrong bookings and counters, duties that nobody would be woken for, hosts told to stop what nobody
  /// ended. Looked at every second. Only a simulation can see them; always empty in the real world.
  std::vector<std::string> violations() const;
  /// Equal for equal seeds, options and calls. Simulated only.
  std::uint64_t history_hash() const;
  std::optional<std::uint64_t> seed() const;
  /// "seed 42; repeat: TROUPE_SEED=42 my_tests --gtest_filter=Suite.Test", for a test's own assertions.
  std::string how_to_repeat() const;

 private:
  friend class Client;
  friend struct StoryTeller;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::embedded
