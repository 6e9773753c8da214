// Shards and their owners when a node is cut off, half cut off or frozen: the tasks do not notice.

#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

constexpr milliseconds until_moved{800};  // owner_dead_ms, a look at the peers, the move: no tick between.
constexpr milliseconds until_noticed{6'000};  // Lease, the owner's death, the move, the agents' redials.

class SimOwnership : public testing::Test {
 protected:
  void SetUp() override {
    job = cell.submit({.is_service = true, .size = 6, .script = "run=forever"});
    ASSERT_TRUE(cell.await_running(job, 6));
    tasks = cell.look(job).tasks;
    leader = cell.sim.leader();
    owner = cell.other_than(leader);
  }
  void TearDown() override { EXPECT_EQ(cell.violations(), ""); }

  void expect_the_tasks_untouched() {
    EXPECT_EQ(cell.look(job).tasks, tasks);
    EXPECT_TRUE(cell.await_running(job, 6));
    for (const TaskId& task : tasks) EXPECT_EQ(cell.sim.launches(task), 1u);
  }
  void expect_it_heals() {
    cell.sim.heal();
    EXPECT_TRUE(cell.await_whole()) << cell.why_not_whole();
    for (const auto& [node, count] : cell.shards_owned()) EXPECT_TRUE(count == 21 || count == 22) << count;
    expect_the_tasks_untouched();
    const JobId later = cell.submit({.size = 4, .script = "run=200ms exit=0"});
    EXPECT_TRUE(cell.await_finished(later, Reason::normal));
  }
  int owned_by(std::uint32_t node, std::uint32_t asked) {
    int count = 0;
    for (const ShardRecord& shard : cell.sim.reads(asked)->shards()) count += shard.owner.value == node;
    return count;
  }

  Cell cell{cell_options(11)};
  JobId job;
  std::vector<TaskId> tasks;
  std::uint32_t leader = 0, owner = 0;
};

TEST_F(SimOwnership, CuttingOffAnOwnerThatIsNotTheLeader) {
  cell.sim.isolate_node(owner);
  ASSERT_TRUE(cell.await([&] { return !cell.sim.status(owner)->leased.load(); }, milliseconds(1'500)));
  ASSERT_TRUE(cell.await([&] { return owned_by(owner, leader) == 0; }, until_noticed));
  EXPECT_EQ(cell.sim.leader(), leader);
  EXPECT_GT(owned_by(owner, owner), 0);  // It has not heard.
  const http::Response refused = cell.post(owner, {});
  EXPECT_TRUE(refused.status == 503 || refused.status == 504) << refused.status;
  ASSERT_TRUE(cell.await([&] { return cell.sim.reads(leader)->cell().hosts_connected == 2; }, until_noticed));
  const JobId meanwhile = cell.submit({.size = 9, .script = "run=200ms exit=0"}, leader);
  EXPECT_TRUE(cell.await([&] { return cell.look(meanwhile, leader).is_finished(); }));
  expect_it_heals();
}

TEST_F(SimOwnership, CuttingOffTheLeader) {
  cell.sim.isolate_node(leader);
  ASSERT_TRUE(
      cell.await([&] { return cell.sim.leader() != leader && cell.sim.leader() != 0; }, until_noticed));
  ASSERT_TRUE(cell.await([&] { return owned_by(leader, owner) == 0; }, until_noticed));
  const http::Response refused = cell.post(leader, {});
  EXPECT_TRUE(refused.status == 503 || refused.status == 504) << refused.status;
  const JobId meanwhile = cell.submit({.size = 9, .script = "run=200ms exit=0"}, owner);
  EXPECT_TRUE(cell.await([&] { return cell.look(meanwhile, owner).is_finished(); }));
  expect_it_heals();
}

TEST_F(SimOwnership, ALeaderThatHearsNobodyStepsDown) {
  for (std::uint32_t node = 1; node <= 3; ++node)
    if (node != leader) cell.sim.cut(node, leader);
  ASSERT_TRUE(
      cell.await([&] { return cell.sim.leader() != leader && cell.sim.leader() != 0; }, until_noticed));
  ASSERT_TRUE(cell.await([&] { return owned_by(leader, owner) == 0; }, until_noticed));
  expect_it_heals();
}

TEST_F(SimOwnership, ALeaderThatNobodyHearsIsReplaced) {
  for (std::uint32_t node = 1; node <= 3; ++node)
    if (node != leader) cell.sim.cut(leader, node);
  ASSERT_TRUE(
      cell.await([&] { return cell.sim.leader() != leader && cell.sim.leader() != 0; }, until_noticed));
  expect_it_heals();
}

TEST_F(SimOwnership, AnOwnerThatOnlyHearsLosesItsShards) {
  cell.sim.cut(owner, leader);
  ASSERT_TRUE(cell.await(
      [&] { return owned_by(owner, cell.sim.leader()) == 0 || cell.sim.leader() == owner; }, until_noticed));
  expect_it_heals();
}

TEST_F(SimOwnership, AFrozenOwnerAwakesToShardsThatAreNotItsOwn) {
  cell.sim.freeze_node(owner);
  ASSERT_TRUE(cell.await([&] { return owned_by(owner, leader) == 0; }, until_moved));
  const JobId meanwhile = cell.submit({.size = 9, .script = "run=200ms exit=0"}, leader);
  EXPECT_TRUE(cell.await([&] { return cell.look(meanwhile, leader).is_finished(); }));
  cell.sim.thaw_node(owner);
  expect_it_heals();
}

TEST_F(SimOwnership, AFrozenLeaderAwakesAsAFollower) {
  cell.sim.freeze_node(leader);
  ASSERT_TRUE(cell.await(
      [&] {
        for (std::uint32_t node = 1; node <= 3; ++node)
          if (node != leader && cell.sim.status(node)->leader.load() == node) return true;
        return false;
      },
      until_noticed));
  cell.sim.run_for(milliseconds(5'000));
  const JobId meanwhile = cell.submit({.size = 9, .script = "run=200ms exit=0"}, owner);
  EXPECT_TRUE(cell.await([&] { return cell.look(meanwhile, owner).is_finished(); }));
  cell.sim.thaw_node(leader);
  cell.sim.run_for(milliseconds(200));
  EXPECT_NE(cell.sim.leader(), leader);
  expect_it_heals();
}

TEST_F(SimOwnership, FreezingAgainAndAgainStartsNothingTwice) {
  for (int round = 0; round < 9; ++round) {
    const std::uint32_t victim = static_cast<std::uint32_t>(round % 3 + 1);
    cell.sim.freeze_node(victim);
    cell.sim.run_for(milliseconds(700 + 400 * round));
    const JobId meanwhile = cell.submit({.size = 5, .script = "run=100ms exit=0"}, cell.other_than(victim));
    cell.sim.thaw_node(victim);
    EXPECT_TRUE(cell.await([&] { return cell.look(meanwhile).is_finished(); }));
  }
  expect_it_heals();
}

/// Through one node to another; the answer's status.
int move_shard_of(Cell& cell, HostId host, std::uint32_t through, std::uint32_t to) {
  const ShardId shard = cell.sim.reads(through)->shard_of(EntityRef::of(host));
  return static_cast<int>(cell.sim
                              .call(through, "PUT", "/api/v3/cell/shards/" + to_text(shard) + "/owner",
                                    R"({"node":)" + std::to_string(to) + "}",
                                    {{"x-titus-callerid", "ann"}, {"content-type", "application/json"}})
                              .status);
}

// Found by a bench: an agent whose shard moved asked a node that had just stopped where to, and waited for
// it.
TEST(SimShards, AgentsOfOneThatMovesGoStraightToItsNextOwner) {
  Cell cell(cell_options(116, 12));
  const std::uint32_t leader = cell.sim.leader();
  const std::uint32_t owner = cell.other_than(leader);
  const Reads& reads = *cell.sim.reads(leader);
  std::map<ShardId, HostId> moves;
  for (const HostFacts& host : reads.hosts())
    if (host.record.session_node == NodeId{owner})
      moves[reads.shard_of(EntityRef::of(host.record.id))] = host.record.id;
  ASSERT_GE(moves.size(), 3u);
  const std::uint32_t frozen = 6 - leader - owner;
  cell.sim.freeze_node(frozen);
  for (const auto& [shard, host] : moves) {
    ASSERT_EQ(move_shard_of(cell, host, leader, leader), 200);
    const auto has_followed = [&, host = host] {
      return reads.host_facts(host)->record.session_node == NodeId{leader};
    };
    EXPECT_TRUE(cell.await(has_followed, milliseconds(100))) << to_text(host);
  }
  cell.sim.thaw_node(frozen);
  EXPECT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(cell.violations(), "");
}

TEST(SimShards, OneThatMovesAndComesBackKeepsItsAgentsLinks) {
  Cell cell(cell_options(117, 6));
  const std::uint32_t leader = cell.sim.leader();
  const std::uint32_t owner = cell.other_than(leader);
  const Reads& reads = *cell.sim.reads(leader);
  HostId host;
  for (const HostFacts& facts : reads.hosts())
    if (facts.record.session_node == NodeId{owner}) host = facts.record.id;
  ASSERT_NE(host, HostId{});
  for (const std::uint32_t to : {leader, owner}) {
    ASSERT_EQ(move_shard_of(cell, host, leader, to), 200);
    ASSERT_TRUE(cell.await([&] { return reads.host_facts(host)->record.session_node == NodeId{to}; },
                           milliseconds(500)));
  }
  const SessionId session = reads.host_facts(host)->record.session;
  cell.sim.run_for(milliseconds(5'000));
  EXPECT_EQ(reads.host_facts(host)->record.session, session) << "it was closed for having been sent away";
  EXPECT_EQ(cell.violations(), "");
}

}  // namespace
}  // namespace troupe::embedded
