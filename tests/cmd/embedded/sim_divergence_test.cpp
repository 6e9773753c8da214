// A node whose state is not that of the others finds out through the log, and stops; the cell goes on.

#include "cell.hpp"
#include "storage/replica/replica_settings.hpp"

namespace troupe::embedded {
namespace {

TEST(Divergence, AFlippedBitInOneNodesStateStopsThatNodeAlone) {
  auto options = cell_options(1);
  options.settings.set(state_flush_ms, 500);
  Cell cell(options);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  const JobId job = cell.submit({.is_service = true, .size = 3, .script = "start=20ms run=100000s exit=0"});
  ASSERT_TRUE(cell.await([&] { return cell.look(job).started == 3; }));
  cell.sim.run_for(milliseconds(2'000));
  const std::uint32_t bad = cell.other_than(cell.sim.leader());
  cell.sim.crash_node(bad);
  ASSERT_TRUE(cell.sim.damage_state(bad)) << "nothing of it survived the crash";
  cell.sim.restart_node(bad);
  ASSERT_EQ(cell.sim.failure(bad), "") << "its disk looks sound";
  for (int n = 0; n < 1'500 && cell.sim.failure(bad).empty(); ++n) cell.resize(job, n % 2 == 0 ? 4 : 3);
  EXPECT_NE(cell.sim.failure(bad).find("diverged"), std::string::npos) << cell.sim.failure(bad);
  EXPECT_NE(cell.sim.failure(bad).find("cell"), std::string::npos) << "and it says where";
  for (std::uint32_t node = 1; node <= 3; ++node)
    EXPECT_EQ(cell.sim.failure(node).empty(), node != bad) << cell.sim.failure(node);
  cell.sim.crash_node(bad);
  EXPECT_EQ(cell.resize(job, 3) / 100, 2) << "the cell goes on";
}

}  // namespace
}  // namespace troupe::embedded
