// Each deliberate bug must be found by a checker, in the life of the seed that is recorded for it. Built with
// the bugs compiled in; elsewhere there is nothing to run.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "actors/runtime/logging.hpp"
#include "cmd/simulation/life.hpp"
#include "storage/base/planted_bug.hpp"

#ifdef TROUPE_PLANTED_BUGS
namespace troupe::simulation {
namespace {

struct Found {
  Bug bug;
  std::uint64_t seed;  ///< of a small cell
};

class PlantedBugs : public ::testing::TestWithParam<Found> {};

TEST_P(PlantedBugs, AreFound) {
  logging::set_least(logging::Level::silent);
  planted_bug = GetParam().bug;
  const Verdict verdict = live(draw_plan(GetParam().seed, small_scope()));
  planted_bug = Bug::none;
  EXPECT_NE(verdict.how, Verdict::How::ok);
}

/// Prints, for each bug, the first seed that finds it: TROUPE_BUG_SEEDS=N are tried. TROUPE_BUG_FIRST=NAME
/// leaves out the bugs before that one, TROUPE_BUG_ONLY=NAME all others.
TEST(PlantedBugHunt, PrintsSeeds) {
  const char* most = std::getenv("TROUPE_BUG_SEEDS");
  if (most == nullptr) GTEST_SKIP() << "TROUPE_BUG_SEEDS=N looks for new seeds";
  logging::set_least(logging::Level::silent);
  const char* first = std::getenv("TROUPE_BUG_FIRST");
  const char* only = std::getenv("TROUPE_BUG_ONLY");
  bool begun = first == nullptr;
  for (const BugRow& row : bug_rows) {
    begun = begun || row.name == first;
    if (!begun || (only != nullptr && row.name != only)) continue;
    std::string found = "not found";
    for (std::uint64_t seed = 1; seed <= std::stoull(most); ++seed) {
      planted_bug = row.bug;
      const Verdict verdict = live(draw_plan(seed, small_scope()));
      if (verdict.how == Verdict::How::ok) continue;
      found = std::to_string(seed) + ": " + verdict.complaints.front();
      break;
    }
    std::cout << row.name << " " << found << std::endl;
  }
  planted_bug = Bug::none;
}

INSTANTIATE_TEST_SUITE_P(
    Seeds, PlantedBugs,
    ::testing::Values(Found{Bug::stale_owner_accepted, 13}, Found{Bug::stale_session_accepted, 7},
                      Found{Bug::place_without_room, 13}, Found{Bug::capacity_leaks, 1},
                      Found{Bug::capacity_counted_twice, 1}, Found{Bug::retry_duty_lost, 1},
                      Found{Bug::surplus_duty_lost, 2}, Found{Bug::lost_host_duty_lost, 1},
                      Found{Bug::requests_forgotten, 1}, Found{Bug::caps_ignored, 3},
                      Found{Bug::kill_forgotten, 1}, Found{Bug::archive_left_out, 1},
                      Found{Bug::event_left_out, 1}, Found{Bug::retry_counter_reset, 1},
                      Found{Bug::killed_not_replaced, 2}, Found{Bug::victims_forgotten, 3},
                      Found{Bug::strangers_killed, 1}, Found{Bug::end_unheard, 1},
                      Found{Bug::stream_gap_on_resume, 1}, Found{Bug::stream_repeats_on_resume, 1},
                      Found{Bug::read_unchecked, 1}),
    [](const auto& test) {
      return std::string(bug_rows[static_cast<std::size_t>(test.param.bug) - 1].name);
    });

}  // namespace
}  // namespace troupe::simulation
#endif
