#pragma once
// Deliberate bugs, for the test build alone: each must be found by a test. Elsewhere they compile to nothing.

#include <cstdint>

namespace troupe::raft {

enum class Mutant : std::uint8_t {
  none,
  count_old_terms,          ///< commits entries of earlier terms by counting
  no_noop,                  ///< a new leader appends nothing
  vote_twice,               ///< forgets its vote within a term
  vote_for_short_log,       ///< skips the comparison of logs
  vote_before_sync,         ///< its vote leaves before it is durable
  reply_before_sync,        ///< accepts appends before they are durable
  self_ack_before_sync,     ///< the leader counts its own unsynced entries
  self_vote_before_sync,    ///< the candidate counts its own unsynced vote
  stale_persist,            ///< a completed write counts for entries truncated since
  commit_own_last,          ///< a follower commits up to its own last entry
  heartbeat_commit_all,     ///< heartbeats carry the leader's commit, whatever the peer holds
  read_without_round,       ///< the leader answers reads at once
  read_before_term_commit,  ///< the leader reads before it has committed in its term
  read_round_reused,        ///< all read rounds have the same sequence
  forward_ids_repeat,       ///< forwarded reads are numbered alike after each restart
  match_goes_back,          ///< late answers lower what a peer is known to hold
  prevote_raises_term,      ///< being asked for a pre-vote changes the term
  no_stuck_recovery,        ///< appends of a lower term get no answer
  transfer_respects_lease,  ///< votes asked for by a transfer are refused like others
  transfer_early,           ///< the target takes over before it holds the whole log
  propose_in_transfer,      ///< proposals go on during a transfer
  no_check_quorum,          ///< a leader cut off stays leader
  lease_ignored,            ///< votes and pre-votes are given while the leader is alive
  learner_counts,           ///< learners count for commits
  truncate_matching,        ///< an old append removes newer entries that agree with it
  apply_before_sync,        ///< hands out committed entries that are not durable here
  unbounded_inflight,       ///< ignores the window
  commit_silently,          ///< the leader leaves news of a commit to the next heartbeat
  no_rank,                  ///< all followers campaign at once when a link breaks
  change_early,             ///< membership changes before a commit in this term
  change_twice,             ///< a second membership change while the first is uncommitted
  change_sticks,            ///< a truncated membership change stays in effect
  count,
};

#ifdef TROUPE_RAFT_MUTANTS
inline Mutant active_mutant = Mutant::none;
inline bool mutated(Mutant mutant) { return active_mutant == mutant; }
#else
constexpr bool mutated(Mutant) { return false; }
#endif

}  // namespace troupe::raft
