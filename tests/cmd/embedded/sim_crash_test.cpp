// Nodes, disks, agents and hosts die: what was acknowledged is there afterwards, and what runs runs on.

#include <algorithm>

#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

class SimCrashes : public testing::Test {
 protected:
  void SetUp() override {
    job = cell.submit({.is_service = true, .size = 6, .script = "run=forever"});
    ended = cell.submit({.size = 2, .script = "run=100ms exit=0"});
    ASSERT_TRUE(cell.await_running(job, 6));
    ASSERT_TRUE(cell.await_finished(ended, Reason::normal));
    tasks = cell.look(job).tasks;
  }
  void TearDown() override { EXPECT_EQ(cell.violations(), ""); }
  void expect_the_tasks_untouched() {
    EXPECT_TRUE(cell.await_running(job, 6));
    EXPECT_EQ(cell.look(job).tasks, tasks);
    for (const TaskId& task : tasks) EXPECT_EQ(cell.sim.launches(task), 1u);
    EXPECT_TRUE(cell.look(ended).is_finished());
  }
  void expect_it_works() {
    const JobId later = cell.submit({.size = 4, .script = "run=200ms exit=0"});
    EXPECT_TRUE(cell.await_finished(later, Reason::normal));
  }
  /// A disk breaks under a node: it says so and acknowledges nothing more; the others go on without it.
  void a_disk_fails_under(std::uint32_t node, void (SimCluster::*fail)(std::uint32_t)) {
    (cell.sim.*fail)(node);
    const std::uint32_t other = cell.other_than(node);
    (void)cell.post(other, {.script = "run=100ms exit=0"}, "during");
    ASSERT_TRUE(cell.await([&] { return !cell.sim.failure(node).empty(); }));
    EXPECT_NE(cell.sim.failure(node).find("the log cannot be written: "), std::string::npos)
        << cell.sim.failure(node);
    EXPECT_NE(cell.post(node, {}, "on the failed one", milliseconds(12'000)).status, 202);
    const http::Response again = cell.post(other, {.script = "run=100ms exit=0"}, "during");
    ASSERT_EQ(again.status, 202) << again.body;
    ASSERT_TRUE(cell.await([&] { return cell.look(job_id_of(again), other).is_finished(); }));
    cell.sim.crash_node(node);
    cell.sim.restart_node(node);
    EXPECT_TRUE(cell.await_whole()) << cell.why_not_whole();
    expect_the_tasks_untouched();
    EXPECT_TRUE(cell.look(job_id_of(again), node).is_finished());
  }

  Cell cell{cell_options(21)};
  JobId job, ended;
  std::vector<TaskId> tasks;
};

TEST_F(SimCrashes, EveryNodeInTurn) {
  for (std::uint32_t node = 1; node <= 3; ++node) {
    cell.sim.crash_node(node);
    const JobId meanwhile = cell.submit({.size = 3, .script = "run=100ms exit=0"}, cell.other_than(node));
    EXPECT_TRUE(cell.await([&] { return cell.look(meanwhile).is_finished(); }));
    cell.sim.restart_node(node);
    ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
    EXPECT_TRUE(cell.look(meanwhile, node).is_finished());
  }
  expect_the_tasks_untouched();
}

TEST_F(SimCrashes, PowerIsLostEverywhere) {
  std::vector<JobId> acknowledged;
  for (int round = 0; round < 4; ++round) {
    acknowledged.push_back(cell.submit({.size = 3, .script = "run=300ms exit=0"}));
    cell.sim.run_for(milliseconds(37 * round));
    for (std::uint32_t node = 1; node <= 3; ++node) cell.sim.crash_node(node);
    cell.sim.run_for(milliseconds(2'000));
    for (std::uint32_t node = 1; node <= 3; ++node) cell.sim.restart_node(node);
    ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  }
  for (const JobId& id : acknowledged) EXPECT_TRUE(cell.await_finished(id, Reason::normal));
  expect_the_tasks_untouched();
}

TEST_F(SimCrashes, TheLeadersDiskTakesNoWrites) {
  a_disk_fails_under(cell.sim.leader(), &SimCluster::fail_writes);
}
TEST_F(SimCrashes, TheLeadersDiskFailsToSync) {
  a_disk_fails_under(cell.sim.leader(), &SimCluster::fail_syncs);
}
TEST_F(SimCrashes, AFollowersDiskTakesNoWrites) {
  a_disk_fails_under(cell.other_than(cell.sim.leader()), &SimCluster::fail_writes);
}
TEST_F(SimCrashes, AFollowersDiskFailsToSync) {
  a_disk_fails_under(cell.other_than(cell.sim.leader()), &SimCluster::fail_syncs);
}

TEST_F(SimCrashes, AnAgentThatComesBackAdoptsItsTasks) {
  const JobId batch = cell.submit({.size = 4, .script = "run=3s exit=0"});
  ASSERT_TRUE(cell.await_running(batch, 4));
  for (std::uint32_t host = 1; host <= 2; ++host) cell.sim.crash_agent(host);
  cell.sim.run_for(milliseconds(5'000));  // The batch tasks end unseen.
  for (std::uint32_t host = 1; host <= 2; ++host) cell.sim.restart_agent(host);
  EXPECT_TRUE(cell.await_finished(batch, Reason::normal));
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  expect_the_tasks_untouched();
}

TEST_F(SimCrashes, AHostThatDiesForGoodIsReplaced) {
  cell.sim.kill_host(1);
  ASSERT_TRUE(cell.await([&] { return cell.look(job).started < 6; }));
  ASSERT_TRUE(cell.await_running(job, 6));
  int moved = 0;
  for (const TaskId& task : cell.look(job).tasks) moved += std::count(tasks.begin(), tasks.end(), task) == 0;
  EXPECT_GT(moved, 0);
  EXPECT_LT(moved, 6);
  // A new machine of that name is welcome.
  cell.sim.restart_agent(1);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  expect_it_works();
}

TEST_F(SimCrashes, AHostThatWasOnlyCutOffForLongGivesUpWhatWasReplaced) {
  cell.sim.isolate_host(1);
  ASSERT_TRUE(cell.await([&] { return cell.look(job).tasks != tasks; }));
  ASSERT_TRUE(cell.await_running(job, 6));
  const std::vector<TaskId> replaced = cell.look(job).tasks;
  cell.sim.heal();
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  cell.sim.run_for(milliseconds(5'000));
  EXPECT_EQ(cell.look(job).tasks, replaced);
}

TEST_F(SimCrashes, AHostThatWasCutOffForAWhileKeepsItsTasks) {
  cell.sim.isolate_host(1);
  ASSERT_TRUE(cell.await([&] { return cell.sim.reads(1)->cell().hosts_connected == 1; }));
  cell.sim.heal();
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  expect_the_tasks_untouched();
}

}  // namespace
}  // namespace troupe::embedded
