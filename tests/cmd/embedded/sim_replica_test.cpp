// The replicated log of a living cell: kept short, through restarts; clocks that leap; stalls; a state that
// cannot be written.

#include "actors/replica/replica_actor.hpp"
#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

constexpr milliseconds hour{3'600'000};
constexpr milliseconds ten_years{std::int64_t{315'360} * 1'000'000};

SimOptions short_log(std::uint64_t seed) {
  SimOptions options = cell_options(seed);
  options.settings.set(log_keep_entries, 200);
  options.settings.set(state_flush_ms, 1'500);
  return options;
}

/// For a failing test: where each node's log and state stand.
std::string logs_of(const Cell& cell) {
  std::string text;
  for (std::uint32_t node = 1; node <= cell.nodes; ++node) {
    if (!cell.sim.is_up(node)) continue;
    const NodeStatus& status = *cell.sim.status(node);
    text += "\nnode " + std::to_string(node) + ": term " + std::to_string(status.term.load()) + " log " +
            std::to_string(status.first.load()) + ".." + std::to_string(status.last.load()) + " commit " +
            std::to_string(status.commit.load()) + " applied " + std::to_string(status.applied.load()) +
            " waiting for the disk " + std::to_string(status.readys_waiting.load()) + ", the writer " +
            std::to_string(status.writes_waiting.load());
  }
  return text;
}

TEST(SimReplica, KeepsItsLogShortUnderLoadAndThroughRestarts) {
  Cell cell(short_log(31));
  for (std::uint32_t round = 0; round < 9; ++round) {
    for (int n = 0; n < 12; ++n) cell.submit({.size = 4, .script = "run=100ms exit=0"});
    cell.sim.run_for(milliseconds(1'000));
    const std::uint32_t node = round % 3 + 1;
    cell.sim.crash_node(node);
    cell.sim.restart_node(node);
    ASSERT_EQ(cell.sim.failure(node), "");
    ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole() << logs_of(cell);
  }
  cell.sim.run_for(milliseconds(8'000));
  std::uint64_t cuts = 0;
  for (std::uint32_t node = 1; node <= 3; ++node) {
    const NodeStatus& status = *cell.sim.status(node);
    EXPECT_GT(status.first.load(), 200u) << node;
    EXPECT_LT(status.last.load() + 1 - status.first.load(), 400u) << node;
    cuts += status.log_cuts.load();  // Since its restart: who got a snapshot had nothing to cut.
  }
  EXPECT_GT(cuts, 0u);
  for (std::uint32_t node = 1; node <= 3; ++node) cell.sim.crash_node(node);
  for (std::uint32_t node = 1; node <= 3; ++node) cell.sim.restart_node(node);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  const JobId later = cell.submit({.size = 3, .script = "run=100ms exit=0"});
  EXPECT_TRUE(cell.await_finished(later, Reason::normal));
  EXPECT_EQ(cell.violations(), "");
}

class SimClocks : public testing::TestWithParam<milliseconds> {
 protected:
  /// State time against the simulation's, on that node.
  milliseconds ahead(std::uint32_t node) { return cell.sim.reads(node)->cell().record.now - cell.sim.now(); }
  void expect_it_works() {
    const JobId later = cell.submit({.size = 4, .script = "run=200ms exit=0"});
    EXPECT_TRUE(cell.await_finished(later, Reason::normal));
    EXPECT_EQ(cell.violations(), "");
  }
  Cell cell{cell_options(41)};
};

TEST_P(SimClocks, ALeaderWhoseClockLeapsStampsNothingAndHandsOver) {
  const std::uint32_t leader = cell.sim.leader();
  cell.sim.leap_clock(leader, GetParam());
  (void)cell.post(leader, {.script = "run=100ms exit=0"});
  ASSERT_TRUE(
      cell.await([&] { return cell.sim.leader() != 0 && cell.sim.leader() != leader; }, milliseconds(2'000)));
  expect_it_works();
  for (std::uint32_t node = 1; node <= 3; ++node) {
    EXPECT_LT(ahead(node), milliseconds(6'000)) << node;
    EXPECT_GT(ahead(node), milliseconds(-6'000)) << node;
  }
  EXPECT_EQ(cell.sim.status(leader)->leaps_refused.load(), 1u);
  // It is not chosen again while the others live, and may lead again when its clock is right.
  for (int n = 0; n < 3; ++n) {
    const std::uint32_t now = cell.sim.leader();
    cell.sim.crash_node(now);
    cell.sim.run_for(milliseconds(1'500));
    cell.sim.restart_node(now);
    ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  }
  cell.sim.heal();
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  expect_it_works();
}

TEST_P(SimClocks, AFollowerWhoseClockLeapsChangesNothing) {
  const std::uint32_t leader = cell.sim.leader();
  const std::uint64_t term = cell.sim.status(leader)->term.load();
  cell.sim.leap_clock(cell.other_than(leader), GetParam());
  expect_it_works();
  cell.sim.run_for(milliseconds(3'000));
  EXPECT_EQ(cell.sim.leader(), leader);
  EXPECT_EQ(cell.sim.status(leader)->term.load(), term);
}

INSTANTIATE_TEST_SUITE_P(Leaps, SimClocks, testing::Values(hour, -hour, ten_years));

TEST(SimReplica, ClocksThatDriftApartAreLivedWithUntilTheyDifferTooMuch) {
  Cell cell(cell_options(43));
  const std::uint32_t leader = cell.sim.leader();
  cell.sim.drift_clock(leader, 100'000);  // A tenth too fast: five seconds in fifty.
  cell.sim.run_for(milliseconds(30'000));
  EXPECT_EQ(cell.sim.leader(), leader);
  EXPECT_TRUE(cell.await([&] { return cell.sim.leader() != 0 && cell.sim.leader() != leader; },
                         milliseconds(60'000)));
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimReplica, ACellOfOneGoesWithItsClock) {
  SimOptions options = cell_options(45);
  options.nodes = 1;
  Cell cell(options);
  cell.sim.leap_clock(1, hour);
  const JobId later = cell.submit({.size = 2, .script = "run=200ms exit=0"});
  EXPECT_TRUE(cell.await_finished(later, Reason::normal));
}

TEST(SimReplica, ALeaderThatCannotApplyLeadsNoMore) {
  Cell cell(cell_options(47));
  const std::uint32_t leader = cell.sim.leader();
  const std::uint64_t term = cell.sim.status(leader)->term.load();
  cell.sim.fail_apply(leader);
  const std::uint32_t other = cell.other_than(leader);
  (void)cell.post(other, {.script = "run=100ms exit=0"}, "during", milliseconds(300));
  ASSERT_TRUE(cell.await([&] { return !cell.sim.failure(leader).empty(); }, milliseconds(500)));
  EXPECT_NE(cell.sim.failure(leader).find("apply stopped at index"), std::string::npos);
  ASSERT_TRUE(
      cell.await([&] { return cell.sim.leader() != 0 && cell.sim.leader() != leader; }, milliseconds(2'000)));
  // It votes no more: with the third node gone too, nobody can lead.
  const std::uint32_t third =
      cell.other_than(other) == leader ? cell.other_than(leader) : cell.other_than(other);
  EXPECT_GT(cell.sim.status(other)->term.load(), term);
  cell.sim.crash_node(third);
  cell.sim.run_for(milliseconds(5'000));
  EXPECT_EQ(cell.sim.leader(), 0u);
  cell.sim.restart_node(third);
  cell.sim.crash_node(leader);
  cell.sim.restart_node(leader);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  const JobId later = cell.submit({.size = 2, .script = "run=200ms exit=0"});
  EXPECT_TRUE(cell.await_finished(later, Reason::normal));
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimReplica, AThawedFollowerDisturbsNobodyAndGivesNoOrdersUntilItIsConfirmed) {
  Cell cell(cell_options(49));
  const std::uint32_t leader = cell.sim.leader();
  const std::uint64_t term = cell.sim.status(leader)->term.load();
  const std::uint32_t frozen = cell.other_than(leader);
  cell.sim.freeze_node(frozen);
  cell.sim.run_for(milliseconds(3'000));
  cell.sim.thaw_node(frozen);
  cell.sim.run_for(milliseconds(1));
  EXPECT_FALSE(cell.sim.status(frozen)->leased.load());
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_TRUE(cell.sim.status(frozen)->leased.load());
  EXPECT_EQ(cell.sim.status(frozen)->stalls.load(), 1u);
  EXPECT_EQ(cell.sim.leader(), leader);
  EXPECT_EQ(cell.sim.status(leader)->term.load(), term);
  EXPECT_EQ(cell.violations(), "");
}

}  // namespace
}  // namespace troupe::embedded
