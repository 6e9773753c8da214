// What is damaged is set aside, once and whole, wherever the repair is cut off; and not at all where the node
// could not keep its promises.

#include "storage/snapshot/self_repair.hpp"

#include <gmock/gmock.h>

#include "storage/log/disk_record.hpp"
#include "tests/storage/snapshot/world.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

class SelfRepair : public testing::TestWithParam<std::pair<std::string, MakeMachine>> {
 protected:
  std::unique_ptr<Machine> machine = GetParam().second();
  DiskRecord disk{NodeId{3}, 301, true, {}, {{NodeId{1}, 101, true, true}}};

  void SetUp() override {
    machine->folder();
    const auto log_kv = machine->open_log(machine->root() + "/log");
    const auto log = LogStore::open(*log_kv).value();
    LogWrite write;
    write.hard = raft::HardState{Term{5}, NodeId{2}};
    for (std::uint64_t n = 1; n <= 40; ++n)
      write.append.push_back({Term{4}, Index{n}, raft::EntryKind::noop, {}, {}});
    ASSERT_TRUE(log->write({&write, 1}).ok());
    ASSERT_TRUE(write_disk_record(*log_kv, disk).ok());
    fill_state(*machine->open_state(machine->root() + "/state"), 30, 10);
  }
  RepairSeams seams() {
    return {[this](const std::string& path) -> Result<std::unique_ptr<KvStore>> {
              return machine->open_log(path);
            },
            [this](const std::string& path) -> Result<std::unique_ptr<KvStore>> {
              return machine->open_state(path);
            }};
  }
  void expect_repaired() {
    NodeFolder folder = machine->folder();
    EXPECT_FALSE(folder.fault().value().has_value());
    EXPECT_FALSE(folder.repair().value().has_value());
    EXPECT_EQ(folder.current().index, Index{});
    const auto log_kv = machine->open_log(folder.log_path());
    const LogHead head = LogStore::open(*log_kv).value()->head();
    EXPECT_EQ(head.hard, (raft::HardState{Term{6}, NodeId{}})) << "a term in which it promised nothing";
    EXPECT_EQ(head.tail, LogEdge{});
    const DiskRecord after = *read_disk_record(*log_kv).value();
    EXPECT_EQ(after.mute_through, Term{5});
    EXPECT_EQ(after.disk, disk.disk);
    EXPECT_EQ(after.peers, disk.peers);
    EXPECT_EQ(read_position(*machine->open_state(folder.state_path())).value(), StatePosition{});
  }
  void expect_set_aside() {
    const auto log_kv = machine->open_log(machine->root() + "/damaged-log");
    EXPECT_EQ(LogStore::open(*log_kv).value()->head().tail.index, Index{40});
    const auto state = machine->open_state(machine->root() + "/damaged-state");
    EXPECT_EQ(read_position(*state).value().index, Index{30});
    EXPECT_EQ(machine->files().read(machine->root() + "/damaged-why", 0, 100).value(), "it differs");
  }
};

TEST_P(SelfRepair, SetsAsideWhatIsThereAndKeepsWhatWasPromised) {
  NodeFolder folder = machine->folder();
  ASSERT_TRUE(folder.note_fault("it differs").ok());
  const auto repaired = repair_folder(folder, "it differs", seams());
  ASSERT_TRUE(repaired.ok()) << repaired.error().message;
  expect_repaired();
  expect_set_aside();
}

TEST_P(SelfRepair, CutOffAtAnyStepIsFinishedByTheNextStart) {
  for (std::size_t steps = 0; steps < 200; ++steps) {
    DyingFiles dying(machine->files(), steps);
    NodeFolder folder = NodeFolder::look(dying, machine->root()).value();
    const bool finished = repair_folder(folder, "it differs", seams()).ok();
    NodeFolder next = machine->folder();
    ASSERT_TRUE(resume_repair(next, seams()).ok()) << "step " << steps;
    const auto entries = machine->files().list(machine->root()).value();
    const bool begun =
        std::ranges::any_of(entries, [](const FileEntry& entry) { return entry.name == "damaged-log"; });
    if (begun) {
      expect_repaired();
      expect_set_aside();
      if (finished) {
        EXPECT_GT(steps, 8u);
        return;
      }
      ASSERT_TRUE(machine->files().remove(machine->root()).ok());
      SetUp();
    }
  }
  FAIL() << "a repair has fewer steps";
}

TEST_P(SelfRepair, BeforeTheFirstHasEndedASecondOneKeepsWhatTheFirstSetAside) {
  NodeFolder folder = machine->folder();
  ASSERT_TRUE(repair_folder(folder, "it differs", seams()).ok());
  ASSERT_TRUE(repair_folder(folder, "again", seams()).ok());
  expect_set_aside();
  const auto entries = machine->files().list(machine->root()).value();
  EXPECT_EQ(std::ranges::count_if(entries,
                                  [](const FileEntry& entry) { return entry.name.starts_with("damaged-"); }),
            3);
  const auto log_kv = machine->open_log(folder.log_path());
  EXPECT_EQ(read_disk_record(*log_kv).value()->mute_through, Term{6}) << "one repair behind the other";
}

TEST_P(SelfRepair, OnlyTheLastThatEndedIsKept) {
  NodeFolder folder = machine->folder();
  ASSERT_TRUE(repair_folder(folder, "it differs", seams()).ok());
  {
    const auto log_kv = machine->open_log(folder.log_path());
    DiskRecord healed = *read_disk_record(*log_kv).value();
    healed.mute_through = {};
    ASSERT_TRUE(write_disk_record(*log_kv, healed).ok());
  }
  ASSERT_TRUE(repair_folder(folder, "again", seams()).ok());
  EXPECT_EQ(machine->files().read(machine->root() + "/damaged-why", 0, 100).value(), "again");
  const auto log_kv = machine->open_log(machine->root() + "/damaged-log");
  EXPECT_EQ(LogStore::open(*log_kv).value()->head().tail.index, Index{});
}

TEST_P(SelfRepair, OfALogThatCannotBeReadTheCopyBesideItIsEnough) {
  NodeFolder folder = machine->folder();
  DiskRecord copy = disk;
  copy.mute_through = Term{1'000};
  ASSERT_TRUE(keep_promise(folder, copy).ok());
  ASSERT_TRUE(machine->files().remove(machine->root() + "/log").ok());
  const auto repaired = repair_folder(folder, "gone", seams());
  ASSERT_TRUE(repaired.ok()) << repaired.error().message;
  const auto log_kv = machine->open_log(folder.log_path());
  EXPECT_EQ(LogStore::open(*log_kv).value()->head().hard, (raft::HardState{Term{1'001}, NodeId{}}));
  EXPECT_EQ(read_disk_record(*log_kv).value()->mute_through, Term{1'000});
  EXPECT_EQ(read_disk_record(*log_kv).value()->disk, disk.disk);
}

TEST_P(SelfRepair, ALogThatForgotItsEndIsRepairedByTheCopyToo) {
  fill_state(*machine->open_state(machine->root() + "/state"), 41, 1);
  NodeFolder folder = machine->folder();
  DiskRecord copy = disk;
  copy.mute_through = Term{1'000};
  ASSERT_TRUE(keep_promise(folder, copy).ok());
  ASSERT_TRUE(repair_folder(folder, "it differs", seams()).ok());
  const auto log_kv = machine->open_log(folder.log_path());
  EXPECT_EQ(read_disk_record(*log_kv).value()->mute_through, Term{1'000})
      << "and not what the short log says";
}

TEST_P(SelfRepair, ADamagedCopyIsNone) {
  NodeFolder folder = machine->folder();
  ASSERT_TRUE(folder.note_promise("nonsense that was never sealed").ok());
  EXPECT_FALSE(kept_promise(folder).value().has_value());
}

TEST_P(SelfRepair, ALogThatForgotItsEndIsNotRepairedWithoutACopy) {
  fill_state(*machine->open_state(machine->root() + "/state"), 41, 1);
  NodeFolder folder = machine->folder();
  const auto refused = repair_folder(folder, "it differs", seams());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  EXPECT_THAT(refused.error().message, HasSubstr("join: true"));
  EXPECT_FALSE(folder.repair().value().has_value());
}

TEST_P(SelfRepair, NeitherIsANodeThatNeverHeardAnother) {
  disk.peers.clear();
  ASSERT_TRUE(write_disk_record(*machine->open_log(machine->root() + "/log"), disk).ok());
  NodeFolder folder = machine->folder();
  EXPECT_EQ(repair_folder(folder, "it differs", seams()).error().code, ErrorCode::precondition_failed);
}

TEST_P(SelfRepair, NorALogThatIsGone) {
  ASSERT_TRUE(machine->files().remove(machine->root() + "/log").ok());
  NodeFolder folder = machine->folder();
  EXPECT_EQ(repair_folder(folder, "it differs", seams()).error().code, ErrorCode::precondition_failed);
}

INSTANTIATE_TEST_SUITE_P(Disks, SelfRepair, testing::ValuesIn(machines()),
                         [](const auto& param) { return param.param.first; });

}  // namespace
}  // namespace troupe
