#include "tests/storage/raft/history.hpp"

#include <gtest/gtest.h>

#include "storage/base/msgpack.hpp"
#include "tests/storage/raft/cluster.hpp"

namespace troupe::raft::test {
namespace {

TEST(RaftHistory, ReadsOfTheNewestValueAreFine) {
  History history;
  const auto write = history.write_called(0, 1);
  const auto early = history.read_called(0);
  history.read_answered(early, 1);  // while the write is under way
  history.write_answered(write);
  const auto late = history.read_called(0);
  history.read_answered(late, 1);
  EXPECT_FALSE(history.violation());
}

TEST(RaftHistory, AReadOfAnOverwrittenValueIsFound) {
  History history;
  for (const std::uint64_t value : {1u, 2u}) history.write_answered(history.write_called(0, value));
  history.read_answered(history.read_called(0), 1);
  EXPECT_TRUE(history.violation());
}

TEST(RaftHistory, AReadOfNothingAfterAWriteIsFound) {
  History history;
  history.write_answered(history.write_called(0, 1));
  history.read_answered(history.read_called(0), 0);
  EXPECT_TRUE(history.violation());
}

TEST(RaftHistory, TwoReadsThatGoBackAreFoundThoughTheWritesOverlap) {
  History history;
  (void)history.write_called(0, 1);
  (void)history.write_called(0, 2);
  for (const std::uint64_t value : {1u, 2u}) history.read_answered(history.read_called(0), value);
  EXPECT_FALSE(history.violation());
  history.read_answered(history.read_called(0), 1);
  EXPECT_TRUE(history.violation());
}

TEST(RaftHistory, AnUnansweredWriteMayOrMayNotHaveHappened) {
  History history;
  (void)history.write_called(0, 1);
  history.read_answered(history.read_called(0), 0);
  EXPECT_FALSE(history.violation());
  history.read_answered(history.read_called(0), 1);
  EXPECT_FALSE(history.violation());
  history.read_answered(history.read_called(0), 0);
  EXPECT_TRUE(history.violation());
}

TEST(RaftHistory, KeysAreIndependentAndAnUnknownValueIsFound) {
  History history;
  history.write_answered(history.write_called(0, 1));
  history.read_answered(history.read_called(1), 0);
  EXPECT_FALSE(history.violation());
  history.read_answered(history.read_called(1), 77);
  EXPECT_TRUE(history.violation());
}

Entry write_of(std::uint64_t index, std::uint64_t sequence, std::uint64_t value) {
  return {Term{1}, Index{index}, EntryKind::command, {}, Blob(packed(Command{1, sequence, 0, value}))};
}

TEST(RaftState, ARepeatedWriteCountsOnce) {
  State state;
  state.apply(write_of(1, 1, 10));
  state.apply(write_of(2, 2, 20));
  state.apply(write_of(3, 1, 10));
  EXPECT_EQ(state.values[0], 20u);
}

TEST(RaftState, ARepeatedWriteCountsOnceAlsoAfterASnapshot) {
  Cluster net(1);
  for (const std::uint64_t sequence : {1u, 2u}) {
    net.node(1).disk.state.apply(write_of(sequence, sequence, 10 * sequence));
  }
  State state = net.node(1).take_snapshot().state;
  state.apply(write_of(3, 1, 10));
  EXPECT_EQ(state.values[0], 20u);
}

}  // namespace
}  // namespace troupe::raft::test
