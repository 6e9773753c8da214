// Bugs that exploration alone must find, by what the history shows: from empty logs, or (membership) from a
// leader whose first entry all hold. Built with TROUPE_RAFT_MUTANTS; each test is a process of its own.

#include <gtest/gtest.h>

#include <ctime>
#include <iostream>

#include "storage/raft/mutant.hpp"
#include "tests/storage/raft/exhaustive/scopes.hpp"

namespace troupe::raft::test {
namespace {

std::string name_of(Mutant mutant) {
  switch (mutant) {
    case Mutant::none:
      break;
#define X(name, pitfall, what) \
  case Mutant::name:           \
    return #name;
      TROUPE_RAFT_MUTANT_LIST(X)
#undef X
  }
  return "none";
}

struct Hunt {
  std::string name;
  Mutant mutant;
  Scope scope;
  std::string wrong;  ///< how it must show
};

std::vector<Hunt> hunts() {
  Scope slow = three_nodes(2, 2);
  slow.nodes.slow_disk = true;
  slow.budget.crashes = 1;
  Scope four = four_and_one(3), three = three_and_two(2);
  four.watch_configs = three.watch_configs = false;
  Scope three_plain = three;
  three_plain.settled = false;
  return {
      {"CountingOldTerms", Mutant::count_old_terms, three_nodes(4, 1), "leader_lacks_committed"},
      {"CountingOldTermsInTalks", Mutant::count_old_terms, three_nodes_talking(4), "leader_lacks_committed"},
      {"VotingTwice", Mutant::vote_twice, three_nodes(2, 2), "two_leaders"},
      {"VotingForAShortLog", Mutant::vote_for_short_log, three_nodes(2, 1), "leader_lacks_committed"},
      {"VotingBeforeTheSync", Mutant::vote_before_sync, slow, "two_leaders"},
      {"ChangingBeforeACommitInTheTerm", Mutant::change_before_term_commit, four, "leader_lacks_committed"},
      {"ChangingTwiceAtOnce", Mutant::changes_overlap, three, "leader_lacks_committed"},
      {"ChangingTwiceAtOnceFromTheVeryStart", Mutant::changes_overlap, three_plain, "leader_lacks_committed"},
      {"KeepingATruncatedConfiguration", Mutant::config_sticks, four, "two_leaders"},
  };
}

class ExhaustiveMutants : public testing::TestWithParam<Hunt> {};

TEST_P(ExhaustiveMutants, AreFound) {
  constexpr std::uint64_t states_max = 4'000'000;
  active_mutant = GetParam().mutant;
  const std::clock_t begin = std::clock();
  const Found found = explore(GetParam().scope, states_max);
  active_mutant = Mutant::none;
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::cout << "mutant=" << name_of(GetParam().mutant) << " hunt=" << GetParam().name
            << " explored_seconds=" << seconds << " " << summary(found) << "\n";
  ASSERT_TRUE(found.wrong) << GetParam().name << " survives";
  EXPECT_EQ(found.wrong->substr(0, found.wrong->find(' ')), GetParam().wrong);
}

INSTANTIATE_TEST_SUITE_P(Hunts, ExhaustiveMutants, testing::ValuesIn(hunts()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace troupe::raft::test
