// The switch to a received state, cut off at every step: what a start finds is the old state or the new one.

#include "tests/storage/snapshot/world.hpp"

namespace troupe {
namespace {

class Install : public testing::TestWithParam<std::pair<std::string, MakeMachine>> {
 protected:
  Source source{GetParam().second, 300};

  /// A machine whose state stands at 50, and which dies before its `steps`-th change of files.
  struct Aftermath {
    bool died = false;
    bool said_installed = false;
    std::uint64_t index = 0;
  };
  Aftermath receive_and_die(std::size_t steps, std::uint64_t seed, std::unique_ptr<Machine>& machine) {
    machine = GetParam().second();
    TROUPE_CHECK(machine->files().make_folder(machine->root()).ok());
    fill_state(*machine->open_state(machine->root() + "/state"), 50, 10);
    TROUPE_CHECK(machine->files().sync_folder(machine->root()).ok());
    Aftermath after;
    {
      NodeFolder folder = machine->folder();
      DyingFiles dying(machine->files(), steps);
      auto opened = NodeFolder::open(dying, machine->root());
      if (opened.ok()) {
        SnapshotReceiver receiver(opened.value(), "north");
        Wire wire(source.snapshot, receiver);
        wire.start();
        wire.run();
        after.said_installed = receiver.complete() != nullptr && receiver.install().ok();
        if (after.said_installed) (void)opened.value().remove_leftovers();
      }
      after.died = dying.died();
    }
    Random random(seed);
    machine->crash(random);
    after.index = index_of(*machine);
    return after;
  }
};

TEST_P(Install, CutOffAtEveryStepLeavesTheOldStateOrTheNewOne) {
  int olds = 0, news = 0;
  for (std::size_t steps = 0;; ++steps) {
    bool finished = false;
    // Without a power failure every seed leaves the same.
    for (std::uint64_t seed = 0; seed < (GetParam().first == "system" ? 1u : 6u); ++seed) {
      std::unique_ptr<Machine> machine;
      const Aftermath after = receive_and_die(steps, seed, machine);
      ASSERT_TRUE(after.index == 50 || after.index == 100) << "after step " << steps;
      ASSERT_TRUE(!after.said_installed || after.index == 100) << "after step " << steps;
      ++(after.index == 50 ? olds : news);
      finished = !after.died;
      // Whatever it left, the next start clears it up and a transfer goes through.
      NodeFolder folder = machine->folder();
      ASSERT_TRUE(folder.remove_leftovers().ok());
      ASSERT_EQ(index_of(*machine), after.index);
      if (after.index == 100) continue;
      SnapshotReceiver receiver(folder, "north");
      Wire wire(source.snapshot, receiver, {}, 2);
      wire.start();
      wire.run();
      ASSERT_NE(receiver.complete(), nullptr);
      ASSERT_TRUE(receiver.install().ok());
      ASSERT_EQ(index_of(*machine), 100u);
    }
    if (finished) break;
    ASSERT_LT(steps, 500u);
  }
  EXPECT_GT(olds, 10);
  EXPECT_GT(news, 2);
}

TEST_P(Install, RemovesTheOldStateAndKeepsWhatCounts) {
  std::unique_ptr<Machine> machine;
  receive_and_die(SIZE_MAX, 1, machine);
  std::string names;
  const auto listed = machine->files().list(machine->root()).value();
  for (const FileEntry& entry : listed) names += entry.name + " ";
  EXPECT_EQ(names, "CURRENT state-1 ");
}

TEST_P(Install, ASecondSnapshotReplacesTheFirst) {
  std::unique_ptr<Machine> machine;
  receive_and_die(SIZE_MAX, 1, machine);
  fill_state(*source.store, 200, 5);
  const SnapshotPtr newer = source.shelf->take(*source.store, three_nodes).value();
  NodeFolder folder = machine->folder();
  SnapshotReceiver receiver(folder, "north");
  Wire wire(newer, receiver, {}, 3);
  wire.applied = Index{100};
  wire.start();
  wire.run();
  ASSERT_NE(receiver.complete(), nullptr);
  ASSERT_TRUE(receiver.install().ok());
  EXPECT_EQ(folder.current().folder, "state-2");
  EXPECT_EQ(index_of(*machine), 200u);
}

TEST_P(Install, APointerThatIsDamagedIsRefusedNotGuessed) {
  std::unique_ptr<Machine> machine;
  receive_and_die(SIZE_MAX, 1, machine);
  const std::string pointer = machine->root() + "/CURRENT";
  Bytes bytes = machine->files().read(pointer, 0, 1'000).value();
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  ASSERT_TRUE(machine->files().write(pointer, 0, bytes).ok());
  EXPECT_EQ(NodeFolder::open(machine->files(), machine->root()).error().code, ErrorCode::corrupt);
}

INSTANTIATE_TEST_SUITE_P(Machines, Install, testing::ValuesIn(machines()),
                         [](const auto& world) { return world.param.first; });

TEST(Fault, IsRememberedUntilItIsRepaired) {
  SimMachine machine;
  ASSERT_TRUE(machine.folder().note_fault("diverged").ok());
  Random random(1);
  machine.crash(random);
  EXPECT_EQ(machine.folder().fault().value(), "diverged");
}

}  // namespace
}  // namespace troupe
