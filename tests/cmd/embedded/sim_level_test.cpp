// Builds change node by node: the cell's feature level follows, and a build that knows too little says so.

#include <gmock/gmock.h>

#include "tests/cmd/embedded/cell.hpp"

namespace troupe::embedded {
namespace {

using testing::HasSubstr;

SimOptions older_builds(std::uint64_t seed) {
  SimOptions options = cell_options(seed);
  options.level_known = 0;
  return options;
}

class SimLevels : public testing::Test {
 protected:
  static std::uint32_t level(const Cell& cell) { return cell.sim.reads(cell.up())->cell().record.level; }
  static void install(Cell& cell, std::uint32_t node, std::uint32_t level) {
    cell.sim.crash_node(node);
    cell.sim.install_build(node, level);
    cell.sim.restart_node(node);
  }
};

TEST_F(SimLevels, ANewCellIsRaisedToWhatItsBuildKnows) {
  Cell cell(cell_options(81));
  ASSERT_TRUE(cell.await([&] { return level(cell) == feature_level_known; }));
}

TEST_F(SimLevels, RiseWithTheLastNodeThatIsUpgradedWhileTasksRun) {
  Cell cell(older_builds(82));
  const JobId job = cell.submit({.is_service = true, .size = 4, .script = ""});
  ASSERT_TRUE(cell.await_running(job, 4));
  const JobLook before = cell.look(job);
  for (std::uint32_t node = 1; node <= 3; ++node) {
    EXPECT_EQ(level(cell), 0u) << "before node " << node << " is upgraded";
    install(cell, node, 1);
    ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  }
  ASSERT_TRUE(cell.await([&] { return level(cell) == 1; }));
  EXPECT_EQ(cell.look(job).tasks, before.tasks);
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimLevels, WhatAnOlderBuildCannotDecodeNeverEntersTheLog) {
  Cell cell(older_builds(86));
  install(cell, 1, feature_level_known);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  const http::Response refused = cell.sim.call(1, "DELETE", "/api/v2/management/applications/other");
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("delete_group needs feature level 2, the cell is at 0"));
  Command deletion;
  deletion.body = DeleteGroup{};
  const auto entries = cell.sim.reads(1)->audit(1, 1'000);
  ASSERT_TRUE(entries.ok());
  for (const AuditRecord& entry : entries.value())
    EXPECT_NE(entry.command, deletion.number()) << "it would be in the audit";
}

TEST_F(SimLevels, ANodeMayGoBackUntilTheLevelIsRaised) {
  Cell cell(older_builds(83));
  install(cell, 1, 1);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  install(cell, 1, 0);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(level(cell), 0u);
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimLevels, AnOlderBuildThanTheCellsLevelDoesNotStartAndSaysWhy) {
  Cell cell(cell_options(84));
  ASSERT_TRUE(cell.await([&] { return level(cell) == feature_level_known; }));
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  const std::uint32_t node = cell.other_than(cell.sim.leader());
  install(cell, node, feature_level_known - 1);
  cell.sim.run_for(milliseconds(2'000));
  EXPECT_THAT(cell.sim.failure(node),
              HasSubstr("feature level " + std::to_string(feature_level_known) + " and this build knows " +
                        std::to_string(feature_level_known - 1) + ": upgrade this node"));
  EXPECT_TRUE(cell.await_finished(cell.submit({}, cell.sim.leader()), Reason::normal));
  install(cell, node, feature_level_known);
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(cell.sim.repairs(node), 0u) << "nothing was wrong with its disk";
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimLevels, ALearnerOfAnOlderBuildIsNotPromotedBeforeItsUpgrade) {
  Cell cell(cell_options(86));
  ASSERT_TRUE(cell.await([&] { return level(cell) == feature_level_known; }));
  cell.sim.join_node(4);
  install(cell, 4, feature_level_known - 1);
  const auto change = [&](raft::MemberChangeKind kind) {
    return cell.sim.change_members(cell.sim.leader(), kind, 4);
  };
  ASSERT_TRUE(change(raft::MemberChangeKind::add_learner).ok());
  ASSERT_TRUE(cell.await([&] { return !cell.sim.failure(4).empty(); }));
  const auto refused = change(raft::MemberChangeKind::promote);
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  EXPECT_THAT(refused.error().message,
              HasSubstr("node 4 knows feature level " + std::to_string(feature_level_known - 1) +
                        " and the cell is at " + std::to_string(feature_level_known) + ": upgrade it first"));
  install(cell, 4, feature_level_known);
  EXPECT_TRUE(cell.await([&] { return change(raft::MemberChangeKind::promote).ok(); }));
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  EXPECT_EQ(cell.violations(), "");
}

TEST_F(SimLevels, ThePolicyKeepsTheWayBack) {
  Cell cell(older_builds(85));
  ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  ASSERT_EQ(cell.sim.call(1, "PUT", "/api/v3/cell/policy", R"({"levelMax": 0})").status, 200);
  for (std::uint32_t node = 1; node <= 3; ++node) {
    install(cell, node, 1);
    ASSERT_TRUE(cell.await_whole()) << cell.why_not_whole();
  }
  cell.sim.run_for(milliseconds(5'000));
  EXPECT_EQ(level(cell), 0u);
  ASSERT_EQ(cell.sim.call(1, "PUT", "/api/v3/cell/policy", R"({"levelMax": 1})").status, 200);
  EXPECT_TRUE(cell.await([&] { return level(cell) == 1; }));
}

}  // namespace
}  // namespace troupe::embedded
