#pragma once
// What goes into the Raft core besides messages, and what comes out of it.

#include <optional>

#include "storage/raft/message.hpp"

namespace troupe::raft {

/// Tunables. A tick is 10 ms. Every limit names what happens beyond it.
struct Config {
  std::uint32_t heartbeat_ticks = 5;
  std::uint32_t election_ticks = 30;         ///< base; each wait is drawn from [base, 2 * base)
  std::uint32_t link_retry_ticks = 3;        ///< base of retries while the link to the last leader is down
  std::size_t max_append_bytes = 256 << 10;  ///< of one append; at least one entry always goes
  std::uint32_t max_inflight_appends = 64;   ///< unanswered, per peer; then it waits for answers
  std::size_t max_inflight_bytes = 4 << 20;  ///< the same in bytes
  std::size_t max_uncommitted_bytes = 16 << 20;  ///< then propose() answers overloaded
  std::size_t max_unapplied_bytes = 8
                                    << 20;  ///< handed out and not yet applied(); then committed stays empty
  std::size_t max_pending_reads = 16384;    ///< then read() answers overloaded, a forwarded one is refused
  std::uint32_t max_read_rounds = 4;        ///< unconfirmed; then reads gather for the next round
  std::uint64_t max_promote_lag = 1000;     ///< entries a learner may lack; beyond it promote is refused
  std::uint32_t max_members = 32;           ///< then change() answers limit_exceeded
};

/// What a restart finds on disk.
struct Restored {
  HardState hard;
  Membership
      membership;  ///< as of `applied`, or the initial one; config entries after it are read from the log
  Index commit;    ///< a hint: known committed at some time; 0 is always right
  Index applied;   ///< durable in the state; never above the log's last entry
};

struct Proposal {
  Instant stamp;  ///< the leader's wall time, kept in Entry::stamp
  Blob data;
};

// learner <- add_learner; learner -> voter: promote; either goes by remove.
enum class MemberChangeKind : std::uint8_t { add_learner, promote, remove };
constexpr MemberChangeKind max_value(MemberChangeKind) { return MemberChangeKind::remove; }

struct MemberChange {
  MemberChangeKind kind = MemberChangeKind::add_learner;
  NodeId node;
  std::string address;  ///< of add_learner; kept with the membership
  Instant stamp;        ///< the leader's wall time, kept in Entry::stamp
};

/// What a snapshot of the state says about itself.
struct SnapshotMeta {
  Index index;            ///< applied in it; everything up to here is committed
  Term term;              ///< of the entry at index
  Membership membership;  ///< as of index
  /// Term of the node that made or sent it, at that time. A node that takes the snapshot takes this term too:
  /// in an earlier one a leader may live who does not know that index is committed.
  Term known_in;
  static constexpr auto fields() {
    return field_list(field("index", &SnapshotMeta::index), field("term", &SnapshotMeta::term),
                      field("membership", &SnapshotMeta::membership),
                      field("known_in", &SnapshotMeta::known_in));
  }
  friend bool operator==(const SnapshotMeta&, const SnapshotMeta&) = default;
};

using ReadToken = std::uint64_t;  ///< the caller's own; the core never compares or sends it

/// Answer the read from state once applied >= index.
struct ReadGrant {
  ReadToken token = 0;
  Index index;
  friend bool operator==(const ReadGrant&, const ReadGrant&) = default;
};

/// The peer needs entries before LogView::first(); it gets no appends until snapshot_sent().
struct SnapshotNeed {
  NodeId peer;
  Index first_missing;
  friend bool operator==(const SnapshotNeed&, const SnapshotNeed&) = default;
};

// follower -> pre_candidate -> candidate -> leader; each falls back to follower. Learners stay followers.
enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };
constexpr Role max_value(Role) { return Role::leader; }

struct RoleChange {
  Role role = Role::follower;
  Term term;
  NodeId leader;  ///< 0: unknown
  friend bool operator==(const RoleChange&, const RoleChange&) = default;
};

/// One batch of work. core.hpp says in which order it must be done.
struct Ready {
  std::uint64_t number =
      0;  ///< give it to persisted() when all writes up to and including this Ready's are durable
  std::optional<HardState> hard;
  std::optional<Index>
      truncate_from;          ///< remove this index and all after it, before append, in the same batch
  std::vector<Entry> append;  ///< consecutive
  std::vector<Message> send_now;
  std::vector<Message> send_after;
  std::vector<Entry> committed;  ///< apply in order; all are durable in this node's own log
  std::vector<ReadGrant> reads;
  std::vector<ReadToken> reads_lost;  ///< never answered: the caller must ask again
  std::vector<SnapshotNeed> snapshots;
  std::optional<RoleChange> role;
  bool writes() const { return hard || truncate_from || !append.empty(); }
};

enum class PeerState : std::uint8_t {
  probe,      ///< one append at a time, to find where the logs agree
  replicate,  ///< a pipeline within the window
  snapshot,   ///< lags behind the log's beginning
};

struct PeerStatus {
  NodeId id;
  bool learner = false;
  PeerState state = PeerState::probe;
  Index match;
  Index next;
  std::uint32_t inflight = 0;
  std::uint32_t silent_ticks = 0;  ///< since the last message from it
};

struct Status {
  NodeId id;
  Role role = Role::follower;
  Term term;
  NodeId voted_for;
  NodeId leader;
  NodeId transferee;  ///< 0: no transfer under way
  Index first, last, durable, commit, applied;
  std::uint32_t silent_ticks = 0;     ///< follower: since the leader was heard; leader: since a quorum was
  std::size_t uncommitted_bytes = 0;  ///< leader: proposed and not yet committed
  Membership membership;
  std::vector<PeerStatus> peers;  ///< leader only
};

}  // namespace troupe::raft
