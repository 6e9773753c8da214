#include "actors/operations/backup_desk.hpp"

#include <gmock/gmock.h>

#include "net/json/value.hpp"
#include "tests/storage/snapshot/world.hpp"

namespace troupe {
namespace {

using Kind = BackupOrder::Kind;
using testing::HasSubstr;

struct Desk : testing::Test {
  SimMachine machine;
  std::unique_ptr<KvStore> store;
  std::unique_ptr<SnapshotShelf> shelf;
  std::unique_ptr<BackupDesk> desk;
  Moment now{1};

  void SetUp() override {
    ASSERT_TRUE(machine.files().make_folder(machine.root()).ok());
    store = machine.open_state(machine.root() + "/state");
    fill_state(*store, 100, 50);
    shelf = open_shelf(machine);
    desk = std::make_unique<BackupDesk>(NodeId{2}, shelf.get(), store.get(), three_nodes);
  }
  void TearDown() override { desk.reset(); }
  Result<Bytes> ask(Kind kind, const std::string& id, const std::string& file = {}, std::uint64_t offset = 0,
                    std::size_t size = BackupDesk::read_bytes_max) {
    return desk->answer({kind, id, "ann", file, offset, size}, now);
  }
};

TEST_F(Desk, TakesOneAndServesItPieceByPiece) {
  const auto told = json::parse(ask(Kind::take, "a").value()).value();
  EXPECT_EQ(*told.find("index")->text(), "100");
  EXPECT_EQ(*told.find("node")->integer(), 2);
  EXPECT_EQ(*told.find("cell")->text(), "north");
  const auto manifest = decode_manifest(ask(Kind::manifest, "a").value());
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest.value().index, Index{100});
  EXPECT_EQ(*told.find("bytes")->text(), std::to_string(manifest.value().bytes()));
  for (const SnapshotFile& file : manifest.value().files) {
    Bytes whole;
    while (whole.size() < file.size) whole += ask(Kind::read, "a", file.name, whole.size(), 1'000).value();
    EXPECT_EQ(whole.size(), file.size);
  }
  EXPECT_TRUE(ask(Kind::drop, "a").ok());
  EXPECT_EQ(shelf->held(), 0u);
  EXPECT_EQ(ask(Kind::manifest, "a").error().code, ErrorCode::not_found);
}

TEST_F(Desk, RepeatingTheRequestGivesTheSameSnapshot) {
  const Bytes first = ask(Kind::take, "a").value();
  fill_state(*store, 200, 50);
  EXPECT_EQ(ask(Kind::take, "a").value(), first);
  EXPECT_EQ(shelf->held(), 1u);
  EXPECT_TRUE(ask(Kind::drop, "a").ok());
  EXPECT_TRUE(ask(Kind::drop, "a").ok()) << "a lost answer does no harm";
  EXPECT_THAT(ask(Kind::take, "b").value(), HasSubstr(R"("index":"200")"));
}

TEST_F(Desk, HoldsOneAtATimeUntilItIsDroppedOrIdle) {
  ASSERT_TRUE(ask(Kind::take, "a").ok());
  EXPECT_EQ(ask(Kind::take, "b").error().code, ErrorCode::overloaded);
  now = now + (BackupDesk::idle_max - std::chrono::nanoseconds(1));
  ASSERT_TRUE(ask(Kind::manifest, "a").ok()) << "whoever reads keeps it";
  now = now + (BackupDesk::idle_max - std::chrono::nanoseconds(1));
  EXPECT_EQ(ask(Kind::take, "b").error().code, ErrorCode::overloaded);
  now = now + std::chrono::nanoseconds(1);
  EXPECT_TRUE(ask(Kind::take, "b").ok());
  EXPECT_EQ(ask(Kind::manifest, "a").error().code, ErrorCode::not_found);
  EXPECT_EQ(shelf->held(), 1u);
}

TEST_F(Desk, RangesAndNamesAreHeldToTheirBounds) {
  ASSERT_TRUE(ask(Kind::take, "a").ok());
  const std::string file = decode_manifest(ask(Kind::manifest, "a").value()).value().files.front().name;
  EXPECT_EQ(ask(Kind::read, "a", "../state/x").error().code, ErrorCode::not_found);
  EXPECT_EQ(ask(Kind::read, "a", file, 0, 0).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(ask(Kind::read, "a", file, 0, BackupDesk::read_bytes_max + 1).error().code,
            ErrorCode::invalid_argument);
  EXPECT_EQ(ask(Kind::read, "a", file, 1'000'000'000, 10).value(), Bytes()) << "behind the end is nothing";
}

TEST_F(Desk, ANodeWithoutAShelfHasNone) {
  BackupDesk none(NodeId{2}, nullptr, store.get(), three_nodes);
  EXPECT_EQ(none.answer({Kind::take, "a"}, now).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace troupe
