// Whose turn it is among capacity groups.

#include "tests/actors/scheduler/engine_story.hpp"

namespace troupe::scheduler {
namespace {

using test::EngineStory;
using test::in_group;
using test::job_like;

constexpr Resources unit{1'000, 100, 0, 0, 0};
Resources times(std::int64_t count) { return {1'000 * count, 100 * count, 0, 0, 0}; }

/// Tasks per group, by what was placed.
class GroupStory : public EngineStory {
 public:
  void submit(const std::string& group, int count, Resources each = unit) {
    const auto d = in_group(job_like(each), group);
    for (int n = 0; n < count; ++n) groups_[task(d)] = group;
  }
  std::map<std::string, int> placed() {
    std::map<std::string, int> counts;
    for (const auto& placement : place().placements) {
      ++counts[groups_.at(placement.task)];
      flying_.push_back(placement.task);
    }
    return counts;
  }
  TaskId last() const { return flying_.back(); }

 private:
  std::map<TaskId, std::string> groups_;
  std::vector<TaskId> flying_;
};
using Counts = std::map<std::string, int>;

TEST(Groups, ShareAFullClusterByWhatTheyReserved) {
  GroupStory s;
  s.host(1, times(40));
  s.engine.put_group({"one", Tier::flex, times(1), {}});
  s.engine.put_group({"three", Tier::flex, times(3), {}});
  s.submit("one", 100);
  s.submit("three", 100);
  EXPECT_EQ(s.placed(), (Counts{{"one", 10}, {"three", 30}}));
}

TEST(Groups, ShareByTheResourceOfWhichEachUsesMost) {
  GroupStory s;
  s.host(1, {90'000, 180'000, 0, 0, 0});
  const Resources reservation{9'000, 18'000, 0, 0, 0};
  s.engine.put_group({"memory", Tier::flex, reservation, {}});
  s.engine.put_group({"cpu", Tier::flex, reservation, {}});
  // The classical example: 9 cpu and 18 GB, tasks of <1, 4> and <3, 1>: three and two, ten times over.
  s.submit("memory", 100, {1'000, 4'000, 0, 0, 0});
  s.submit("cpu", 100, {3'000, 1'000, 0, 0, 0});
  EXPECT_EQ(s.placed(), (Counts{{"cpu", 20}, {"memory", 30}}));
}

TEST(Groups, WhatIsReservedComesBeforeWhatIsBorrowed) {
  GroupStory s;
  s.host(1, times(10), times(6), {Index{3}});
  s.engine.put_group({"borrower", Tier::flex, times(2), times(6)});
  s.engine.put_group({"owner", Tier::flex, times(4), {}});
  s.submit("borrower", 10);
  s.submit("owner", 3);
  EXPECT_EQ(s.placed(), (Counts{{"borrower", 1}, {"owner", 3}}));
}

TEST(Groups, TheCriticalTierGetsItsReservationFirstAndNeverMore) {
  GroupStory s;
  s.host(1, {16'000, 100'000, 0, 0, 0});
  s.host(2, {16'000, 100'000, 0, 0, 0});
  const Resources reservation{16'000, 50'000, 0, 0, 0};
  s.engine.put_group({"c1", Tier::critical, reservation, {}});
  s.engine.put_group({"c2", Tier::critical, reservation, {}});
  // As Titus tests it: three tasks of half a host each, and only two may be had.
  s.submit("c1", 3, {8'000, 100, 0, 0, 0});
  EXPECT_EQ(s.placed(), (Counts{{"c1", 2}}));
  s.submit("c2", 3, {8'000, 100, 0, 0, 0});
  EXPECT_EQ(s.placed(), (Counts{{"c2", 2}}));
  // One that was planned is given up: its group has room again.
  s.engine.forget(s.last());
  EXPECT_EQ(s.placed(), (Counts{{"c2", 1}}));
}

TEST(Groups, ACeilingThatIsRaisedLetsTheNextTaskGo) {
  GroupStory s;
  s.host(1, times(10));
  s.engine.put_group({"c", Tier::critical, times(1), {}});
  s.submit("c", 3);
  EXPECT_EQ(s.placed(), (Counts{{"c", 1}}));
  EXPECT_TRUE(s.placed().empty());
  s.engine.put_group({"c", Tier::critical, times(2), {}});
  EXPECT_EQ(s.placed(), (Counts{{"c", 1}}));
  s.engine.put_group({"c", Tier::flex, times(2), {}});
  EXPECT_EQ(s.placed(), (Counts{{"c", 1}}));
}

TEST(Groups, AGroupThatNobodyDeclaredSharesWhatIsLeft) {
  GroupStory s;
  s.host(1, times(20));
  s.engine.put_group({"owner", Tier::flex, times(10), {}});
  s.submit("stranger", 100);
  s.submit("owner", 10);
  EXPECT_EQ(s.placed(), (Counts{{"owner", 10}, {"stranger", 10}}));
}

TEST(Groups, AGroupThatFitsNowhereDoesNotHoldUpTheOthers) {
  GroupStory s;
  s.host(1, times(4));
  s.engine.put_group({"large", Tier::critical, times(100), {}});
  s.submit("large", 1, times(5));
  s.submit("small", 4);
  EXPECT_EQ(s.placed(), (Counts{{"small", 4}}));
}

}  // namespace
}  // namespace troupe::scheduler
