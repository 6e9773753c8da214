#pragma once
// The loop around one node's Raft core: what the core hands out, done in the order that core.hpp demands,
// over the log and its writer. No thread, socket, actor or clock of its own.
//
// The shell's loop, on one thread:
//   any number of inputs: receive, tick, link_up, link_down, propose, read, transfer, written, applied
//   then effects = take(now); do what they say, in the order of their members
// Many inputs per take() make groups: one sync and one message per peer for all of them.

#include <deque>
#include <span>

#include "storage/log/log_cache.hpp"
#include "storage/log/log_writer.hpp"
#include "storage/raft/core.hpp"
#include "storage/replica/waiting_reads.hpp"

namespace troupe {

constexpr milliseconds replica_tick{10};

/// Both clocks at one moment, read by the shell.
struct Now {
  Moment steady;
  Instant wall;
};
inline Now now_of(const Clock& clock) { return {clock.steady(), clock.wall()}; }

struct ReplicaConfig {
  NodeId self;
  raft::Config raft;
  milliseconds lease{1'000};
  std::uint64_t seed = 0;  ///< of this life
  std::size_t cache_bytes_max = LogCache::default_bytes_max;
};

/// What the shell must do.
struct ReplicaEffects {
  std::vector<raft::RoleChange> roles;  ///< in order; the last one counts
  std::vector<raft::Message> send;
  std::vector<raft::Entry> apply;  ///< in order; then call applied()
  std::vector<ReadAnswer> reads;
  std::optional<bool> lease;        ///< may this node give orders? told when it changes
  std::optional<std::string> stop;  ///< the replica is over: told once, nothing follows
};

/// Owner: the replica's actor, or a simulation. Single-threaded. What survives a crash is the log; who makes
/// a driver hands it what is left of it. After a stop every input is ignored: a node whose disk or state
/// failed must not vote.
class ReplicaDriver {
 public:
  /// All outlive the driver. Completions of the writer go to written(), on the driver's thread.
  ReplicaDriver(ReplicaConfig config, raft::Restored restored, const LogStore& log, LogWriter& writer);

  // ---- inputs ----
  void receive(const raft::Message& message);
  void tick(Now now);  ///< every replica_tick, behind what waited in the mailbox
  void link_up(NodeId peer) { core_.link_up(peer); }
  void link_down(NodeId peer) { core_.link_down(peer); }
  /// Stamps and appends, all or none. Errors as Core::propose; unavailable after a stop.
  Result<Index> propose(std::span<const Blob> commands, Now now);
  /// Ends in ReplicaEffects::reads if ok; tokens are used once. Errors: overloaded, unavailable.
  Result<void> read(raft::ReadToken token, Moment deadline);
  Result<void> transfer(NodeId target) { return core_.transfer(target); }
  void written(const Result<std::uint64_t>& ticket);  ///< what the log writer said
  void applied(Index index);                          ///< of what was handed out in ReplicaEffects::apply
  void stop(std::string why);

  ReplicaEffects take();

  // ---- figures ----
  bool is_stopped() const { return stopped_; }
  raft::Status status() const { return core_.status(); }
  raft::Role role() const { return stopped_ ? raft::Role::follower : core_.role(); }
  Term term() const { return core_.term(); }
  NodeId leader() const { return stopped_ ? NodeId{} : core_.leader(); }
  Index commit() const { return core_.commit(); }
  Index applied() const { return applied_; }
  Index last() const { return cache_.last(); }
  bool leased() const { return leased_; }
  std::size_t unsubmitted() const { return unsubmitted_.size(); }  ///< the writer's queue was full
  std::size_t waiting_readys() const { return waiting_.size(); }   ///< for durability

 private:
  struct Waiting {
    std::uint64_t number = 0;
    std::uint64_t last_write = 0;  ///< the newest Ready up to this one that wrote anything
    std::vector<raft::Message> send_after;
  };
  void take_ready();
  void keep(raft::Ready& ready);
  void finish_durable();
  void submit();
  void end_reads(const raft::Ready& ready);
  void look_at_lease();
  void set_lease(bool held);
  void send(std::vector<raft::Message>&& messages);

  const ReplicaConfig config_;
  const LogStore& log_;
  LogWriter& writer_;
  LogCache cache_;
  raft::Core core_;
  WaitingReads reads_;
  ReplicaEffects effects_;
  bool stopped_ = false;
  std::uint32_t ticks_ = 0;
  bool leased_ = false;
  Instant last_stamp_;
  Index applied_;
  std::deque<LogWrite> unsubmitted_;  ///< in order; the writer would not take them yet
  std::deque<Waiting> waiting_;       ///< in order
  std::uint64_t written_ = 0;         ///< the highest Ready number whose writes are durable
  std::uint64_t last_writing_ = 0;    ///< the last Ready number that wrote anything
};

}  // namespace troupe
