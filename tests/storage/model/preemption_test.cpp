// Who may end whose tasks.

#include "storage/model/preemption.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

Resources cpus(std::int64_t count) { return {1'000 * count, 0, 0, 0, 0}; }

struct Side {
  std::string_view group;
  Tier tier = Tier::flex;
  std::int64_t reserved = 0;
  std::int64_t used = 0;
  std::uint32_t priority = 0;
  std::int64_t size = 1;
  Contender contender() const { return {{group, tier, cpus(reserved), cpus(used)}, priority, cpus(size)}; }
};

TEST(Preemption, FollowsWhatWasPromised) {
  using enum PreemptionRight;
  struct Row {
    const char* what;
    Side waiting, victim;
    PreemptionRight right;
  };
  const Row rows[] = {
      {"equals", {"a"}, {"a"}, none},
      {"higher in the same group", {"a", Tier::flex, 0, 0, 2}, {"a", Tier::flex, 0, 5, 1}, priority},
      {"lower in the same group", {"a", Tier::flex, 0, 0, 1}, {"a", Tier::flex, 0, 5, 2}, none},
      {"a promise against what is lent", {"a", Tier::critical, 2, 1}, {"b", Tier::flex, 0, 5}, reclaim},
      {"whatever the priority", {"a", Tier::critical, 2, 1}, {"b", Tier::flex, 0, 5, 9}, reclaim},
      {"a promise against a promise", {"a", Tier::critical, 2, 1}, {"b", Tier::flex, 5, 5}, none},
      {"the last of what is lent", {"a", Tier::flex, 2, 1}, {"b", Tier::flex, 4, 5}, reclaim},
      {"into the promise", {"a", Tier::flex, 2, 1}, {"b", Tier::flex, 4, 5, 0, 2}, none},
      {"one that would borrow itself", {"a", Tier::flex, 2, 2}, {"b", Tier::flex, 0, 5}, none},
      {"not reserved at all", {"a"}, {"b", Tier::flex, 0, 5}, none},
      {"higher against what is lent", {"a", Tier::flex, 0, 0, 1}, {"b", Tier::flex, 0, 5}, priority},
      {"higher against a promise", {"a", Tier::flex, 0, 0, 1}, {"b", Tier::flex, 5, 5}, none},
      {"higher, but of another tier", {"a", Tier::critical, 0, 0, 1}, {"b", Tier::flex, 0, 5}, none},
      {"the Critical tier", {"a", Tier::critical, 2, 0, 9}, {"b", Tier::critical, 1, 5}, none},
  };
  for (const Row& row : rows)
    EXPECT_EQ(right_to_preempt(row.waiting.contender(), row.victim.contender()), row.right) << row.what;
}

TEST(Preemption, AsksOnlyAboutWhatIsReserved) {
  const GroupStanding group{"a", Tier::flex, {1'000, 0, 0, 0, 0}, {500, 900, 0, 0, 0}};
  EXPECT_TRUE(is_within_reservation(group, {500, 9'000, 0, 0, 0}));
  EXPECT_FALSE(is_within_reservation(group, {501, 0, 0, 0, 0}));
  EXPECT_FALSE(is_borrowed(group, {0, 900, 0, 0, 0}));
}

TEST(Preemption, ReadsPriorities) {
  EXPECT_EQ(priority_from_text("0"), 0U);
  EXPECT_EQ(priority_from_text("1000"), 1'000U);
  for (const char* text : {"", "1001", "-1", "1x", " 1"}) EXPECT_EQ(priority_from_text(text), std::nullopt);
  JobDescriptor d;
  EXPECT_EQ(priority_of(d), 0U);
  d.attributes = {{"troupe.priority", "7"}};
  EXPECT_EQ(priority_of(d), 7U);
}

}  // namespace
}  // namespace troupe
