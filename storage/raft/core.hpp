#pragma once
// The Raft core: consensus as a value. No clock, threads, I/O or logging; what it does follows from its seed
// and its inputs alone.
//
// The driver's loop, on one thread:
//   inputs: step, tick, propose, change, read, transfer, link_down, link_up, persisted, applied
//   while has_ready():
//     r = ready()
//     1. bring the LogView up to date at once: truncate r.truncate_from, then append r.append (not yet
//     synced)
//     2. send r.send_now
//     3. hand {hard, truncate_from, append} as one batch to the writer, in the order of Readys; one sync may
//     cover
//        several Readys
//     4. apply r.committed in order, then call applied(last index of it); answer r.reads once applied >=
//     index
//     5. when the writes of this and of all earlier Readys are durable: send r.send_after, then call
//        persisted(r.number). A Ready that writes() nothing still waits for the earlier ones.
// Between ready() and step 1 nothing of the core may be called. Readys need not be finished before the next
// is taken.
//
// What is durable before what is sent:
//   votes asked and given, accepted appends  send_after: the term, the vote and every entry they speak of are
//   synced a leader's appends and heartbeats        send_now: the leader's term is durable, its newest
//   entries need not be pre-votes, refusals, read answers        send_now once the term is durable (pre-votes
//   promise nothing)
// A node's own vote and its own copy of an entry count only after persisted(). What is handed out as
// committed is durable here too, so the state never runs ahead of the synced log. If a write fails the driver
// stops the node: nothing here retries. The same if the LogView cannot read: it then answers slice() with
// nothing, the core goes no further, and its driver must look before it takes another Ready.
//
// Source: Ongaro, "Consensus: bridging theory and practice" (2014), with pre-vote, check-quorum and
// ReadIndex.

#include <deque>
#include <map>
#include <set>
#include <span>

#include "storage/base/random.hpp"
#include "storage/raft/peer.hpp"
#include "storage/raft/ready.hpp"
#include "storage/raft/tail.hpp"

namespace troupe::raft {

/// One node's share of one Raft group. Single-threaded; a copyable value apart from its LogView.
class Core {
 public:
  /// The seed must differ between restarts of a node: numbers that tell its messages apart come from it.
  /// The view must outlive the core.
  Core(NodeId self, Config config, Restored restored, const LogView& view, std::uint64_t seed);

  /// A message of any age and order, duplicates included. Malformed ones are ignored.
  void step(const Message& message);
  /// 10 ms have passed. Give queued messages first: a slow loop must not look like a dead peer.
  void tick();

  /// All or none; the first one's index. Errors: not_leader, overloaded (too much is uncommitted),
  /// unavailable (leadership is being handed over), invalid_argument (none given).
  /// Accepted is not committed: what is handed out as committed at that index in another term is another's.
  Result<Index> propose(std::span<const Proposal> proposals);

  /// Linearizable read without a log entry; on a follower it is forwarded. Ends in Ready::reads or
  /// reads_lost. Errors: unavailable (no leader known), overloaded.
  Result<void> read(ReadToken token);

  /// Hands leadership to a voter. Given up after election_ticks; watch the role for success.
  /// Errors: not_leader, invalid_argument (not a voter, or this node), conflict (another one is under way).
  Result<void> transfer(NodeId target);
  /// A leader steps down at once, whoever may follow. Others are not told: prefer transfer().
  void resign();

  /// The consensus link to a peer broke. A follower forgets that leader at once and asks for votes after
  /// rank * 10 ms (rank among the voters left) plus up to a tick, and again quickly while the link stays
  /// down.
  void link_down(NodeId peer);
  void link_up(NodeId peer);

  /// Everything written by Readys up to and including this number is durable. Order and gaps do not matter;
  /// entries truncated since do not count (the same index may be waiting for its next write).
  void persisted(std::uint64_t ready_number);
  /// Entries up to here are applied, and need not be handed out again.
  void applied(Index index);

  /// One change of the membership; the index of its entry. It is in effect here at once, and done when that
  /// entry is applied in the leader's term (else it may have been replaced: look at the membership).
  /// A leader that removes itself leads until the change is committed, then hands over and steps down.
  /// Errors: not_leader; unavailable (nothing of this term is committed yet, leadership is being handed over,
  /// or too few of the voters to be are heard); conflict (the change before is not applied yet);
  /// limit_exceeded; invalid_argument (already or not a member, the last voter, a learner that lags).
  Result<Index> change(const MemberChange& change);

  /// Of the state as of applied(): what a snapshot taken now says about itself.
  SnapshotMeta snapshot_meta() const;
  /// Is this snapshot news? Ask when it is offered, and again before it is installed.
  bool wants_snapshot(const SnapshotMeta& meta) const;
  /// The driver, having taken every Ready and asked wants_snapshot() again, has made the state durable,
  /// then the log's reset: the edge (index, term) with, in the same batch, a hard state of at least known_in.
  /// Entries behind the edge stay where the log had (index, term), else all go; the LogView shows that
  /// already. Nothing of the core may be called from the question to this call. A stale one is ignored.
  void snapshot_installed(const SnapshotMeta& meta);
  /// The peer holds the state up to this index, appends go on from there; 0: its snapshot failed, it is
  /// asked for again after the next answered heartbeat.
  void snapshot_sent(NodeId peer, Index index);

  bool has_ready() const;
  Ready ready();

  Status status() const;
  Role role() const { return role_; }
  Term term() const { return hard_.term; }
  NodeId leader() const { return leader_; }
  Index commit() const { return commit_; }
  const Membership& membership() const { return configs_.back().membership; }

 private:
  friend struct CoreAccess;  ///< the exhaustive tests tell states apart and take time out of them
  struct ReadRequest {
    NodeId from;  ///< this node: number is the caller's token; else the follower's own number
    std::uint64_t number = 0;
  };
  struct ReadRound {
    std::uint64_t sequence = 0;
    Index index;
    std::vector<ReadRequest> requests;
  };
  struct Forwarded {
    std::uint64_t number = 0;
    std::uint32_t age_ticks = 0;
    std::vector<ReadToken> tokens;
  };
  struct Sized {
    Index last;
    std::size_t bytes = 0;
  };

  // core.cpp
  void send(Message message);
  bool term_durable() const { return durable_term_ == hard_.term; }
  bool step_term(const Message& message);
  void refuse_stale(const Message& message);
  void dispatch(const Message& message);
  Index may_apply_to() const;
  void hand_out_committed(Ready& ready);
  bool may_hand_out() const;
  // membership.cpp
  void restore_configs();
  void adopt_config(const Entry& entry);
  bool is_voter(NodeId node) const;
  bool is_member(NodeId node) const;
  std::size_t quorum() const { return membership().voters.size() / 2 + 1; }
  bool may_campaign() const;
  bool is_removed() const;
  Result<void> may_change(const MemberChange& change) const;
  Result<Membership> changed(const MemberChange& change) const;
  Result<void> caught_up(NodeId learner) const;
  bool enough_heard(const Membership& next) const;
  void membership_changed();
  void append_entry(Entry entry);
  void truncate(Index from);
  std::uint64_t reached_by_quorum(std::uint64_t own, std::uint64_t (*of)(const Peer&)) const;
  // election.cpp
  void become_follower(Term term, NodeId leader);
  void become_leader();
  void campaign();
  void start_election(bool transfer);
  void ask_votes(MessageType type, Term term, bool transfer);
  void count_votes();
  void reset_election_timer();
  bool lease_holds() const;
  void on_vote_request(const Message& message);
  void on_vote_reply(const Message& message);
  void on_timeout_now(const Message& message);
  void tick_election();
  void tick_leader();
  void check_quorum();
  bool may_hand_over() const;
  void maybe_timeout_now();
  void hand_over_when_removed();
  std::uint32_t rank_without(NodeId gone) const;
  // replication.cpp
  void hear_leader(const Message& message);
  void on_append(const Message& message);
  void on_append_reply(const Message& message);
  void on_append_refused(const Message& message, Peer& peer);
  void on_heartbeat(const Message& message);
  void on_heartbeat_reply(const Message& message);
  Index take_entries(const Message& message);
  Index find_conflict(Index index, Term term) const;
  void commit_to(Index index);
  void maybe_commit();
  bool wants_to_send() const;
  bool wants_append(const Peer& peer) const;
  bool wants_commit(const Peer& peer) const;
  bool send_append(NodeId id, Peer& peer, Ready& ready);
  void send_heartbeat(NodeId id, Peer& peer);
  void send_to_peers(Ready& ready);
  // read.cpp
  void on_read_index(const Message& message);
  void on_read_index_reply(const Message& message);
  bool may_start_round() const;
  void start_read_round();
  void confirm_reads();
  void answer_read(const ReadRequest& request, Index index);
  void forward_reads();
  void lose_forwarded();
  void lose_reads();
  void tick_reads();

  NodeId self_;
  Config config_;
  Tail log_;
  Random random_;

  HardState hard_;
  HardState hard_out_;  ///< as last handed out
  Term durable_term_;
  Role role_ = Role::follower;
  NodeId leader_;
  RoleChange role_out_;

  struct ConfigAt {
    Index index;
    Membership membership;
  };
  std::vector<ConfigAt>
      configs_;  ///< in effect since index; the last counts, earlier ones return on truncation

  std::uint32_t elapsed_ticks_ = 0;  ///< since the leader was heard, a vote was given or a quorum checked
  std::uint32_t timeout_ticks_ = 0;
  std::uint32_t heartbeat_elapsed_ = 0;
  NodeId lost_leader_;  ///< its link broke and no leader was heard since
  std::map<NodeId, bool> votes_;

  Index commit_;
  Index handed_out_;
  Index applied_;
  std::deque<Sized> unapplied_;
  std::size_t unapplied_bytes_ = 0;

  // leader
  std::map<NodeId, Peer> peers_;  ///< all members but this node
  Index term_start_;              ///< this term's first entry
  std::deque<Sized> uncommitted_;
  std::size_t uncommitted_bytes_ = 0;
  NodeId transferee_;
  bool timeout_now_sent_ = false;
  std::uint32_t transfer_ticks_ = 0;

  // reads
  std::vector<ReadRequest> reads_waiting_;
  std::deque<ReadRound> read_rounds_;
  std::uint64_t read_sequence_ = 0;
  std::size_t reads_pending_ = 0;  ///< waiting, in rounds or forwarded
  std::vector<ReadToken> to_forward_;
  std::deque<Forwarded> forwarded_;
  std::uint64_t forward_number_ = 0;

  // for the next Ready
  std::uint64_t ready_number_ = 0;
  std::vector<Message> send_now_, send_after_;
  std::vector<ReadGrant> granted_;
  std::vector<ReadToken> lost_;
};

}  // namespace troupe::raft
