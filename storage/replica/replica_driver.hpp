#pragma once
// The loop around one node's Raft core: what the core hands out, done in the order that core.hpp demands,
// over the log and its writer. No thread, socket, actor or clock of its own.
//
// The shell's loop, on one thread:
//   any number of inputs: receive, tick, link_up, link_down, propose, change, read, transfer, written,
//   applied, flushed, ...
//   then effects = take(now); do what they say, in the order of their members
// Many inputs per take() make groups: one sync and one message per peer for all of them.

#include <deque>
#include <span>

#include "storage/log/log_writer.hpp"
#include "storage/raft/core.hpp"
#include "storage/replica/clock_guard.hpp"
#include "storage/replica/confirmations.hpp"
#include "storage/replica/disk_book.hpp"
#include "storage/replica/log_keeper.hpp"
#include "storage/replica/replica_message.hpp"
#include "storage/replica/waiting_reads.hpp"

namespace troupe {

constexpr milliseconds replica_tick{10};

struct ReplicaConfig {
  NodeId self;
  raft::Config raft;
  milliseconds lease{1'000};
  milliseconds stall{250};  ///< between ticks; longer is a stall of the process
  milliseconds clock_leap{5'000};
  LogRetention retention;
  raft::Membership initial;       ///< of the cell at its beginning; counts while the log has everything
  std::uint64_t seed = 0;         ///< of this life
  std::uint32_t level_known = 0;  ///< feature level of this build, for the others
  std::size_t cache_bytes_max = LogCache::default_bytes_max;
  DiskBook* disks = nullptr;  ///< null: every node that comes under a number is that one
};

/// What the shell must do.
struct ReplicaEffects {
  std::vector<raft::RoleChange> roles;  ///< in order; the last one counts
  std::vector<ReplicaMessage> send;
  std::vector<raft::Entry> apply;  ///< in order; then call applied()
  std::vector<ReadAnswer> reads;
  std::vector<raft::SnapshotNeed> snapshots;   ///< stream one to each, then call snapshot_sent()
  std::optional<bool> lease;                   ///< may this node give orders? told when it changes
  StateCare care = StateCare::none;            ///< by somebody who may block; then call flushed()
  bool free_log = false;                       ///< LogStore::free_space(), by somebody who may block
  std::optional<raft::Membership> membership;  ///< told when it changes, and first
  std::optional<milliseconds> stalled;         ///< the process stood still for so long
  bool clock_leapt = false;                    ///< a leader refuses to stamp; told once per leadership
  std::optional<std::string> stop;             ///< the replica is over: told once, nothing follows
  bool install = false;                        ///< the same, for the snapshot that arrived
};

struct ReplicaCounters {
  std::uint64_t stalls = 0;
  std::uint64_t leaps_refused = 0;         ///< leaderships given up because of the clock
  std::uint64_t cuts = 0;                  ///< of the log's beginning
  std::uint64_t syncs = 0;                 ///< answers of the log writer
  std::chrono::nanoseconds sync_time{0};   ///< from handing over to the answer, in all
  std::chrono::nanoseconds sync_worst{0};  ///< of this and the last `worst_window`
  std::uint64_t strangers = 0;  ///< messages from another disk than the one known under that number
};

/// Owner: the replica's actor, or a simulation. Single-threaded. What survives a crash is the log; who makes
/// a driver hands it what is left of it. After a stop every input is ignored: a node whose disk or state
/// failed must not vote.
class ReplicaDriver {
 public:
  /// `restored` by restore(). All outlive the driver. Completions of the writer go to written(), on the
  /// driver's thread.
  ReplicaDriver(ReplicaConfig config, raft::Restored restored, const LogStore& log, LogWriter& writer);

  // ---- inputs ----
  void receive(const ReplicaMessage& message, Now now);
  enum class Tick : std::uint8_t {
    counted,
    again,  ///< after a stall: give what waits in the mailbox first, then tick again at once
  };
  Tick tick(Now now);  ///< every replica_tick
  void link_up(NodeId peer);
  void link_down(NodeId peer);
  /// Stamps and appends, all or none. Errors as Core::propose; unavailable also after a stop and while this
  /// node's clock is not to be trusted.
  Result<Index> propose(std::span<const Blob> commands, Now now);
  /// As Core::change; the stamp is filled in.
  Result<Index> change(raft::MemberChange change, Now now);
  /// Ends in ReplicaEffects::reads if ok; tokens are used once. Without a leader it waits for the next one
  /// until its deadline. Errors: overloaded; unavailable (this node has stopped, or takes a snapshot).
  Result<void> read(raft::ReadToken token, Moment deadline);
  Result<void> transfer(NodeId target);
  void written(const Result<std::uint64_t>& ticket, Now now);  ///< what the log writer said
  void applied(Index index);                                   ///< of what was handed out in apply
  void flushed(const Result<Index>& index, Now now);           ///< what a crash now would come back to
  void stop(std::string why);

  // ---- snapshots: to others ----
  raft::SnapshotMeta snapshot_meta() const { return core_.snapshot_meta(); }
  /// Keeps what follows the snapshot in the log until snapshot_sent().
  void snapshot_started(NodeId receiver, Index index);
  void snapshot_sent(NodeId receiver, Index index);  ///< as Core::snapshot_sent; ends the pin
  // ---- snapshots: from others ----
  enum class Arrival : std::uint8_t {
    unwanted,  ///< the log has brought this node further meanwhile: forget it
    waits,     ///< not now: tell again
    installs,  ///< this replica is over, as ReplicaEffects::install will say
  };
  /// One has arrived, whole and verified. Who is told to install it exchanges the state, lets the log begin
  /// behind it (begin_log_behind) and makes another driver.
  Arrival snapshot_arrived(const raft::SnapshotMeta& meta);

  ReplicaEffects take(Now now);

  /// Wall less steady time, by the cell's clock: the leader's, unless that one has leapt. Not this machine's,
  /// which may say anything. Unchanged while no leader is heard; nullopt: none was.
  std::optional<milliseconds> cell_time(Now now);

  /// The feature level that each member's build knows, of those that were heard since this driver was made.
  std::map<NodeId, std::uint32_t> levels() const;

  // ---- figures ----
  bool is_stopped() const { return stopped_; }
  raft::Status status() const { return core_.status(); }
  raft::Role role() const { return stopped_ ? raft::Role::follower : core_.role(); }
  Term term() const { return core_.term(); }
  NodeId leader() const { return stopped_ ? NodeId{} : core_.leader(); }
  Index commit() const { return core_.commit(); }
  Index applied() const { return applied_; }
  Index flushed() const { return keeper_.flushed(); }
  const raft::LogView& log() const { return cache_; }
  Index first() const { return cache_.first(); }
  Index last() const { return cache_.last(); }
  std::uint64_t log_bytes() const { return cache_.sizes().total(); }
  std::uint64_t unapplied_bytes() const { return cache_.sizes().behind(applied_); }
  bool leased() const { return leased_; }
  std::size_t unsubmitted() const { return unsubmitted_.size(); }  ///< the writer's queue was full
  std::size_t waiting_readys() const { return waiting_.size(); }   ///< for durability
  const ReplicaCounters& counters() const { return counters_; }

 private:
  struct Waiting {
    std::uint64_t number = 0;
    std::uint64_t last_write = 0;  ///< the newest Ready up to this one that wrote anything
    std::vector<raft::Message> send_after;
  };
  // replica_disks.cpp
  bool is_mute() const;
  bool admits(const ReplicaMessage& message);
  void greet(NodeId peer);
  void greet_again(NodeId peer);
  void greet_while_unknown();
  void look_at_disks();
  void promise_in(Term term);
  void sign(ReplicaMessage& message, bool greets) const;
  // replica_driver.cpp
  void end();
  Result<Index> stamped(Result<Index> appended, Instant at);
  void take_ready();
  void keep(raft::Ready& ready);
  void finish_durable();
  void submit(Now now);
  void measure_sync(Now now);
  void end_reads(const raft::Ready& ready);
  void ask_again();
  void send(std::vector<raft::Message>&& messages);
  void address(Now now);
  // replica_upkeep.cpp
  bool notice_stall(Now now);
  bool clock_has_leapt(Now now) const;
  void guard_clock(Now now);
  void hand_over(Now now);
  void follow_time(milliseconds leaders, Now now);
  void note_term(Now now);
  bool counts(NodeId leader, Moment heard) const;
  void look_at_lease(Now now);
  void set_lease(bool held);
  std::optional<Moment> confirmed_by_quorum(Now now) const;
  void cut_log();
  void tell_membership();

  const ReplicaConfig config_;
  const LogStore& log_;
  LogWriter& writer_;
  LogCache cache_;
  raft::Core core_;
  WaitingReads reads_;
  std::vector<raft::ReadToken> unasked_;  ///< of reads_, some of them over: no leader is known, or it is busy
  ClockGuard clocks_;
  Confirmations confirmations_;
  LogKeeper keeper_;
  ReplicaEffects effects_;
  ReplicaCounters counters_;
  std::vector<raft::Message> to_send_;
  std::vector<raft::Message> greetings_;     ///< to be sent, by the way
  std::map<NodeId, std::uint32_t> greeted_;  ///< in which tick
  std::map<NodeId, std::uint32_t> levels_;   ///< as the members said last
  bool stopped_ = false;
  std::uint32_t ticks_ = 0;
  std::optional<Moment> ticked_;
  bool leased_ = false;
  Term noted_term_;
  Moment term_since_;
  std::map<NodeId, Moment> of_other_terms_;  ///< when a message of another term than the core's was last sent
  std::optional<Moment> confirmed_;  ///< the leader, or as leader a quorum, heard this node then or later
  std::optional<milliseconds> cell_time_;
  /// The leader's time is far from what it was.
  struct StrangeTime {
    Term term;
    Moment since;
  };
  std::optional<StrangeTime> strange_;
  bool leapt_ = false;
  std::uint32_t leapt_ticks_ = 0;
  Instant last_stamp_;
  Index applied_;
  raft::Membership told_;
  std::deque<LogWrite> unsubmitted_;                        ///< in order; the writer would not take them yet
  std::deque<Waiting> waiting_;                             ///< in order
  std::deque<std::pair<std::uint64_t, Moment>> submitted_;  ///< tickets, and when the writer took them
  std::chrono::nanoseconds worst_now_{0};
  Moment worst_since_;
  std::uint64_t written_ = 0;       ///< the highest Ready number whose writes are durable
  std::uint64_t last_writing_ = 0;  ///< the last Ready number that wrote anything
  std::optional<Index> freeing_;    ///< cut; the files are dropped when the cut is durable
};

}  // namespace troupe
