#pragma once
// The scenario that kills each deliberate bug. Seeds of the simulation that do are in mutant_seeds.txt.

#include <vector>

#include "storage/raft/mutant.hpp"

namespace troupe::raft::test {

struct Kill {
  Mutant mutant;
  const char* scenario;
};

inline const std::vector<Kill> kills = {
    {Mutant::count_old_terms, "RaftReplication.EntriesOfEarlierTermsAreNotCommittedByCounting"},
    {Mutant::no_noop, "RaftReplication.TheNoopOfANewTermCommitsWhatEarlierTermsLeft"},
    {Mutant::vote_for_short_log, "RaftElection.AShorterOrOlderLogGetsNoVote"},
    {Mutant::config_sticks, "RaftMembership.ATruncatedConfigurationGivesWayToTheOneBefore"},
    {Mutant::change_before_term_commit, "RaftChange.ChangesOfTwoLeadersNeverHaveDisjointMajorities"},
    {Mutant::changes_overlap, "RaftChange.OneChangeAtATimeUntilItIsApplied"},
    {Mutant::restart_forgets_configs, "RaftMembership.ARestartFindsTheConfigurationInTheSyncedLog"},
    {Mutant::vote_twice, "RaftElection.ANodeVotesOncePerTermAlsoAfterACrash"},
    {Mutant::vote_before_sync, "RaftElection.AVoteLeavesOnlyWhenItIsSynced"},
    {Mutant::reply_before_sync, "RaftPersist.AFollowerAcceptsOnlyWhatItHasSynced"},
    {Mutant::self_ack_before_sync, "RaftPersist.TheLeadersOwnUnsyncedCopyDoesNotCount"},
    {Mutant::self_vote_before_sync, "RaftElection.TheCandidatesOwnVoteCountsOnlyWhenSynced"},
    {Mutant::apply_before_sync, "RaftPersist.WhatIsCommittedElsewhereIsAppliedHereOnlyAfterTheOwnSync"},
    {Mutant::ask_before_sync, "RaftElection.TheCandidatesOwnVoteCountsOnlyWhenSynced"},
    {Mutant::stale_persist, "RaftPersist.ACompletedWriteOfTruncatedEntriesDoesNotCountForTheirSuccessors"},
    {Mutant::snapshot_keeps_writes, "RaftSnapshot.WritesFromBeforeItDoNotCountForWhatComesAfter"},
    {Mutant::persist_counts_all,
     "RaftPersist.ACompletedWriteOfTruncatedEntriesDoesNotCountForTheirSuccessors"},
    {Mutant::commit_own_last, "RaftReplication.AFollowerCommitsNoFurtherThanTheMessageChecked"},
    {Mutant::heartbeat_commit_all, "RaftReplication.AHeartbeatsCommitIsNoFurtherThanThePeersMatch"},
    {Mutant::commit_silently, "RaftReplication.AProposalReachesEveryStateWithoutATick"},
    {Mutant::ack_own_last, "RaftReplication.AFollowerAcceptsNoMoreThanTheMessageChecked"},
    {Mutant::prevote_raises_term, "RaftPreVote.ChangesNeitherTermNorVote"},
    {Mutant::no_stuck_recovery, "RaftCheckQuorum.ANodeStuckInAHigherTermIsFreedByTheLeadersSteppingDown"},
    {Mutant::transfer_respects_lease, "RaftTransfer.LeadershipMovesAtOnceToAnUpToDateVoter"},
    {Mutant::no_check_quorum, "RaftCheckQuorum.ALeaderWithoutAMajorityStepsDown"},
    {Mutant::lease_ignored, "RaftPreVote.AVoteOfAHigherTermIsIgnoredWhileTheLeaderIsHeard"},
    {Mutant::prevote_takes_vote, "RaftPreVote.ChangesNeitherTermNorVote"},
    {Mutant::learner_counts, "RaftReplication.LearnersFollowButDoNotCount"},
    {Mutant::promote_lagging, "RaftChange.ALearnerIsPromotedOnlyWhenItHasCaughtUp"},
    {Mutant::learner_silent, "RaftChange.ALearnerThatMayBeAVoterAnswersAVote"},
    {Mutant::learner_remembers, "RaftElection.ALearnerForgetsASilentLeader"},
    {Mutant::removed_leader_stays, "RaftChange.ARemovedLeaderLeadsUntilThatIsCommittedAndThenHandsOver"},
    {Mutant::removed_never_campaigns, "RaftChange.ALeaderThatAloneHoldsItsRemovalCanStillBeElected"},
    {Mutant::removed_without_handover, "RaftChange.ARemovedLeaderLeadsUntilThatIsCommittedAndThenHandsOver"},
    {Mutant::strangers_campaign, "RaftChange.ANodeOfNoMembershipWaitsToBeAdded"},
    {Mutant::read_without_round, "RaftRead.ALeaderThatLostItsMajorityAnswersNothingAndSaysSo"},
    {Mutant::read_before_term_commit, "RaftRead.ANewLeaderWaitsForItsFirstOwnCommit"},
    {Mutant::read_round_reused, "RaftRead.AnswersToAnEarlierRoundConfirmNothing"},
    {Mutant::forward_ids_repeat, "RaftRead.AnAnswerToAnEarlierLifeOfTheFollowerIsIgnored"},
    {Mutant::read_from_applied, "RaftRead.AReadSeesWhatIsCommittedThoughNotYetApplied"},
    {Mutant::snapshot_stale, "RaftSnapshot.AStaleOneIsIgnored"},
    {Mutant::snapshot_keeps_term, "RaftSnapshot.WhoTakesItTakesTheTermItIsKnownIn"},
    {Mutant::snapshot_keeps_config, "RaftSnapshot.ItBringsItsMembership"},
    {Mutant::snapshot_never_needed, "RaftSnapshot.ANodeBehindTheLogsBeginningGetsTheStateAndThenTheRest"},
    {Mutant::match_goes_back, "RaftReplication.LateAnswersNeverLowerAMatch"},
    {Mutant::truncate_matching, "RaftReplication.AnOldAppendDoesNotRemoveNewerEntriesThatAgree"},
    {Mutant::hint_ignored, "RaftReplication.ALongDivergentTailIsFoundInFewRounds"},
    {Mutant::transfer_early, "RaftTransfer.ALaggingTargetIsBroughtUpToDateFirst"},
    {Mutant::propose_in_transfer, "RaftTransfer.ProposalsWaitAndATransferThatFailsIsGivenUp"},
    {Mutant::transfer_forever, "RaftTransfer.ProposalsWaitAndATransferThatFailsIsGivenUp"},
    {Mutant::timeout_now_trusted, "RaftTransfer.ATimeoutNowOfAnEarlierTermOrAStrangerIsIgnored"},
    {Mutant::unbounded_inflight, "RaftReplication.UnansweredAppendsAreLimitedByCount"},
    {Mutant::unbounded_uncommitted, "RaftReplication.TooMuchUncommittedIsRefusedUntilItCommits"},
    {Mutant::window_leaks, "RaftReplication.UnansweredAppendsAreLimitedByBytes"},
    {Mutant::append_unbounded, "RaftReplication.UnansweredAppendsAreLimitedByCount"},
    {Mutant::retries_count_twice, "RaftState.ARepeatedWriteCountsOnce"},
    {Mutant::sessions_lost_in_snapshot, "RaftState.ARepeatedWriteCountsOnceAlsoAfterASnapshot"},
    {Mutant::no_rank, "RaftLink.AllFollowersTickingTogetherDoNotSplitTheVote"},
    {Mutant::hurry_after_vote, "RaftLink.ACandidateThatGotItsVoteIsNotHurried"},
    {Mutant::link_down_ignored, "RaftLink.AfterTheLeadersDeathTheFirstInRankLeadsWithinTwoTicks"},
};

}  // namespace troupe::raft::test
