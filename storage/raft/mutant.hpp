#pragma once
// Deliberate bugs, for the test build alone: each must be found by a test. Elsewhere they compile to nothing.

#include <cstdint>

#include "storage/base/check.hpp"

namespace troupe::raft {

// X(name, which pitfall of a Raft core it stands for, what it does). The pitfalls:
//  1 commits of earlier terms   2 membership          3 order of sync and send   4 completions of writes
//  5 a follower's commit        6 pre-vote, quorum    7 learners and removal     8 reads
//  9 snapshots                 10 matching of logs   11 transfer                12 bounds
// 13 clients' retries          17 broken links
// 14 to 16 (errors of the disk, a stalled process, the store's defaults) lie outside the core.
#define TROUPE_RAFT_MUTANT_LIST(X)                                                                 \
  X(count_old_terms, 1, "commits entries of earlier terms by counting")                            \
  X(no_noop, 1, "a new leader appends nothing")                                                    \
  X(vote_for_short_log, 1, "skips the comparison of logs")                                         \
  X(config_sticks, 2, "a truncated configuration stays in effect")                                 \
  X(change_before_term_commit, 2, "changes members before it has committed in its term")           \
  X(changes_overlap, 2, "changes members while the change before is not applied")                  \
  X(restart_forgets_configs, 2, "after a restart, configurations in the log are overlooked")       \
  X(vote_twice, 3, "forgets its vote within a term")                                               \
  X(vote_before_sync, 3, "its vote leaves before it is durable")                                   \
  X(reply_before_sync, 3, "accepts appends before they are durable")                               \
  X(self_ack_before_sync, 3, "the leader counts its own unsynced entries")                         \
  X(self_vote_before_sync, 3, "the candidate counts its own unsynced vote")                        \
  X(apply_before_sync, 3, "hands out committed entries that are not durable here")                 \
  X(ask_before_sync, 3, "asks for votes in a term that is not durable")                            \
  X(stale_persist, 4, "a completed write counts for entries truncated since")                      \
  X(snapshot_keeps_writes, 4, "writes from before a snapshot count for entries behind it")         \
  X(persist_counts_all, 4, "any completed write makes the whole log durable")                      \
  X(commit_own_last, 5, "a follower commits up to its own last entry")                             \
  X(heartbeat_commit_all, 5, "heartbeats carry the leader's commit, whatever the peer holds")      \
  X(commit_silently, 5, "the leader leaves news of a commit to the next heartbeat")                \
  X(ack_own_last, 5, "a follower accepts its whole log, checked by this message or not")           \
  X(prevote_raises_term, 6, "being asked for a pre-vote changes the term")                         \
  X(no_stuck_recovery, 6, "appends of a lower term get no answer")                                 \
  X(transfer_respects_lease, 6, "votes asked for by a transfer are refused like others")           \
  X(no_check_quorum, 6, "a leader cut off stays leader")                                           \
  X(lease_ignored, 6, "votes and pre-votes are given while the leader is alive")                   \
  X(prevote_takes_vote, 6, "a pre-vote given counts as the vote given")                            \
  X(learner_counts, 7, "learners count for commits")                                               \
  X(promote_lagging, 7, "promotes a learner that lags")                                            \
  X(learner_silent, 7, "a learner answers no vote requests")                                       \
  X(learner_remembers, 7, "a learner goes on heeding a leader that is silent")                     \
  X(removed_leader_stays, 7, "a removed leader goes on leading")                                   \
  X(removed_never_campaigns, 7, "a leader that alone holds its removal never stands for election") \
  X(removed_without_handover, 7, "a removed leader leaves without naming a successor")             \
  X(strangers_campaign, 7, "a node that is not a voter campaigns")                                 \
  X(read_without_round, 8, "the leader answers reads at once")                                     \
  X(read_before_term_commit, 8, "the leader reads before it has committed in its term")            \
  X(read_round_reused, 8, "all read rounds have the same sequence")                                \
  X(forward_ids_repeat, 8, "forwarded reads are numbered alike after each restart")                \
  X(read_from_applied, 8, "reads are served at what the leader has applied")                       \
  X(snapshot_stale, 9, "takes a snapshot older than what it has")                                  \
  X(snapshot_keeps_term, 9, "takes a snapshot but not the term it is known in")                    \
  X(snapshot_keeps_config, 9, "takes a snapshot but not its configuration")                        \
  X(snapshot_never_needed, 9, "a peer behind the log's beginning gets what is left of the log")    \
  X(match_goes_back, 10, "late answers lower what a peer is known to hold")                        \
  X(truncate_matching, 10, "an old append removes newer entries that agree with it")               \
  X(hint_ignored, 10, "probes go back one entry at a time")                                        \
  X(hint_trusted, 10, "takes the hint of a refusal for what the peer holds")                       \
  X(transfer_early, 11, "the target takes over before it holds the whole log")                     \
  X(propose_in_transfer, 11, "proposals go on during a transfer")                                  \
  X(transfer_forever, 11, "a transfer never ends")                                                 \
  X(timeout_now_trusted, 11, "obeys the order to take over from anybody")                          \
  X(unbounded_inflight, 12, "ignores the window")                                                  \
  X(unbounded_uncommitted, 12, "takes proposals without limit")                                    \
  X(window_leaks, 12, "accepted appends do not leave the window")                                  \
  X(append_unbounded, 12, "appends carry any number of bytes")                                     \
  X(retries_count_twice, 13, "a repeated write counts again")                                      \
  X(sessions_lost_in_snapshot, 13, "snapshots leave out the clients' sessions")                    \
  X(no_rank, 17, "all followers campaign at once when a link breaks")                              \
  X(hurry_after_vote, 17, "retries quickly although it has just voted for another")                \
  X(link_down_ignored, 17, "a broken link tells a follower nothing")

enum class Mutant : std::uint8_t {
  none,
#define X(name, pitfall, what) name,
  TROUPE_RAFT_MUTANT_LIST(X)
#undef X
};

#ifdef TROUPE_RAFT_MUTANTS
inline Mutant active_mutant = Mutant::none;
inline bool mutated(Mutant mutant) { return active_mutant == mutant; }
#else
constexpr bool mutated(Mutant) { return false; }
#endif

// With deliberate bugs compiled in, a broken check stops one simulated node, and what would see a bug before
// the history of the cluster does is off: the tests must find it there.
#ifdef TROUPE_RAFT_MUTANTS
struct Stopped {};
#define TROUPE_RAFT_CHECK(condition)                   \
  do {                                                 \
    if (!(condition)) throw ::troupe::raft::Stopped{}; \
  } while (false)
#define TROUPE_RAFT_INVARIANT(condition) static_cast<void>(sizeof(condition))
#else
#define TROUPE_RAFT_CHECK(condition) TROUPE_CHECK(condition)
#define TROUPE_RAFT_INVARIANT(condition) TROUPE_CHECK(condition)
#endif

}  // namespace troupe::raft
