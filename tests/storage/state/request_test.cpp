// The request table: the same answer to the same request, for a while, on every node.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"

namespace troupe {
namespace {

TEST(Requests, AreAnsweredAgainWithTheFirstAnswer) {
  Cell cell;
  const auto id = cell.random.uuid<JobId>();
  const Done first = cell.request("r1", CreateJob{id, batch_of(1)});
  ASSERT_TRUE(first.taken());
  const Done again = cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(1)});
  EXPECT_TRUE(again.taken());
  EXPECT_TRUE(again.outcome.repeated);
  EXPECT_EQ(again.outcome.entity, to_text(id)) << "not the id that the second gateway minted";
  EXPECT_EQ(again.outcome.index, first.outcome.index);
  EXPECT_TRUE(again.changed_nothing());
  EXPECT_EQ(cell.reads().cell().live_jobs, 1U);
}

TEST(Requests, WithAnotherBodyAreRefused) {
  Cell cell;
  ASSERT_TRUE(cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(1)}).taken());
  const Done other = cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(2)});
  EXPECT_EQ(other.refusal(), ErrorCode::request_id_reused);
  EXPECT_EQ(http_status(*other.refusal()), 422);
  EXPECT_EQ(cell.request("r1", KillJob{cell.random.uuid<JobId>()}).refusal(), ErrorCode::request_id_reused);
  EXPECT_TRUE(cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(1)}).outcome.repeated)
      << "the first answer stays";
}

TEST(Requests, OfDifferentCallersDoNotMeet) {
  Cell cell;
  ASSERT_TRUE(cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(1)}, "ann").taken());
  const Done bobs = cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(2)}, "bob");
  EXPECT_TRUE(bobs.taken());
  EXPECT_FALSE(bobs.outcome.repeated);
}

TEST(Requests, ThatWereRefusedStayRefused) {
  Cell cell;
  const auto gone = cell.random.uuid<JobId>();
  const Done first = cell.request("r1", KillJob{gone});
  EXPECT_EQ(first.refusal(), ErrorCode::not_found);
  ASSERT_TRUE(cell.apply(CreateJob{gone, batch_of(1)}).taken());
  const Done again = cell.request("r1", KillJob{gone});
  EXPECT_EQ(again.outcome.error, first.outcome.error);
  EXPECT_TRUE(again.outcome.repeated);
  EXPECT_EQ(cell.job(gone).state, JobState::accepted);
}

TEST(Requests, ThatMetALimitMayTryAgain) {
  CellPolicy policy;
  policy.jobs_max = 1;
  Cell cell(policy);
  const JobId first = cell.submit(batch_of(1));
  const auto id = cell.random.uuid<JobId>();
  EXPECT_EQ(cell.request("r1", CreateJob{id, batch_of(1)}).refusal(), ErrorCode::limit_exceeded);
  cell.apply(KillJob{first});
  ASSERT_TRUE(cell.finish(first).taken());
  EXPECT_TRUE(cell.request("r1", CreateJob{id, batch_of(1)}).taken());
}

TEST(Requests, BeyondTheCapAreTooManyAndNoneIsEvicted) {
  CellPolicy policy;
  policy.requests_max = 2;
  Cell cell(policy);
  const auto job = cell.random.uuid<JobId>();
  ASSERT_TRUE(cell.request("r1", CreateJob{job, batch_of(1)}).taken());
  cell.request("r2", KillJob{cell.random.uuid<JobId>()});
  EXPECT_EQ(cell.request("r3", KillJob{job}).refusal(), ErrorCode::limit_exceeded);
  EXPECT_TRUE(cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(1)}).outcome.repeated);
  EXPECT_TRUE(cell.apply(KillJob{job}).taken()) << "what has no request id is not remembered and not held up";
  cell.now = cell.now + policy.request_memory;
  EXPECT_EQ(cell.request("r3", KillJob{job}).refusal(), ErrorCode::job_terminating)
      << "room again, by state time";
}

TEST(Requests, AreForgottenByStateTimeAFewAtEachEntry) {
  CellPolicy policy;
  policy.request_memory = milliseconds(1'000);
  Cell cell(policy);
  for (int n = 0; n < 10; ++n) cell.request("r" + std::to_string(n), KillJob{cell.random.uuid<JobId>()});
  cell.now = cell.now + milliseconds(999);
  cell.apply(RaiseLevel{}, cell.term_fence());
  EXPECT_EQ(cell.reads().cell().requests, 10U);
  cell.now = cell.now + milliseconds(1);
  for (const std::size_t left : {6U, 2U, 0U}) {
    cell.apply(RaiseLevel{}, cell.term_fence());
    EXPECT_EQ(cell.reads().cell().requests, left);
  }
}

TEST(Requests, SurviveARestart) {
  Cell cell;
  const auto id = cell.random.uuid<JobId>();
  ASSERT_TRUE(cell.request("r1", CreateJob{id, batch_of(1)}).taken());
  cell.request("r2", KillJob{cell.random.uuid<JobId>()});
  cell.restart();
  const Done again = cell.request("r1", CreateJob{cell.random.uuid<JobId>(), batch_of(1)});
  EXPECT_TRUE(again.outcome.repeated);
  EXPECT_EQ(again.outcome.entity, to_text(id));
  EXPECT_EQ(cell.reads().cell().requests, 2U);
  cell.now = cell.now + CellPolicy{}.request_memory;
  cell.apply(RaiseLevel{}, cell.term_fence());
  EXPECT_EQ(cell.reads().cell().requests, 0U);
}

}  // namespace
}  // namespace troupe
