#pragma once
// A whole cell in one thread under virtual time: the real nodes and agents over a simulated network, disks
// and clocks. The same options, calls and seed give the same history, to the last byte.

#include <memory>
#include <string>

#include "cmd/embedded/options.hpp"
#include "cmd/embedded/sim_stream.hpp"
#include "cmd/embedded/sim_tap.hpp"
#include "net/http/http.hpp"
#include "storage/model/feature_level.hpp"
#include "storage/raft/ready.hpp"
#include "storage/state/reads.hpp"

namespace troupe::embedded {

struct SimOptions : ClusterOptions {
  std::uint64_t seed = 1;
  std::chrono::microseconds sync_min{80};  ///< of one synced write
  std::chrono::microseconds sync_max{400};
  std::uint32_t resets = 0;     ///< of a million messages: lost, and their link breaks
  std::uint32_t drops = 0;      ///< of a million messages: lost, and nobody notices
  bool shuffles_turns = false;  ///< the actors of a node take turns as the seed draws them, not in order
  std::uint32_t level_known = feature_level_known;  ///< feature level of the build that nodes begin with
  SimTap heard;                                     ///< for tests: each message between nodes and agents
  std::function<void(std::uint32_t node, const http::Response&)> answered;  ///< likewise, by a gateway
  SimObserver* observer = nullptr;                                          ///< outlives the cluster
};

/// What a simulated client has received so far; done when it is whole, or when its stream has ended. To hang
/// up, set done. Status 500 without a body of ours: the node died before it answered.
struct SimAnswer {
  bool done = false;
  http::Response response;
  std::function<void()> on_done;  ///< of an answer sent whole
  SimStream stream;               ///< if set: hears the chunks, which otherwise gather in the body
};

/// Of what was begun; nothing until it is known.
using SimOutcome = std::shared_ptr<std::optional<Result<Index>>>;

/// Nodes are numbered from 1, hosts are "host-1" and so on, group by group. Calls advance virtual time only
/// where they say so.
class SimCluster {
 public:
  explicit SimCluster(SimOptions options);
  ~SimCluster();
  SimCluster(const SimCluster&) = delete;
  SimCluster& operator=(const SimCluster&) = delete;

  // ---- time ----
  Instant now() const;
  void run_for(milliseconds span);
  /// Until `done` holds, looked at after every virtual millisecond; false if `at_most` passed first.
  bool run_until(const std::function<bool()>& done, milliseconds at_most);

  // ---- users ----
  /// One request to a node's gateway; time advances until the answer. Status 0: none within `patience`.
  http::Response call(std::uint32_t node, std::string method, std::string target, std::string body = {},
                      http::Headers headers = {}, milliseconds patience = milliseconds(15'000));
  /// The same, answered from within run_for() and the like.
  std::shared_ptr<SimAnswer> ask(std::uint32_t node, std::string method, std::string target,
                                 std::string body = {}, http::Headers headers = {}, SimStream stream = {});
  /// The node that leads; 0: none, or they disagree.
  std::uint32_t leader() const;
  /// What is missing of: everything that is up works together, with so many agents. Empty: nothing.
  std::string why_not_settled(std::size_t hosts) const;
  /// Likewise of: all nodes but retired ones are up and settled, with all hosts.
  std::string why_not_whole() const;
  std::vector<std::uint32_t> nodes() const;      ///< the numbers of those that are not retired, ascending
  const Reads* reads(std::uint32_t node) const;  ///< nullptr while it is down
  const NodeStatus* status(std::uint32_t node) const;

  // ---- operators: asked of that node, which must lead; time advances until the answer ----
  Result<Index> change_members(std::uint32_t leader, raft::MemberChangeKind kind, std::uint32_t node);
  /// The same without advancing time, at a node that is up.
  SimOutcome begin_change(std::uint32_t leader, raft::MemberChangeKind kind, std::uint32_t node);
  /// It crashes and does not count any more: it was removed.
  void retire_node(std::uint32_t node);
  Result<Index> transfer_leadership(std::uint32_t leader, std::uint32_t to);

  // ---- faults ----
  void crash_node(std::uint32_t node);  ///< what was not synced is lost
  void restart_node(std::uint32_t node);
  /// Its next start is that of a build which knows this feature level.
  void install_build(std::uint32_t node, std::uint32_t level_known);
  bool is_up(std::uint32_t node) const;
  std::string failure(std::uint32_t node) const;  ///< why a node gave up; empty if it did not
  void lose_disk(std::uint32_t node);             ///< it crashes, and all that it wrote is gone
  /// A node with whatever disk it has starts and waits to be added; its number may be new.
  void join_node(std::uint32_t node);
  std::uint64_t snapshots_installed(std::uint32_t node) const;
  std::uint64_t repairs(std::uint32_t node) const;  ///< starts that set a damaged log or state aside
  /// Neither runs nor answers, and its links fall silent; thawed, it goes on where it was.
  void freeze_node(std::uint32_t node);
  void thaw_node(std::uint32_t node);
  void isolate_node(std::uint32_t node);           ///< from nodes and agents
  void cut(std::uint32_t from, std::uint32_t to);  ///< between nodes, one way
  void isolate_host(std::uint32_t host);
  void heal();  ///< all cuts and slow ways and the registry, thaws, and sets the clocks right
  void crash_agent(std::uint32_t host);  ///< its containers run on
  void restart_agent(std::uint32_t host);
  void kill_host(
      std::uint32_t host);  ///< with its containers and its journal; restart_agent() is a new machine
  void fail_registry();     ///< of images, for hosts that lack them
  void freeze_agent(std::uint32_t host);                 ///< its containers run on, its links fall silent
  void slow_agent(std::uint32_t host, milliseconds by);  ///< it handles what there is only so often
  /// What its agent says from its next start on that tasks may use.
  void resize_host(std::uint32_t host, const Resources& resources);
  /// An agent that belongs to another cell dials this one; its containers must run on. Its machine is
  /// "stray-1", its number follows the last host's.
  void start_stray_agent();
  void slow_links(std::uint32_t node, std::uint32_t other, milliseconds by);  ///< both ways; 0: as usual
  void slow_host_links(std::uint32_t host, milliseconds by);
  bool agent_is_up(std::uint32_t host) const;
  void fail_writes(std::uint32_t node);  ///< the next write to its log's disk fails
  void fail_syncs(std::uint32_t node);
  /// Of a node that is down: one bit of its state is another, as if its own apply had erred. Its disk's
  /// checks find nothing. False: it has no host's record yet.
  bool damage_state(std::uint32_t node);
  /// Of a node that is down: some entry of its log, or the last one, is damaged. False: it has none.
  bool flip_log_bit(std::uint32_t node);
  bool lose_log_tail(std::uint32_t node);
  void lose_log(std::uint32_t node);                       ///< all of it; the rest of its folder is left
  void fail_apply(std::uint32_t node);                     ///< the next write of its state fails
  void leap_clock(std::uint32_t node, milliseconds by);    ///< its wall clock; restarts do not mend it
  void drift_clock(std::uint32_t node, std::int64_t ppm);  ///< its wall clock, from now on

  // ---- what happened ----
  /// Promises broken so far: two leaders of a term, a task started twice, nodes that differ at an index.
  const std::vector<std::string>& violations() const;
  std::size_t launches(const TaskId& task) const;  ///< orders to a driver to start it
  std::size_t tasks_launched() const;
  bool runs(std::uint32_t host, const TaskId& task) const;  ///< is started, as the host's driver has it
  std::size_t containers_kept(std::uint32_t host) const;    ///< that run, or whose end is not acknowledged
  std::uint64_t steps() const;  ///< messages handled and delivered, timers, synced groups: what took work
  /// Of everything: the network, the state of every node after each of its steps, every answer.
  std::uint64_t history_hash() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::embedded
