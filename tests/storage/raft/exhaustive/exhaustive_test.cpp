#include <gtest/gtest.h>

#include <iostream>

#include "tests/storage/raft/exhaustive/scopes.hpp"

namespace troupe::raft::test {
namespace {

class Exhaustive : public testing::TestWithParam<NamedScope> {};

// RAFT_EXPLORE_STATES=20000000 goes deeper where the scope is not complete.
TEST_P(Exhaustive, NothingThatCanHappenBreaksAnInvariant) {
  const Found found = explore(GetParam().scope, states_max_of(GetParam()));
  std::cout << "scope=" << GetParam().name << " " << summary(found) << "\n";
  EXPECT_FALSE(found.wrong) << *found.wrong;
  EXPECT_TRUE(found.complete || GetParam().states_max != UINT64_MAX);
  // An exploration in which nothing happens finds nothing.
  EXPECT_GT(found.states, 50'000u);
  EXPECT_GT(found.leaders, 1'000u);
  EXPECT_GT(found.commits, 1'000u);
}

INSTANTIATE_TEST_SUITE_P(Scopes, Exhaustive, testing::ValuesIn(all_scopes()),
                         [](const auto& of) { return of.param.name; });

TEST(ExhaustiveExplorer, ExploresTheSameEachTime) {
  const Scope scope = three_nodes(2, 1);
  const Found one = explore(scope, UINT64_MAX), two = explore(scope, UINT64_MAX);
  EXPECT_TRUE(one.complete);
  EXPECT_EQ(one.states, two.states);
  EXPECT_EQ(one.moves, two.moves);
}

}  // namespace
}  // namespace troupe::raft::test
