// Each cap refuses by name, with its value and the present use.

#include <gtest/gtest.h>

#include "tests/storage/state/cell.hpp"

namespace troupe {
namespace {

Done create(Cell& cell, const std::string& caller, DescriptorPtr descriptor) {
  return cell.request("r" + std::to_string(cell.last.value), CreateJob{cell.random.uuid<JobId>(), descriptor},
                      caller);
}

LimitHit limit_of(const Done& done) {
  if (!done.outcome.error || !done.outcome.error->limit) return {};
  return *done.outcome.error->limit;
}

DescriptorPtr in_group(std::uint32_t size, std::string group) {
  JobDescriptor d = *batch_of(size);
  d.capacity_group = std::move(group);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

TEST(Caps, OfTheCellSayWhichAndHowMuch) {
  CellPolicy policy;
  policy.jobs_max = 1;
  policy.tasks_max = 4;
  Cell cell(policy);
  EXPECT_EQ(limit_of(create(cell, "ann", batch_of(5))), (LimitHit{"cell.tasks", 4, 0, 5'000}));
  ASSERT_TRUE(create(cell, "ann", batch_of(3)).taken());
  EXPECT_EQ(limit_of(create(cell, "bob", batch_of(1))), (LimitHit{"cell.jobs", 1, 1, 5'000}));
}

TEST(Caps, OfOneSubmitterLeaveTheOthersAlone) {
  CellPolicy policy;
  policy.caller_jobs_max = 2;
  policy.caller_tasks_max = 5;
  Cell cell(policy);
  ASSERT_TRUE(create(cell, "ann", batch_of(3)).taken());
  EXPECT_EQ(limit_of(create(cell, "ann", batch_of(3))), (LimitHit{"caller.tasks", 5, 3, 5'000}));
  ASSERT_TRUE(create(cell, "ann", batch_of(2)).taken());
  const Done third = create(cell, "ann", batch_of(0));
  EXPECT_EQ(limit_of(third), (LimitHit{"caller.jobs", 2, 2, 5'000}));
  EXPECT_EQ(third.refusal(), ErrorCode::limit_exceeded);
  EXPECT_NE(third.outcome.error->message.find("caller ann is 2 jobs"), std::string::npos);
  EXPECT_TRUE(create(cell, "bob", batch_of(5)).taken());
}

TEST(Caps, OfASubmitterCountWhatLivesAndSurviveARestart) {
  CellPolicy policy;
  policy.caller_jobs_max = 1;
  Cell cell(policy);
  const Done first = create(cell, "ann", batch_of(1));
  const JobId job = parse_uuid<JobId>(first.outcome.entity).value();
  cell.restart();
  EXPECT_EQ(create(cell, "ann", batch_of(1)).refusal(), ErrorCode::limit_exceeded);
  cell.apply(KillJob{job});
  ASSERT_TRUE(cell.finish(job).taken());
  EXPECT_EQ(cell.reads().caller_use("ann").jobs, 0U);
  EXPECT_TRUE(create(cell, "ann", batch_of(1)).taken());
}

TEST(Caps, OfASubmitterHoldAResizeToo) {
  CellPolicy policy;
  policy.caller_tasks_max = 3;
  Cell cell(policy);
  const Done made = create(cell, "ann", service_of(0, 2, 9));
  const JobId job = parse_uuid<JobId>(made.outcome.entity).value();
  // Whoever asks: the job is its submitter's.
  const Done grown = cell.request("grow", ResizeJob{job, {}, 4, {}}, "bob");
  EXPECT_EQ(limit_of(grown), (LimitHit{"caller.tasks", 3, 2, 5'000}));
  EXPECT_TRUE(cell.request("grow less", ResizeJob{job, {}, 3, {}}, "bob").taken());
}

TEST(Caps, OfACapacityGroupCountJobsAndTasks) {
  Cell cell;
  GroupRecord group;
  group.name = "gold";
  group.tasks_max = 4;
  group.jobs_max = 2;
  ASSERT_TRUE(cell.apply(PutGroup{group}).taken());
  ASSERT_TRUE(create(cell, "ann", in_group(2, "gold")).taken());
  EXPECT_EQ(limit_of(create(cell, "ann", in_group(3, "gold"))),
            (LimitHit{"capacityGroup.tasks", 4, 2, 5'000}));
  ASSERT_TRUE(create(cell, "ann", in_group(1, "gold")).taken());
  EXPECT_EQ(limit_of(create(cell, "ann", in_group(1, "gold"))),
            (LimitHit{"capacityGroup.jobs", 2, 2, 5'000}));
  EXPECT_TRUE(create(cell, "ann", batch_of(5)).taken()) << "in another group";
}

TEST(Caps, AreNotBrokenByTwoCommandsOfOneBatch) {
  CellPolicy policy;
  policy.caller_jobs_max = 1;
  Cell cell(policy);
  Command a, b;
  a.caller = b.caller = "ann";
  a.body = CreateJob{cell.random.uuid<JobId>(), batch_of(1)};
  b.body = CreateJob{cell.random.uuid<JobId>(), batch_of(1)};
  const raft::Entry first = cell.entry(a), second = cell.entry(b);
  const Applied applied = cell.apply_entries({first, second});
  ASSERT_EQ(applied.outcomes.size(), 2U);
  EXPECT_FALSE(applied.outcomes[0].error);
  ASSERT_TRUE(applied.outcomes[1].error);
  EXPECT_EQ(applied.outcomes[1].error->limit->name, "caller.jobs");
}

TEST(Rates, AreCheckedBeforeTheyAreKept) {
  Cell cell;
  const auto with = [&](std::vector<RateRule> rates) {
    CellPolicy policy = cell.reads().cell().record.policy;
    policy.rates = std::move(rates);
    return cell.apply(SetPolicy{policy});
  };
  EXPECT_EQ(with({{"", "*", "*", 1, 1, false}}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(with({{"a", "*", "*", 0, 1, false}}).refusal(), ErrorCode::invalid_argument);
  EXPECT_EQ(with({{"a", "*", "*", 1, 1, false}, {"a", "*", "*", 2, 1, false}}).refusal(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(with(std::vector<RateRule>(rate_rules_max + 1, {"a", "*", "*", 1, 1, false})).refusal(),
            ErrorCode::invalid_argument);
  ASSERT_TRUE(with({{"a", "ci-*", "POST *", 10, 600, true}}).taken());
  cell.restart();
  ASSERT_EQ(cell.reads().cell().record.policy.rates.size(), 1U);
  EXPECT_EQ(cell.reads().cell().record.policy.rates[0].caller, "ci-*");
}

}  // namespace
}  // namespace troupe
