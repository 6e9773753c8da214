// A whole snapshot from one machine to another, over a wire that breaks and disks that fail.

#include "tests/storage/snapshot/world.hpp"

namespace troupe {
namespace {

class Transfer : public testing::TestWithParam<std::pair<std::string, MakeMachine>> {
 protected:
  Source source{GetParam().second};
  std::unique_ptr<Machine> target = GetParam().second();
  NodeFolder folder = target->folder();
  SnapshotReceiver receiver{folder, "north"};

  void expect_arrived(SnapshotReceiver& by, Wire& wire) {
    ASSERT_NE(by.complete(), nullptr);
    ASSERT_TRUE(by.install().ok());
    wire.finish(by.installed());
    ASSERT_TRUE(wire.ended.has_value());
    EXPECT_FALSE(wire.ended->failure.has_value());
    expect_same_state();
  }
  void expect_same_state() {
    EXPECT_EQ(index_of(*target), 100u);
    const auto copy = target->open_state(target->folder().state_path());
    const auto mine = copy->scan(keys::archived, "row", "rox");
    const auto its = source.store->scan(keys::archived, "row", "rox");
    for (; its->valid(); its->next(), mine->next()) {
      ASSERT_TRUE(mine->valid());
      ASSERT_EQ(mine->key(), its->key());
      ASSERT_EQ(mine->value(), its->value());
    }
    EXPECT_FALSE(mine->valid());
  }
};

constexpr SendLimits small{.chunk_bytes = 1'000, .window_bytes = 8'000};

TEST_P(Transfer, InstallsTheSendersState) {
  Wire wire(source.snapshot, receiver, small);
  wire.start();
  wire.run();
  EXPECT_LE(wire.most_in_flight, small.window_bytes);
  expect_arrived(receiver, wire);
  EXPECT_EQ(folder.current().index, Index{100});
  EXPECT_EQ(folder.current().term, Term{2});
  EXPECT_EQ(folder.current().membership, three_nodes);
}

TEST_P(Transfer, GoesOnAfterABrokenLinkWithoutSendingWhatIsThere) {
  Wire wire(source.snapshot, receiver, small);
  wire.start();
  while (receiver.complete() == nullptr) {
    wire.run(20);
    wire.cut();
    wire.join();
  }
  expect_arrived(receiver, wire);
  const std::uint64_t total = source.snapshot->manifest().bytes();
  EXPECT_LT(wire.bytes_read, total + total / 20 * 10) << "each break costs a window at most";
}

TEST_P(Transfer, GoesOnAfterARestartedReceiver) {
  Wire first(source.snapshot, receiver, small);
  first.start();
  first.run(100);
  const std::uint64_t before = receiver.received_bytes();
  ASSERT_GT(before, 50'000u);
  NodeFolder again = target->folder();
  SnapshotReceiver reborn(again, "north");
  Wire second(source.snapshot, reborn, small, 2);
  second.start();
  second.run();
  EXPECT_EQ(second.bytes_read, source.snapshot->manifest().bytes() - before);
  expect_arrived(reborn, second);
}

TEST_P(Transfer, GoesOnFromWhateverAPowerFailureLeft) {
  for (std::uint64_t seed = 1; seed < 8; ++seed) {
    target = GetParam().second();
    NodeFolder first_folder = target->folder();
    SnapshotReceiver first(first_folder, "north");
    Wire wire(source.snapshot, first, small);
    wire.start();
    wire.run(40 * seed);
    Random random(seed);
    target->crash(random);
    NodeFolder again = target->folder();
    SnapshotReceiver reborn(again, "north");
    Wire second(source.snapshot, reborn, small, 2);
    second.start();
    second.run();
    expect_arrived(reborn, second);
  }
}

TEST_P(Transfer, FetchesAFileAgainThatWasDamagedOnTheWay) {
  Wire wire(source.snapshot, receiver, small);
  int flips = 2;
  std::size_t seen = 0;
  wire.pass = [&](SnapshotMessage& message) {
    auto* chunk = std::get_if<SnapshotChunk>(&message);
    if (chunk == nullptr || ++seen % 50 != 0 || flips-- <= 0) return true;
    Bytes bad(chunk->data.view());
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 4);
    chunk->data = Blob(std::move(bad));
    return true;
  };
  wire.start();
  wire.run();
  EXPECT_LE(flips, 0);
  expect_arrived(receiver, wire);
}

TEST_P(Transfer, IsRefusedWhenAFileKeepsArrivingDamagedAndNothingStays) {
  Wire wire(source.snapshot, receiver, small);
  wire.pass = [&](SnapshotMessage& message) {
    if (auto* chunk = std::get_if<SnapshotChunk>(&message))
      chunk->data = Blob(Bytes(chunk->data.size(), 'x'));
    return true;
  };
  wire.start();
  wire.run();
  ASSERT_TRUE(wire.ended && wire.ended->failure);
  EXPECT_EQ(wire.ended->failure->code, ErrorCode::corrupt);
  EXPECT_FALSE(folder.files().list(folder.incoming_path()).ok());
  EXPECT_FALSE(folder.incoming().value().has_value());
  EXPECT_EQ(folder.current().number, 0u);
  Wire second(source.snapshot, receiver, small, 2);
  second.start();
  second.run();
  expect_arrived(receiver, second);
}

TEST_P(Transfer, LosesMessagesAndStillArrives) {
  Random random(4);
  Wire wire(source.snapshot, receiver, {.chunk_bytes = 1'000, .window_bytes = 8'000, .offer_ticks = 5});
  wire.pass = [&](SnapshotMessage&) { return !random.chance(3); };
  wire.start();
  for (int n = 0; n < 5'000 && receiver.complete() == nullptr; ++n) {
    wire.run(50);
    wire.take(wire.core.tick());
  }
  expect_arrived(receiver, wire);
}

TEST_P(Transfer, IsNotNeededByWhoIsAheadButByWhoMustRepair) {
  Wire wire(source.snapshot, receiver, small);
  wire.applied = Index{100};
  wire.start();
  wire.run();
  ASSERT_TRUE(wire.ended);
  EXPECT_FALSE(wire.ended->failure);
  EXPECT_EQ(receiver.complete(), nullptr);
  ASSERT_TRUE(folder.note_fault("diverged at 90").ok());
  Wire repair(source.snapshot, receiver, small, 2);
  repair.applied = Index{100};
  repair.start();
  repair.run();
  expect_arrived(receiver, repair);
  EXPECT_FALSE(folder.fault().value().has_value()) << "the new state is sound";
}

INSTANTIATE_TEST_SUITE_P(Machines, Transfer, testing::ValuesIn(machines()),
                         [](const auto& world) { return world.param.first; });

TEST(FullDisk, RefusesWithTheReasonAndKeepsTheOldState) {
  const MakeMachine make = machines()[0].second;
  Source source(make);
  SimMachine target;
  NodeFolder folder = target.folder();
  SnapshotReceiver receiver(folder, "north");
  target.disk.limit_bytes(100'000);
  Wire wire(source.snapshot, receiver, small);
  wire.start();
  wire.run();
  ASSERT_TRUE(wire.ended && wire.ended->failure);
  EXPECT_EQ(wire.ended->failure->code, ErrorCode::io);
  EXPECT_NE(wire.ended->failure->message.find("no space"), std::string::npos);
  EXPECT_LT(target.disk.used_bytes(), 10'000u) << "nothing of it stays";
  EXPECT_EQ(folder.current().number, 0u);
}

TEST(LargeSnapshot, NeverHoldsMoreThanItsWindow) {
  const MakeMachine make = machines()[1].second;
  Source source(make, 400'000);
  ASSERT_GT(source.snapshot->manifest().bytes(), std::uint64_t{40} << 20);
  RealMachine target;
  NodeFolder folder = target.folder();
  SnapshotReceiver receiver(folder, "north");
  Wire wire(source.snapshot, receiver);
  wire.start();
  wire.run();
  ASSERT_NE(receiver.complete(), nullptr);
  EXPECT_LE(wire.most_in_flight, SendLimits{}.window_bytes);
  EXPECT_GT(wire.most_in_flight, SendLimits{}.window_bytes / 2) << "and uses it";
}

}  // namespace
}  // namespace troupe
