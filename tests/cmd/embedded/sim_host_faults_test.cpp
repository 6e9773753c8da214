// Agents that lock up, are slow, change their size, or belong to somebody else.

#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

TEST(SimHostFaults, ContainersRunOnWhileTheirAgentsAreFrozen) {
  Cell cell(cell_options(111));
  const JobId job = cell.submit({.size = 2, .script = "start=20ms run=2s exit=0"});
  ASSERT_TRUE(cell.await([&] { return cell.look(job).started == 2; }));
  const std::vector<TaskId> tasks = cell.look(job).tasks;
  for (const std::uint32_t host : {1U, 2U}) cell.sim.freeze_agent(host);
  cell.sim.run_for(milliseconds(5'000));
  EXPECT_EQ(cell.look(job).started, 2u) << "nobody could tell of their end";
  cell.sim.heal();
  EXPECT_TRUE(cell.await_finished(job, Reason::normal));
  for (const TaskId& task : tasks) EXPECT_EQ(cell.sim.launches(task), 1u);
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimHostFaults, ASlowAgentBehindASlowLinkDoesWhatItIsTold) {
  Cell cell(cell_options(112));
  for (const std::uint32_t host : {1U, 2U}) {
    cell.sim.slow_agent(host, milliseconds(300));
    cell.sim.slow_host_links(host, milliseconds(200));
  }
  const Instant begun = cell.sim.now();
  const JobId job = cell.submit({.size = 2, .script = "run=100ms exit=0"});
  EXPECT_TRUE(cell.await_finished(job, Reason::normal));
  EXPECT_GT(cell.sim.now() - begun, milliseconds(600));
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimHostFaults, AnAgentOfAnotherCellIsSentAwayAndItsContainersRunOn) {
  Cell cell(cell_options(113));
  const std::uint32_t stray = cell.hosts + 1;
  cell.sim.start_stray_agent();
  cell.sim.run_for(milliseconds(10'000));
  EXPECT_EQ(cell.sim.containers_kept(stray), 2u);
  EXPECT_EQ(cell.sim.reads(1)->hosts().size(), cell.hosts) << "it was let in";
  const JobId job = cell.submit({.size = 4, .script = "run=100ms exit=0"});
  EXPECT_TRUE(cell.await_finished(job, Reason::normal));
  EXPECT_TRUE(cell.await([&] { return cell.sim.containers_kept(1) + cell.sim.containers_kept(2) == 0; }));
  EXPECT_EQ(cell.sim.containers_kept(stray), 2u);
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimHostFaults, AHostThatComesBackSmallerKeepsWhatItHasAndTakesNoMore) {
  Cell cell(cell_options(114, 1));
  const JobId first = cell.submit({.is_service = true, .size = 3, .script = "run=forever"});
  ASSERT_TRUE(cell.await_running(first, 3));
  Resources small = ClusterOptions{}.host_resources;
  small.memory_mb = 100;  // Each task wants 64.
  cell.sim.resize_host(1, small);
  cell.sim.crash_agent(1);
  cell.sim.restart_agent(1);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  const JobId second = cell.submit({.is_service = true, .size = 1, .script = "run=forever"});
  cell.sim.run_for(milliseconds(5'000));
  EXPECT_EQ(cell.look(first).started, 3u);
  EXPECT_EQ(cell.look(second).started, 0u);
  EXPECT_TRUE(cell.sim.runs(1, cell.look(first).tasks.front()));
  EXPECT_EQ(cell.kill(first) / 100, 2);
  EXPECT_TRUE(cell.await_running(second, 1));
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimHostFaults, ActorsThatTakeTurnsAtRandomGiveTheSameHistoryAgain) {
  const auto hash_of = [](bool shuffles) {
    SimOptions options = cell_options(115);
    options.shuffles_turns = shuffles;
    Cell cell(options);
    std::vector<JobId> jobs;
    for (int n = 0; n < 5; ++n) jobs.push_back(cell.submit({.size = 4}));
    for (const JobId& job : jobs) EXPECT_TRUE(cell.await_finished(job, Reason::normal));
    EXPECT_EQ(cell.violations(), "");
    return cell.sim.history_hash();
  };
  EXPECT_EQ(hash_of(true), hash_of(true));
  EXPECT_NE(hash_of(true), hash_of(false));
}

}  // namespace
}  // namespace troupe::embedded
