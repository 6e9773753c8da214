// The public library's simulated clusters have the same judges as the lives of `troupe sim`.

#include <gtest/gtest.h>

#include <troupe/scenario.hpp>

#include "actors/runtime/logging.hpp"
#include "storage/base/planted_bug.hpp"

namespace troupe::embedded {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> violations_of_a_short_story() {
  logging::set_least(logging::Level::silent);
  Cluster cluster({.seed = 5});
  Scenario story(cluster);
  JobStory service =
      story.submit({.kind = JobSpec::Kind::service, .size = 2, .script = "start=50ms run=forever"});
  JobStory batch = story.submit({.size = 2, .script = "start=50ms run=200ms exit=0"});
  cluster.run_for(10s);
  return cluster.violations();
}

TEST(JudgedCluster, KeepsItsPromises) {
  EXPECT_EQ(violations_of_a_short_story(), std::vector<std::string>{});
}

#ifdef TROUPE_PLANTED_BUGS
TEST(JudgedCluster, IsSeenToBreakThem) {
  planted_bug = Bug::capacity_leaks;
  const std::vector<std::string> violations = violations_of_a_short_story();
  planted_bug = Bug::none;
  ASSERT_FALSE(violations.empty());
  EXPECT_NE(violations.front().find("thousandths of a cpu as used"), std::string::npos) << violations.front();
}
#endif

}  // namespace
}  // namespace troupe::embedded
