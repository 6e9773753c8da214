// Checkpoints are shared, bounded in number, and gone when nobody needs them.

#include "tests/storage/snapshot/world.hpp"

namespace troupe {
namespace {

class Shelf : public testing::TestWithParam<std::pair<std::string, MakeMachine>> {
 protected:
  Source source{GetParam().second, 100};
  std::size_t folders() {
    return source.machine->files().list(source.machine->root() + "/checkpoints").value().size();
  }
  void advance(std::uint64_t index) { fill_state(*source.store, index, 1); }
};

TEST_P(Shelf, DescribesWhatItTook) {
  const SnapshotManifest& manifest = source.snapshot->manifest();
  EXPECT_EQ(manifest.cell, "north");
  EXPECT_EQ(manifest.index, Index{100});
  EXPECT_EQ(manifest.term, Term{2});
  EXPECT_EQ(manifest.membership, three_nodes);
  EXPECT_GT(manifest.bytes(), 0u);
  EXPECT_TRUE(verify_folder(source.machine->files(), source.snapshot->folder(), manifest).ok());
}

TEST_P(Shelf, TheMembershipIsTheStatesOwnIfThereIsOne) {
  const raft::Membership grown{{NodeId{1}, NodeId{4}}, {NodeId{5}}};
  KvBatch batch;
  batch.put(keys::meta, keys::membership(), packed(grown));
  ASSERT_TRUE(source.store->write(batch, Durability::buffered).ok());
  EXPECT_EQ(source.shelf->take(*source.store, three_nodes).value()->manifest().membership, grown);
}

TEST_P(Shelf, ReceiversShareTheNewestThatReachesFarEnough) {
  const SnapshotPtr one = source.shelf->newest(Index{100});
  EXPECT_EQ(one, source.snapshot);
  EXPECT_EQ(source.shelf->newest(Index{101}), nullptr);
  advance(150);
  const SnapshotPtr two = source.shelf->take(*source.store, three_nodes).value();
  EXPECT_EQ(source.shelf->newest(Index{100}), two);
}

TEST_P(Shelf, KeepsAFolderWhileOneHolderIsLeft) {
  SnapshotPtr second = source.snapshot;
  source.snapshot.reset();
  EXPECT_EQ(folders(), 1u);
  EXPECT_TRUE(verify_folder(source.machine->files(), second->folder(), second->manifest()).ok());
  second.reset();
  EXPECT_EQ(folders(), 0u);
  EXPECT_EQ(source.shelf->newest(Index{1}), nullptr);
}

TEST_P(Shelf, HoldsABoundedNumber) {
  advance(150);
  SnapshotPtr second = source.shelf->take(*source.store, three_nodes).value();
  EXPECT_EQ(source.shelf->held(), SnapshotShelf::held_max);
  EXPECT_EQ(source.shelf->take(*source.store, three_nodes).error().code, ErrorCode::overloaded);
  EXPECT_EQ(folders(), 2u);
  second.reset();
  EXPECT_TRUE(source.shelf->take(*source.store, three_nodes).ok());
}

TEST_P(Shelf, TheStateGoesOnBesideAHeldCheckpoint) {
  advance(150);
  fill_state(*source.store, 160, 500);
  ASSERT_TRUE(source.store->flush().ok());
  EXPECT_TRUE(
      verify_folder(source.machine->files(), source.snapshot->folder(), source.snapshot->manifest()).ok());
}

TEST_P(Shelf, RemovesWhatAnEarlierLifeLeft) {
  const std::string folder = source.machine->root() + "/checkpoints";
  ASSERT_TRUE(source.machine->files().make_folder(folder + "/7").ok());
  ASSERT_TRUE(source.machine->files().write(folder + "/7/x", 0, "x").ok());
  source.snapshot.reset();
  source.shelf = open_shelf(*source.machine);
  EXPECT_EQ(folders(), 0u);
}

TEST_P(Shelf, AFailedCheckpointLeavesNothing) {
  auto* sim = dynamic_cast<SimMachine*>(source.machine.get());
  if (sim == nullptr) return;
  sim->disk.limit_bytes(sim->disk.used_bytes() + 10);
  EXPECT_EQ(source.shelf->take(*source.store, three_nodes).error().code, ErrorCode::io);
  EXPECT_EQ(folders(), 1u);
  EXPECT_EQ(source.shelf->held(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Machines, Shelf, testing::ValuesIn(machines()),
                         [](const auto& world) { return world.param.first; });

}  // namespace
}  // namespace troupe
