// A node that lost its disk is not the one that voted under its number.

#include "storage/replica/disk_book.hpp"

#include "drivers.hpp"
#include "storage/base/msgpack.hpp"

namespace troupe {
namespace {

using Heard = DiskBook::Heard;

constexpr std::uint32_t hundreds = 100;  // Disks are numbered by node and life: 302 is node 3's second one.

class DiskBooks : public testing::Test {
 protected:
  std::unique_ptr<DiskBook> open(SimDisk& on, std::uint32_t self, DiskId drawn, const LogHead& head = {}) {
    store = std::move(on.open("log", LogStore::tables())).value();
    return std::move(DiskBook::open(*store, NodeId{self}, head, drawn)).value();
  }
  SimDisk disk;
  std::unique_ptr<KvStore> store;
};

TEST_F(DiskBooks, ANewLogIsANewDiskThatNobodyKnowsYet) {
  auto book = open(disk, 3, 301);
  EXPECT_EQ(book->disk(), 301u);
  EXPECT_EQ(book->standing(), VoteStanding::unknown);
  book.reset();
  store.reset();
  EXPECT_EQ(open(disk, 3, 999)->disk(), 301u) << "and it stays the same one";
}

TEST_F(DiskBooks, ALogOfAnEarlierReleaseHasVotedAlready) {
  LogHead head;
  head.hard.term = Term{4};
  EXPECT_EQ(open(disk, 3, 301, head)->standing(), VoteStanding::votes);
}

TEST_F(DiskBooks, ACopyBesideTheLogIsAheadOfEveryTermItPromisesIn) {
  std::vector<DiskRecord> copies;
  const auto keep = [&](const DiskRecord& copy) {
    copies.push_back(copy);
    return Result<void>();
  };
  store = std::move(disk.open("log", LogStore::tables())).value();
  auto book = std::move(DiskBook::open(*store, NodeId{3}, {}, 301, keep)).value();
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies.back().disk, 301u);
  const Term bound = copies.back().mute_through;
  ASSERT_TRUE(book->will_promise(bound).ok());
  EXPECT_EQ(copies.size(), 1u) << "it is not written for each term";
  ASSERT_TRUE(book->will_promise(bound.next()).ok());
  EXPECT_GT(copies.back().mute_through, bound.next());
  ASSERT_TRUE(book->hear({NodeId{1}, 101, true, 301}).ok());
  EXPECT_EQ(copies.back().peers.size(), 1u);
  EXPECT_EQ(book->mute_through(), Term{}) << "the bound is the copy's alone";
  book.reset();
  store.reset();
  SimDisk other;
  store = std::move(other.open("log", LogStore::tables())).value();
  const auto gone = DiskBook::open(*store, NodeId{3}, {}, 302, keep, copies.back());
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, ErrorCode::corrupt) << "this folder has voted, whatever its log says";
}

TEST_F(DiskBooks, AFolderOfAnotherNodeIsRefused) {
  open(disk, 3, 301);
  store.reset();
  store = std::move(disk.open("log", LogStore::tables())).value();
  const auto book = DiskBook::open(*store, NodeId{2}, {}, 201);
  ASSERT_FALSE(book.ok());
  EXPECT_EQ(book.error().code, ErrorCode::precondition_failed);
}

TEST_F(DiskBooks, AMajorityOfTheOthersMustKnowIt) {
  const std::vector<NodeId> five{NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}, NodeId{5}};
  auto book = open(disk, 3, 301);
  for (const std::uint32_t peer : {1U, 2U}) {
    EXPECT_EQ(book->hear({NodeId{peer}, peer * hundreds + 1, false, 301}).value(), Heard::learned);
    ASSERT_TRUE(book->enroll(five).ok());
    EXPECT_FALSE(book->enrolled()) << "two of the four others share no node with the other two";
  }
  EXPECT_EQ(book->hear({NodeId{4}, 401, false, 0}).value(), Heard::learned);
  ASSERT_TRUE(book->enroll(five).ok());
  EXPECT_FALSE(book->enrolled()) << "it has not said that it knows this disk";
  EXPECT_EQ(book->hear({NodeId{4}, 401, false, 301}).value(), Heard::known);
  ASSERT_TRUE(book->enroll(five).ok());
  EXPECT_TRUE(book->enrolled());
  book.reset();
  store.reset();
  EXPECT_EQ(open(disk, 3, 999)->standing(), VoteStanding::votes) << "for good";
}

TEST_F(DiskBooks, WhoIsAloneNeedsNobodyAndWhoIsNoMemberWaits) {
  auto book = open(disk, 1, 101);
  ASSERT_TRUE(book->enroll({}).ok());
  EXPECT_FALSE(book->enrolled());
  ASSERT_TRUE(book->enroll({NodeId{1}}).ok());
  EXPECT_TRUE(book->enrolled());
}

TEST_F(DiskBooks, AnotherDiskUnderAKnownNumberIsAStranger) {
  auto book = open(disk, 1, 101);
  EXPECT_EQ(book->hear({NodeId{3}, 301, true, 0}).value(), Heard::learned);
  EXPECT_EQ(book->hear({NodeId{3}, 302, false, 0}).value(), Heard::stranger);
  EXPECT_EQ(book->hear_of({NodeId{3}, 302, false, false}).value(), Heard::stranger);
  EXPECT_EQ(book->hear({NodeId{3}, 301, true, 0}).value(), Heard::known);
  book.reset();
  store.reset();
  book = open(disk, 1, 999);
  EXPECT_EQ(book->hear({NodeId{3}, 302, false, 0}).value(), Heard::stranger) << "across restarts";
  EXPECT_EQ(book->disk_of(NodeId{3}), 301u);
}

TEST_F(DiskBooks, WhoMayVoteTakesThePlaceOfWhoeverCameBeforeItWasHeard) {
  auto book = open(disk, 1, 101);
  EXPECT_EQ(book->hear({NodeId{3}, 302, false, 0}).value(), Heard::learned);
  EXPECT_EQ(book->hear({NodeId{3}, 301, true, 0}).value(), Heard::learned);
  EXPECT_EQ(book->disk_of(NodeId{3}), 301u);
}

TEST_F(DiskBooks, ADiskThatPeersKnowAsAnotherIsRefusedUnlessItMayVote) {
  auto book = open(disk, 3, 302);
  EXPECT_EQ(book->hear({NodeId{1}, 101, true, 301}).value(), Heard::refused);
  EXPECT_EQ(book->hear_of({NodeId{3}, 301, true, false}).value(), Heard::refused);
  book.reset();
  store.reset();
  SimDisk other;
  LogHead head;
  head.hard.term = Term{1};
  book = open(other, 3, 301, head);
  EXPECT_EQ(book->hear({NodeId{1}, 101, true, 302}).value(), Heard::learned)
      << "the other one will hear of it";
}

/// Three drivers whose disks are named; messages go by hand.
class NamedDisks : public testing::Test, protected Drivers {
 protected:
  NamedDisks() {
    for (const std::uint32_t n : {1U, 2U, 3U}) make(n, n * hundreds + 1);
  }
  void make(std::uint32_t node, DiskId drawn) {
    MachineOptions options;
    options.disk = drawn;
    nodes[node] = std::make_unique<Machine>(node, std::vector<std::uint32_t>{1, 2, 3}, options);
  }
  void link(std::uint32_t one, std::uint32_t other) {
    nodes.at(one)->driver_->link_up(NodeId{other});
    nodes.at(other)->driver_->link_up(NodeId{one});
  }
  void link_all() { link(1, 2), link(2, 3), link(1, 3); }
};

TEST_F(NamedDisks, AtItsFirstStartACellWaitsUntilAllKnowEachOther) {
  cut = {{1, 2}, {1, 3}};
  link(2, 3);
  run(300);
  EXPECT_EQ(leader(), 0u) << "whoever is missing may be the one that knows better";
  cut.clear();
  link(1, 2), link(1, 3);
  run(200);
  EXPECT_NE(leader(), 0u);
  for (auto& [n, node] : nodes) EXPECT_EQ(node->disks_->standing(), VoteStanding::votes);
}

TEST_F(NamedDisks, AGreetingThatIsLostIsSaidAgain) {
  link_all();
  for (auto& [n, node] : nodes) (void)node->settle();  // Nobody hears them.
  run(300);
  EXPECT_NE(leader(), 0u);
}

// Followers do not speak to each other otherwise: one whose first answer was lost could never vote.
TEST_F(NamedDisks, WhoMayNotVoteYetIsAnsweredAgain) {
  link_all();
  run(200);
  ReplicaMessage asks;
  asks.message.type = raft::MessageType::heartbeat_reply;
  asks.message.from = NodeId{1};
  asks.message.to = NodeId{3};
  asks.disk = nodes.at(1)->disks_->disk();
  asks.to_disk = nodes.at(3)->disks_->disk();  // It knows whom it asks.
  asks.greets = true;
  nodes.at(3)->hear(asks);
  std::size_t answers = 0;
  for (const ReplicaMessage& said : nodes.at(3)->settle())
    if (said.greets && said.message.to == NodeId{1} && said.to_disk == asks.disk) ++answers;
  EXPECT_EQ(answers, 1u);
}

TEST_F(NamedDisks, OnceKnownAnyMajorityDoes) {
  link_all();
  run(200);
  for (auto& [n, node] : nodes) ASSERT_TRUE(node->crash_and_restart());
  cut = {{1, 2}, {1, 3}};
  link(2, 3);
  run(300);
  EXPECT_GT(leader(), 1u);
}

TEST_F(NamedDisks, ANodeThatLostItsDiskIsToldSoByWhoeverItMeets) {
  link_all();
  run(200);
  const std::uint32_t lead = leader();
  ASSERT_NE(lead, 0u);
  const std::uint32_t lost = lead == 3 ? 2 : 3;
  const std::uint32_t third = 6 - lead - lost;
  make(lost, lost * hundreds + 2);
  cut = {{lead, third}, {lead, lost}};  // Alone with one who has not voted with it.
  link(lost, third);
  run(300);
  EXPECT_NE(nodes.at(lost)->driver_->role(), raft::Role::leader);
  EXPECT_NE(nodes.at(third)->driver_->role(), raft::Role::leader);
  ASSERT_EQ(nodes.at(lost)->stops_.size(), 1u);
  EXPECT_NE(nodes.at(lost)->stops_.front().find("join: true"), std::string::npos);
}

TEST_F(NamedDisks, AStrangersWordsDoNotReachTheCore) {
  link_all();
  run(200);
  const std::uint32_t lead = leader();
  const std::uint32_t other = lead == 3 ? 2 : 3;
  const Term before = nodes.at(lead)->driver_->term();
  raft::Message late{.type = raft::MessageType::append_reply, .from = NodeId{other}, .to = NodeId{lead}};
  late.term = Term{before.value + 7};
  late.reject = true;
  ReplicaMessage message{late, nodes.at(lead)->now_.wall};
  message.disk = other * hundreds + 2;
  nodes.at(lead)->hear(message);
  EXPECT_EQ(nodes.at(lead)->driver_->term(), before);
  EXPECT_EQ(nodes.at(lead)->driver_->counters().strangers, 1u);
  message.disk = other * hundreds + 1;
  nodes.at(lead)->hear(message);
  EXPECT_GT(nodes.at(lead)->driver_->term(), before) << "the one that is known is heard";
}

TEST_F(NamedDisks, WhoseLogIsBeingRepairedVotesOnlyBehindWhatItPromised) {
  link_all();
  run(200);
  const std::uint32_t lead = leader();
  const std::uint32_t hurt = lead == 3 ? 2 : 3;
  const std::uint32_t third = 6 - lead - hurt;
  Machine& node = *nodes.at(hurt);
  DiskRecord record = read_disk_record(*node.kv_).value().value();
  const Term promised = node.driver_->term();
  node.crash();
  node.disk_.remove("log");
  node.disk_.remove("state");
  {
    const auto fresh = std::move(node.disk_.open("log", LogStore::tables())).value();
    record.mute_through = promised;
    ASSERT_TRUE(write_first_head(*fresh, {promised.next(), NodeId{}}).ok());
    ASSERT_TRUE(write_disk_record(*fresh, record).ok());
  }
  ASSERT_TRUE(node.start());
  EXPECT_EQ(node.disks_->standing(), VoteStanding::repairing);
  // Alone with a node that lacks what only it and the leader had, it gives it no majority.
  cut = {{lead, third}, {lead, hurt}};
  link(hurt, third);
  run(300);
  EXPECT_NE(nodes.at(third)->driver_->role(), raft::Role::leader);
  EXPECT_NE(node.driver_->role(), raft::Role::leader);
  // With the others it gets a leader of a later term, its log, and its vote.
  cut.clear();
  link_all();
  run(300);
  ASSERT_NE(leader(), 0u);
  EXPECT_GT(nodes.at(leader())->driver_->term(), promised);
  EXPECT_EQ(node.disks_->standing(), VoteStanding::votes);
  EXPECT_EQ(node.stored(), nodes.at(leader())->stored());
}

}  // namespace
}  // namespace troupe
