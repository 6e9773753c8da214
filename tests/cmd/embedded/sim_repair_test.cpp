// A node whose state differs or whose log is damaged sets it aside at its next start, and repairs itself.

#include "cell.hpp"
#include "storage/replica/replica_settings.hpp"

namespace troupe::embedded {
namespace {

constexpr const char* long_running = "start=20ms run=100000s exit=0";

struct Hurt {
  explicit Hurt(std::uint64_t seed) : cell(options_of(seed)) {
    EXPECT_TRUE(cell.await_whole()) << cell.why_not_whole();
    job = cell.submit({.is_service = true, .size = 3, .script = long_running});
    EXPECT_TRUE(cell.await([&] { return cell.look(job).started == 3; }));
    cell.sim.run_for(milliseconds(2'000));
  }
  static SimOptions options_of(std::uint64_t seed) {
    auto options = cell_options(seed);
    options.settings.set(state_flush_ms, 500);
    options.settings.set(log_keep_entries, 100);
    return options;
  }
  /// The cell is whole again, its job as it was, and not one promise broken.
  void expect_mended(std::uint32_t node) {
    ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
    EXPECT_EQ(cell.sim.repairs(node), 1u);
    EXPECT_EQ(cell.look(job, node).started, 3u);
    for (const TaskId& task : cell.look(job, node).tasks) EXPECT_EQ(cell.sim.launches(task), 1u);
    // Its vote counts: a majority with it goes on.
    cell.sim.crash_node(cell.other_than(node));
    EXPECT_TRUE(cell.await([&] { return cell.sim.leader() != 0; }));
    EXPECT_EQ(cell.resize(job, 4) / 100, 2);
    EXPECT_TRUE(cell.await_running(job, 4));
    EXPECT_EQ(cell.violations(), "");
  }
  Cell cell;
  JobId job;
};

TEST(SimRepair, AStateThatDiffersIsReplacedFromTheOthers) {
  Hurt hurt(81);
  Cell& cell = hurt.cell;
  const std::uint32_t bad = cell.other_than(cell.sim.leader());
  cell.sim.crash_node(bad);
  ASSERT_TRUE(cell.sim.damage_state(bad));
  cell.sim.restart_node(bad);
  for (int n = 0; n < 1'500 && cell.sim.failure(bad).empty(); ++n) cell.resize(hurt.job, n % 2 == 0 ? 4 : 3);
  ASSERT_NE(cell.sim.failure(bad).find("diverged"), std::string::npos) << cell.sim.failure(bad);
  cell.resize(hurt.job, 3);
  EXPECT_EQ(cell.sim.repairs(bad), 0u);
  cell.sim.crash_node(bad);
  cell.sim.restart_node(bad);
  hurt.expect_mended(bad);
}

TEST(SimRepair, ALogThatFailsItsCheckIsReplacedFromTheOthers) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Hurt hurt(82 + seed);
    Cell& cell = hurt.cell;
    const std::uint32_t bad = seed % 2 == 0 ? cell.sim.leader() : cell.other_than(cell.sim.leader());
    cell.sim.crash_node(bad);
    ASSERT_TRUE(seed % 3 == 0 ? cell.sim.lose_log_tail(bad) : cell.sim.flip_log_bit(bad));
    cell.sim.restart_node(bad);
    EXPECT_EQ(cell.sim.failure(bad), "");
    hurt.expect_mended(bad);
  }
}

TEST(SimRepair, ALogThatIsGoneWhileTheFolderStandsIsReplacedToo) {
  Hurt hurt(95);
  Cell& cell = hurt.cell;
  const std::uint32_t bad = cell.other_than(cell.sim.leader());
  cell.sim.crash_node(bad);
  cell.sim.lose_log(bad);
  cell.sim.restart_node(bad);
  EXPECT_EQ(cell.sim.failure(bad), "");
  hurt.expect_mended(bad);
}

TEST(SimRepair, AShortenedLogGivesNobodyAMajority) {
  Hurt hurt(91);
  Cell& cell = hurt.cell;
  const std::uint32_t leader = cell.sim.leader();
  const std::uint32_t bad = cell.other_than(leader);
  const std::uint32_t behind = 6 - leader - bad;
  // What is acknowledged now is held by the leader and by the node that is damaged next, and by nobody else.
  cell.sim.crash_node(behind);
  EXPECT_EQ(cell.resize(hurt.job, 5) / 100, 2);
  cell.sim.crash_node(bad);
  ASSERT_TRUE(cell.sim.lose_log_tail(bad));
  cell.sim.crash_node(leader);
  cell.sim.restart_node(bad);
  cell.sim.restart_node(behind);
  cell.sim.run_for(milliseconds(10'000));
  EXPECT_EQ(cell.sim.repairs(bad), 1u);
  EXPECT_EQ(cell.sim.leader(), 0u);
  cell.sim.restart_node(leader);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(cell.look(hurt.job).desired, 5u);
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimRepair, CutOffAnywhereItGoesOnAtTheNextStart) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Hurt hurt(100 + seed);
    Cell& cell = hurt.cell;
    const std::uint32_t bad = cell.other_than(cell.sim.leader());
    cell.sim.crash_node(bad);
    ASSERT_TRUE(cell.sim.flip_log_bit(bad));
    cell.sim.restart_node(bad);
    for (int n = 0; n < 4; ++n) {
      cell.sim.run_for(milliseconds(static_cast<int>(seed * 3 + static_cast<std::uint64_t>(n))));
      cell.sim.crash_node(bad);
      cell.sim.restart_node(bad);
    }
    hurt.expect_mended(bad);
  }
}

}  // namespace
}  // namespace troupe::embedded
