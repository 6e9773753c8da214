// Whole cells under random load and faults, from seeds; `troupe sim` lives more of them.

#include "cmd/simulation/life.hpp"

#include <gtest/gtest.h>

#include "actors/runtime/logging.hpp"

namespace troupe::simulation {
namespace {

class Lives : public ::testing::Test {
 protected:
  Lives() { logging::set_least(logging::Level::silent); }
  void expect_ok(const Plan& plan, const char* scope) {
    const Verdict verdict = live(plan);
    marks.add(verdict.marks);
    std::string all;
    for (const std::string& complaint : verdict.complaints) all += complaint + "\n";
    EXPECT_EQ(verdict.how, Verdict::How::ok)
        << all << "repeat with: troupe sim " << scope << "--seed " << plan.seed << " --history";
  }
  Marks marks;
};

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t small_lives = 4;
constexpr bool expects_marks = false;
constexpr bool lives_loaded = false;
#else
constexpr std::uint64_t small_lives = 50;
constexpr bool expects_marks = true;
constexpr bool lives_loaded = true;
#endif
constexpr std::uint64_t rare_life = 118;  // It reaches what the first ones do not.

TEST_F(Lives, ManySmallCellsKeepEveryPromise) {
  for (std::uint64_t seed = 1; seed <= small_lives && !HasFailure(); ++seed)
    expect_ok(draw_plan(seed, small_scope()), "--small ");
  if (expects_marks) expect_ok(draw_plan(rare_life, small_scope()), "--small ");
  for (const std::string& mark : judges::all_marks())
    EXPECT_TRUE(!expects_marks || marks.reached().contains(mark)) << "nothing reached " << mark;
}

TEST_F(Lives, ALoadedCellKeepsEveryPromise) {
  if (lives_loaded) expect_ok(draw_plan(1, loaded_scope()), "");
}

TEST_F(Lives, ASeedGivesTheSameHistoryTwice) {
  const Verdict one = live(draw_plan(3, small_scope()));
  const Verdict again = live(draw_plan(3, small_scope()));
  EXPECT_EQ(one.hash, again.hash);
  EXPECT_EQ(one.events, again.events);
  EXPECT_GT(one.submits, 20u);
  EXPECT_GT(one.transitions, 100u);
  EXPECT_GT(one.faults, 20u);
  EXPECT_GT(one.unknown, 0u) << "no request met a fault";
  EXPECT_GT(one.followed, 100u) << "nobody followed the events";
  EXPECT_GT(one.lived, milliseconds(45'000));
  EXPECT_NE(one.hash, live(draw_plan(4, small_scope())).hash);
}

}  // namespace
}  // namespace troupe::simulation
