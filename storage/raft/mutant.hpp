#pragma once
// Deliberate bugs, for the test build alone: each must be found by a test. Elsewhere they compile to nothing.

#include <cstdint>

namespace troupe::raft {

// X(name, what it does)
#define TROUPE_RAFT_MUTANT_LIST(X)                                                         \
  X(count_old_terms, "commits entries of earlier terms by counting")                       \
  X(no_noop, "a new leader appends nothing")                                               \
  X(vote_twice, "forgets its vote within a term")                                          \
  X(vote_for_short_log, "skips the comparison of logs")                                    \
  X(vote_before_sync, "its vote leaves before it is durable")                              \
  X(reply_before_sync, "accepts appends before they are durable")                          \
  X(self_ack_before_sync, "the leader counts its own unsynced entries")                    \
  X(self_vote_before_sync, "the candidate counts its own unsynced vote")                   \
  X(stale_persist, "a completed write counts for entries truncated since")                 \
  X(commit_own_last, "a follower commits up to its own last entry")                        \
  X(heartbeat_commit_all, "heartbeats carry the leader's commit, whatever the peer holds") \
  X(read_without_round, "the leader answers reads at once")                                \
  X(read_before_term_commit, "the leader reads before it has committed in its term")       \
  X(read_round_reused, "all read rounds have the same sequence")                           \
  X(forward_ids_repeat, "forwarded reads are numbered alike after each restart")           \
  X(match_goes_back, "late answers lower what a peer is known to hold")                    \
  X(prevote_raises_term, "being asked for a pre-vote changes the term")                    \
  X(no_stuck_recovery, "appends of a lower term get no answer")                            \
  X(transfer_respects_lease, "votes asked for by a transfer are refused like others")      \
  X(transfer_early, "the target takes over before it holds the whole log")                 \
  X(propose_in_transfer, "proposals go on during a transfer")                              \
  X(no_check_quorum, "a leader cut off stays leader")                                      \
  X(lease_ignored, "votes and pre-votes are given while the leader is alive")              \
  X(learner_counts, "learners count for commits")                                          \
  X(truncate_matching, "an old append removes newer entries that agree with it")           \
  X(apply_before_sync, "hands out committed entries that are not durable here")            \
  X(unbounded_inflight, "ignores the window")                                              \
  X(commit_silently, "the leader leaves news of a commit to the next heartbeat")           \
  X(no_rank, "all followers campaign at once when a link breaks")                          \
  X(config_sticks, "a truncated configuration stays in effect")                            \
  X(hurry_after_vote, "retries quickly although it has just voted for another")            \
  X(change_before_term_commit, "changes members before it has committed in its term")      \
  X(changes_overlap, "changes members while the change before is not applied")             \
  X(promote_lagging, "promotes a learner that lags")                                       \
  X(snapshot_keeps_writes, "writes from before a snapshot count for entries behind it")    \
  X(snapshot_stale, "takes a snapshot older than what it has")                             \
  X(snapshot_keeps_term, "takes a snapshot but not the term it is known in")               \
  X(snapshot_keeps_config, "takes a snapshot but not its configuration")

enum class Mutant : std::uint8_t {
  none,
#define X(name, what) name,
  TROUPE_RAFT_MUTANT_LIST(X)
#undef X
};

#ifdef TROUPE_RAFT_MUTANTS
inline Mutant active_mutant = Mutant::none;
inline bool mutated(Mutant mutant) { return active_mutant == mutant; }
#else
constexpr bool mutated(Mutant) { return false; }
#endif

}  // namespace troupe::raft
