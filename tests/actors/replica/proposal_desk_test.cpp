#include "actors/replica/proposal_desk.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

constexpr Moment start{1'000'000'000};
constexpr milliseconds patience{1'000};

class Desk : public ::testing::Test {
 protected:
  Command command(Fence fence = NoFence{}) {
    Command made;
    made.fence = fence;
    made.body = KillJob{};
    return made;
  }
  Outcome outcome_of(const ProposalDesk::Attempt& attempt) {
    Outcome outcome;
    outcome.proposal = decode_command(attempt.command.view()).value().proposal;
    outcome.index = Index{7};
    return outcome;
  }
  ProposalDesk desk{NodeId{1}, 99};
};

TEST_F(Desk, OffersANewProposalOnceAndAgainWhenItStaysSilent) {
  ASSERT_TRUE(desk.add(command(), 5, start, patience).ok());
  const auto first = desk.due(start);
  ASSERT_EQ(first.size(), 1u);
  desk.attempted(first[0].count, start);
  EXPECT_TRUE(desk.due(start).empty());
  const auto again = desk.due(start + ProposalDesk::repeat_after);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].command, first[0].command) << "the same id, so that it cannot count twice";
}

TEST_F(Desk, TheFirstAppliedOutcomeIsTheAnswer) {
  ASSERT_TRUE(desk.add(command(), 5, start, patience).ok());
  const auto attempt = desk.due(start).at(0);
  desk.attempted(attempt.count, start);
  Outcome refused = outcome_of(attempt);
  refused.error = Error{ErrorCode::conflict, "the second copy"};
  const auto settled = desk.applied({outcome_of(attempt), refused});
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].ticket, 5u);
  EXPECT_FALSE(settled[0].outcome.value().error);
  EXPECT_EQ(desk.pending(), 0u);
}

TEST_F(Desk, ARepeatedRequestThatWasRefusedForNowMayYetHappen) {
  Command request = command();
  request.request = "key-1";
  for (const bool repeated : {false, true}) {
    ASSERT_TRUE(desk.add(request, 5, start, patience).ok());
    const auto attempt = desk.due(start).at(0);
    desk.attempted(attempt.count, start);
    if (repeated) desk.attempted(attempt.count, start + ProposalDesk::repeat_after);
    Outcome full = outcome_of(attempt);
    full.error = Error{ErrorCode::limit_exceeded, "the cell is full"};
    const auto settled = desk.applied({full});
    ASSERT_EQ(settled.size(), 1u);
    if (!repeated)
      EXPECT_EQ(settled[0].outcome.value().error->code, ErrorCode::limit_exceeded);
    else
      EXPECT_EQ(settled[0].outcome.error().code, ErrorCode::outcome_unknown);
  }
}

TEST_F(Desk, OutcomesOfOtherNodesAndOlderLivesAreNotOurs) {
  ASSERT_TRUE(desk.add(command(), 5, start, patience).ok());
  Outcome other = outcome_of(desk.due(start).at(0));
  other.proposal.node = NodeId{2};
  Outcome older = outcome_of(desk.due(start).at(0));
  older.proposal.life = 98;
  EXPECT_TRUE(desk.applied({other, older}).empty());
}

TEST_F(Desk, SilenceAfterAnAttemptIsUnknownAndBeforeAnyItDidNotHappen) {
  ASSERT_TRUE(desk.add(command(), 1, start, patience).ok());
  ASSERT_TRUE(desk.add(command(), 2, start, patience).ok());
  desk.attempted(desk.due(start).at(0).count, start);
  const auto settled = desk.expire(start + patience);
  ASSERT_EQ(settled.size(), 2u);
  EXPECT_EQ(settled[0].outcome.error().code, ErrorCode::outcome_unknown);
  EXPECT_EQ(settled[1].outcome.error().code, ErrorCode::unavailable);
}

TEST_F(Desk, ARefusedOneIsOfferedAgainAtOnceAndStaysUnknownForEver) {
  ASSERT_TRUE(desk.add(command(), 1, start, patience).ok());
  const auto attempt = desk.due(start).at(0);
  desk.attempted(attempt.count, start);
  EXPECT_TRUE(desk.refused({attempt.count}, ErrorCode::not_leader).empty());
  EXPECT_EQ(desk.due(start).size(), 1u);
  // An earlier attempt may still be in some log.
  EXPECT_EQ(desk.expire(start + patience).at(0).outcome.error().code, ErrorCode::outcome_unknown);
}

TEST_F(Desk, ATermFencedOneGetsOneAttempt) {
  ASSERT_TRUE(desk.add(command(TermFence{Term{3}}), 1, start, patience).ok());
  const auto attempt = desk.due(start).at(0);
  desk.attempted(attempt.count, start);
  desk.leader_changed();
  EXPECT_TRUE(desk.due(start + patience / 2).empty());
  EXPECT_EQ(desk.refused({attempt.count}, ErrorCode::not_leader).at(0).outcome.error().code,
            ErrorCode::not_leader);
}

TEST_F(Desk, ANewLeaderIsOfferedEverything) {
  ASSERT_TRUE(desk.add(command(), 1, start, patience).ok());
  desk.attempted(desk.due(start).at(0).count, start);
  desk.leader_changed();
  EXPECT_EQ(desk.due(start).size(), 1u);
}

TEST_F(Desk, IsBounded) {
  for (std::size_t n = 0; n < ProposalDesk::pending_max; ++n)
    ASSERT_TRUE(desk.add(command(), n, start, patience).ok());
  const Error refused = desk.add(command(), 0, start, patience).error();
  EXPECT_EQ(refused.code, ErrorCode::overloaded);
  ASSERT_NE(refused.limit, nullptr);
  EXPECT_EQ(refused.limit->name, "node.proposals");
  EXPECT_EQ(refused.limit->max, ProposalDesk::pending_max);
  EXPECT_EQ(refused.limit->used, ProposalDesk::pending_max);
}

}  // namespace
}  // namespace troupe
