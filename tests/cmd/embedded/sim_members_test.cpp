// Members come and go, disks are lost: the cell goes on, and whoever lacks the beginning gets a snapshot.

#include "actors/replica/replica_actor.hpp"
#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

using Kind = raft::MemberChangeKind;

SimOptions short_log(std::uint64_t seed, std::uint32_t nodes) {
  SimOptions options = cell_options(seed);
  options.nodes = nodes;
  options.settings.set(log_keep_entries, 100);
  options.settings.set(state_flush_ms, 500);
  return options;
}

class SimMembers : public testing::Test {
 protected:
  void work(Cell& cell, int jobs = 10) {
    for (int n = 0; n < jobs; ++n) cell.submit({.size = 4, .script = "run=50ms exit=0"});
    cell.sim.run_for(milliseconds(4'000));
  }
  bool is_level(Cell& cell, std::uint32_t node) {
    const std::uint32_t leader = cell.sim.leader();
    return leader != 0 && cell.sim.is_up(node) && cell.sim.status(node)->leader.load() == leader &&
           cell.sim.status(node)->applied.load() == cell.sim.status(leader)->commit.load();
  }
  /// Repeated while the leader is too new, or a change before is not applied.
  void change(Cell& cell, Kind kind, std::uint32_t node) {
    Result<Index> done = Error{};
    ASSERT_TRUE(cell.await([&] {
      if (cell.sim.leader() == 0) return false;
      done = cell.sim.change_members(cell.sim.leader(), kind, node);
      return done.ok();
    })) << done.error().message;
  }
  void expect_ok(const Result<Index>& done) { ASSERT_TRUE(done.ok()) << done.error().message; }
  /// Repeated as an operator would, while the learner catches up.
  void promote(Cell& cell, std::uint32_t node) { change(cell, Kind::promote, node); }
};

TEST_F(SimMembers, ANodeThatWasDownForLongGetsASnapshot) {
  Cell cell(short_log(61, 3));
  const std::uint32_t away = cell.other_than(cell.sim.leader());
  cell.sim.crash_node(away);
  work(cell, 40);
  ASSERT_GT(cell.sim.status(cell.sim.leader())->first.load(), 100u);
  cell.sim.restart_node(away);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(cell.sim.snapshots_installed(away), 1u);
  // And lives on: through a restart, and as a leader.
  cell.sim.crash_node(away);
  cell.sim.restart_node(away);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  expect_ok(cell.sim.transfer_leadership(cell.sim.leader(), away));
  work(cell);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimMembers, ANodeThatLostItsDiskIsRemovedAndComesBackUnderANewNumberAsALearner) {
  Cell cell(short_log(63, 3));
  work(cell, 30);
  const std::uint32_t lost = cell.other_than(cell.sim.leader());
  cell.sim.lose_disk(lost);
  expect_ok(cell.sim.change_members(cell.sim.leader(), Kind::remove, lost));
  cell.sim.join_node(4);
  cell.sim.run_for(milliseconds(2'000));
  EXPECT_EQ(cell.sim.status(4)->leader.load(), 0u);  // Nobody knows it.
  expect_ok(cell.sim.change_members(cell.sim.leader(), Kind::add_learner, 4));
  ASSERT_TRUE(cell.await([&] { return is_level(cell, 4); }));
  EXPECT_EQ(cell.sim.snapshots_installed(4), 1u);
  promote(cell, 4);
  work(cell);
  // It counts: without it there is no majority now.
  cell.sim.crash_node(4);
  cell.sim.restart_node(4);
  ASSERT_TRUE(cell.await([&] { return is_level(cell, 4); }));
  expect_ok(cell.sim.transfer_leadership(cell.sim.leader(), 4));
  work(cell);
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimMembers, UnderItsOldNumberANodeThatLostItsDiskIsRefusedByAnyOneItMeets) {
  for (const std::uint64_t seed : {71U, 72U, 73U}) {
    Cell cell(short_log(seed, 3));
    work(cell, 5);
    const std::uint32_t leader = cell.sim.leader();
    const std::uint32_t lost = cell.other_than(leader);
    const std::uint32_t third = 6 - leader - lost;
    cell.sim.lose_disk(lost);
    // Whoever has not committed with it is all that it can reach: together they would be a majority.
    cell.sim.isolate_node(leader);
    seed % 2 == 0 ? cell.sim.restart_node(lost) : cell.sim.join_node(lost);
    cell.sim.run_for(milliseconds(5'000));
    EXPECT_NE(cell.sim.failure(lost).find("by another disk"), std::string::npos) << cell.sim.failure(lost);
    EXPECT_NE(cell.sim.failure(lost).find("join: true"), std::string::npos);
    EXPECT_NE(cell.sim.status(third)->role.load(), static_cast<std::uint8_t>(raft::Role::leader));
    cell.sim.crash_node(lost);
    cell.sim.heal();
    ASSERT_TRUE(cell.await([&] { return cell.sim.leader() != 0 && cell.up() != 0; }));
    work(cell, 2);
    EXPECT_EQ(cell.violations(), "");
  }
}

TEST_F(SimMembers, ANewCellWaitsOnceForAllOfItsListAndNeverAgain) {
  Cell cell(short_log(75, 3));
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  for (const std::uint32_t node : {1U, 2U, 3U}) cell.sim.crash_node(node);
  cell.sim.restart_node(2);
  cell.sim.restart_node(3);
  ASSERT_TRUE(cell.await([&] { return cell.sim.leader() != 0; }));
  for (const std::uint32_t node : {2U, 3U}) cell.sim.crash_node(node);
  for (const std::uint32_t node : {1U, 2U, 3U}) cell.sim.lose_disk(node);
  cell.sim.restart_node(1);
  cell.sim.restart_node(2);
  cell.sim.run_for(milliseconds(3'000));
  EXPECT_EQ(cell.sim.leader(), 0u) << "the third may know that these two lost their disks";
  cell.sim.restart_node(3);
  EXPECT_TRUE(cell.await([&] { return cell.sim.leader() != 0; }));
}

TEST_F(SimMembers, ACellOfOneGrowsToThreeAndShrinksAgainWhileItWorks) {
  Cell cell(short_log(65, 1));
  const JobId service = cell.submit({.is_service = true, .size = 5, .script = "run=forever"});
  ASSERT_TRUE(cell.await_running(service, 5));
  work(cell, 30);
  for (const std::uint32_t node : {2U, 3U}) {
    cell.sim.join_node(node);
    expect_ok(cell.sim.change_members(cell.sim.leader(), Kind::add_learner, node));
    promote(cell, node);
    ASSERT_TRUE(cell.await([&] { return is_level(cell, node); }));
  }
  // Now it bears the loss of any one, the first of all.
  work(cell);
  cell.sim.crash_node(1);
  ASSERT_TRUE(cell.await([&] { return cell.sim.leader() > 1; }));
  EXPECT_EQ(cell.submit({.size = 2, .script = "run=50ms exit=0"}, cell.sim.leader()).is_nil(), false);
  cell.sim.restart_node(1);
  ASSERT_TRUE(cell.await([&] { return is_level(cell, 1); }));
  // The leader goes first: it hands over and steps down.
  for (int gone = 0; gone < 2; ++gone) {
    const std::uint32_t leader = cell.sim.leader();
    if (leader == 1) {
      const std::uint32_t other = gone == 0 ? 2 : 3;
      change(cell, Kind::remove, other);
      cell.sim.crash_node(other);
    } else {
      (void)cell.sim.change_members(leader, Kind::remove, leader);
      ASSERT_TRUE(cell.await([&] { return cell.sim.leader() != 0 && cell.sim.leader() != leader; }));
      cell.sim.crash_node(leader);
    }
  }
  const std::uint32_t last = cell.sim.leader();
  ASSERT_NE(last, 0u);
  EXPECT_TRUE(cell.await([&] { return cell.look(service, last).started == 5; }));
  for (const TaskId& task : cell.look(service, last).tasks) EXPECT_EQ(cell.sim.launches(task), 1u);
  const JobId later = cell.submit({.size = 2, .script = "run=50ms exit=0"}, last);
  EXPECT_TRUE(cell.await([&] { return cell.look(later, last).is_finished(); }));
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimMembers, ASnapshotGoesOnAfterCrashesOfBothEnds) {
  Cell cell(short_log(67, 3));
  const std::uint32_t away = cell.other_than(cell.sim.leader());
  cell.sim.crash_node(away);
  work(cell, 40);
  cell.sim.restart_node(away);
  for (int n = 0; n < 6; ++n) {
    cell.sim.run_for(milliseconds(3 + 7 * n));
    const std::uint32_t hit = n % 2 == 0 ? away : cell.sim.leader();
    if (hit == 0 || !cell.sim.is_up(hit)) continue;
    cell.sim.crash_node(hit);
    cell.sim.restart_node(hit);
  }
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_GE(cell.sim.snapshots_installed(away), 1u);
  work(cell);
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimMembers, RequestsAreRefusedWhereTheyCannotBeDone) {
  Cell cell(short_log(69, 3));
  const std::uint32_t leader = cell.sim.leader();
  const std::uint32_t other = cell.other_than(leader);
  EXPECT_EQ(cell.sim.change_members(other, Kind::remove, leader).error().code, ErrorCode::not_leader);
  EXPECT_EQ(cell.sim.transfer_leadership(other, leader).error().code, ErrorCode::not_leader);
  EXPECT_EQ(cell.sim.change_members(leader, Kind::promote, 9).error().code, ErrorCode::invalid_argument);
  expect_ok(cell.sim.transfer_leadership(leader, other));
  EXPECT_EQ(cell.sim.leader(), other);
}

}  // namespace
}  // namespace troupe::embedded
