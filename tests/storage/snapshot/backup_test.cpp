// A backup is a verified copy; a cell made from it has one member and the same state.

#include "storage/snapshot/backup.hpp"

#include "storage/log/log_store.hpp"
#include "storage/state/state_hash.hpp"
#include "storage/state/state_machine.hpp"
#include "tests/storage/snapshot/world.hpp"

namespace troupe {
namespace {

class Backup : public testing::TestWithParam<std::pair<std::string, MakeMachine>> {
 protected:
  std::unique_ptr<Machine> machine = GetParam().second();
  std::string root = machine->root();
  std::string backup = root + "/backup", data = root + "/new";
  StateHash hash;

  void SetUp() override {
    ASSERT_TRUE(machine->files().make_folder(root).ok());
    const auto store = machine->open_state(root + "/state");
    const auto state = StateMachine::open(*store).value();
    Command bootstrap;
    bootstrap.fence = TermFence{Term{3}};
    bootstrap.body = BootstrapCell{"north", 4, {}};
    std::vector<raft::Entry> entries{
        {Term{3}, Index{1}, raft::EntryKind::command, Instant{1'800'000'000'000}, Blob(encode(bootstrap))},
        {Term{3}, Index{2}, raft::EntryKind::config, {}, Blob(packed(three_nodes))}};
    for (std::uint32_t n = 3; n < 40; ++n) {
      Command host;
      host.body = RegisterHost{"host-" + std::to_string(n), "g", {1, 2, 3, 4, 0}, {}, {}};
      entries.push_back({Term{3}, Index{n}, raft::EntryKind::command, {}, Blob(encode(host))});
    }
    ASSERT_TRUE(state->apply(entries).ok());
    hash = state->hash();
    const auto shelf = open_shelf(*machine);
    const SnapshotPtr snapshot = shelf->take(*store, {}).value();
    ASSERT_TRUE(write_backup(machine->files(), snapshot->folder(), snapshot->manifest(), backup).ok());
  }
  RestoreSeams seams() {
    return {[this](const std::string& path) -> Result<std::unique_ptr<KvStore>> {
              return machine->open_state(path);
            },
            [this](const std::string& path) -> Result<std::unique_ptr<KvStore>> {
              return machine->open_log(path);
            }};
  }
  Result<SnapshotManifest> restore() {
    return restore_backup(machine->files(), backup, data, NodeId{7}, seams());
  }
};

TEST_P(Backup, IsVerifiedAndItsManifestTellsWhatItIs) {
  const auto manifest = verify_backup(machine->files(), backup);
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest.value().cell, "north");
  EXPECT_EQ(manifest.value().index, Index{39});
  EXPECT_EQ(manifest.value().membership, three_nodes);
  EXPECT_EQ(manifest.value().state_hash, hash.total());
}

TEST_P(Backup, BecomesACellOfOneMemberWithTheSameState) {
  ASSERT_TRUE(restore().ok());
  const NodeFolder folder = NodeFolder::look(machine->files(), data).value();
  EXPECT_FALSE(folder.fault().value().has_value());
  const auto store = machine->open_state(folder.state_path());
  const auto state = StateMachine::open(*store);
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_EQ(state.value()->applied(), Index{39});
  EXPECT_EQ(state.value()->hash().shards, hash.shards);
  EXPECT_EQ(state.value()->membership(), (raft::Membership{{NodeId{7}}, {}}));
  EXPECT_EQ(state.value()->reads().hosts().size(), 37u);
  EXPECT_EQ(recompute_hash(*store).value().hash, state.value()->hash());
  const auto log_store = machine->open_log(folder.log_path());
  const LogHead head = LogStore::open(*log_store).value()->head();
  EXPECT_EQ(head.edge, (LogEdge{Index{39}, Term{3}}));
  EXPECT_EQ(head.tail, head.edge);
  EXPECT_EQ(head.hard.term, Term{3});
  EXPECT_EQ(head.membership.voters, std::vector<NodeId>{NodeId{7}});
}

TEST_P(Backup, BecomesACellOfAnotherNameWhoseSumIsRight) {
  ASSERT_TRUE(restore_backup(machine->files(), backup, data, NodeId{7}, seams(), "south").ok());
  const NodeFolder folder = NodeFolder::look(machine->files(), data).value();
  const auto store = machine->open_state(folder.state_path());
  const auto state = StateMachine::open(*store);
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_EQ(state.value()->reads().cell().record.name, "south");
  EXPECT_EQ(recompute_hash(*store).value().hash, state.value()->hash());
}

TEST_P(Backup, IsNeverWrittenOrRestoredOverSomething) {
  EXPECT_EQ(write_backup(machine->files(), backup + "/files", {}, backup).error().code, ErrorCode::io);
  ASSERT_TRUE(restore().ok());
  EXPECT_EQ(restore().error().code, ErrorCode::io);
}

TEST_P(Backup, ThatIsDamagedIsRefusedAndSoIsAnUnfinishedOne) {
  const std::string file =
      backup + "/files/" + read_backup_manifest(machine->files(), backup).value().files.front().name;
  Bytes bytes = machine->files().read(file, 0, 1 << 20).value();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  ASSERT_TRUE(machine->files().write(file, 0, bytes).ok());
  EXPECT_EQ(restore().error().code, ErrorCode::corrupt);
  EXPECT_EQ(machine->files().list(data).error().code, ErrorCode::not_found) << "nothing was begun";
  ASSERT_TRUE(machine->files().remove(backup + "/MANIFEST").ok());
  EXPECT_EQ(restore().error().code, ErrorCode::not_found);
}

TEST_P(Backup, CutOffAtAnyStepNeverStartsAsANode) {
  for (std::size_t steps = 0; steps < 200; ++steps) {
    ASSERT_TRUE(machine->files().remove(data).ok());
    DyingFiles dying(machine->files(), steps);
    const bool finished = restore_backup(dying, backup, data, NodeId{7}, seams()).ok();
    EXPECT_EQ(finished, !dying.died());
    if (finished) {
      EXPECT_GT(steps, 10u);
      return;
    }
    const auto folder = NodeFolder::look(machine->files(), data);
    if (!folder.ok()) continue;
    const bool is_marked = folder.value().fault().value().has_value();
    EXPECT_TRUE(is_marked || folder.value().current().number == 1 ||
                !machine->files().list(data + "/log").ok())
        << "step " << steps;
  }
  FAIL() << "a restore has fewer steps";
}

INSTANTIATE_TEST_SUITE_P(Machines, Backup, testing::ValuesIn(machines()),
                         [](const auto& world) { return world.param.first; });

}  // namespace
}  // namespace troupe
