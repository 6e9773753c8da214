// The log on disk: what comes back after a crash, and what must not open.

#include "storage/log/log_store.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <set>

#include "fixture.hpp"
#include "storage/log/log_codec.hpp"

namespace troupe {
namespace {

using testing::HasSubstr;

class LogStoreTest : public LogFixture {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write(append_of(run_of(1, 3, 1))).ok());
    ASSERT_TRUE(write(append_of(run_of(4, 6, 2))).ok());
  }
  void damage(const std::function<void(KvBatch&)>& change) {
    KvBatch batch;
    change(batch);
    ASSERT_TRUE(kv_->write(batch, Durability::synced).ok());
  }
  void expect_corrupt(const std::string& saying) {
    const auto opened = open_again();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    EXPECT_THAT(opened.error().message, HasSubstr(saying));
  }
};

TEST_F(LogStoreTest, everything_written_comes_back_after_a_crash) {
  LogWrite more = append_of({entry_of(7, 9)});
  more.hard = raft::HardState{Term{9}, NodeId{2}};
  more.membership = raft::Membership{{NodeId{1}, NodeId{2}}, {NodeId{3}}};
  ASSERT_TRUE(write(std::move(more)).ok());
  const LogHead before = log_->head();
  crash();
  EXPECT_EQ(log_->head(), before);
  EXPECT_EQ(log_->head().hard.voted_for, NodeId{2});
  EXPECT_EQ(log_->head().membership.learners, std::vector<NodeId>{NodeId{3}});
  EXPECT_EQ(story(), "1:1 2:1 3:1 4:2 5:2 6:2 7:9 ");
  EXPECT_EQ(log_->read(Index{5}, Index{6}, no_limit).value().front(), entry_of(5, 2));
  ASSERT_EQ(log_->term_runs_at_open().size(), 3u);
  EXPECT_EQ(log_->term_runs_at_open()[1].first, Index{4});
}

TEST_F(LogStoreTest, a_fresh_store_is_an_empty_log) {
  const auto kv = open_memory(LogStore::tables());
  const auto log = std::move(LogStore::open(*kv)).value();
  EXPECT_EQ(log->head(), LogHead{});
}

TEST_F(LogStoreTest, a_group_costs_one_sync) {
  std::vector<LogWrite> group;
  for (std::uint64_t i = 7; i < 107; ++i) group.push_back(append_of({entry_of(i, 3)}));
  const auto before = kv_->counters();
  ASSERT_TRUE(log_->write(group).ok());
  EXPECT_EQ(kv_->counters().syncs - before.syncs, 1u);
  EXPECT_EQ(kv_->counters().batches - before.batches, 1u);
  crash();
  EXPECT_EQ(log_->head().tail, (LogEdge{Index{106}, Term{3}}));
}

TEST_F(LogStoreTest, a_read_stops_at_its_bytes_but_brings_at_least_one) {
  EXPECT_EQ(log_->read(Index{1}, Index{7}, 0).value().size(), 1u);
  EXPECT_EQ(log_->read(Index{1}, Index{7}, 2 * entry_of(1, 1).bytes()).value().size(), 2u);
  EXPECT_EQ(log_->read(Index{1}, Index{1}, no_limit).value().size(), 0u);
  EXPECT_EQ(log_->read(Index{6}, Index{9}, no_limit).error().code, ErrorCode::corrupt);
}

TEST_F(LogStoreTest, truncate_and_append_are_one) {
  LogWrite write_over = append_of(run_of(5, 5, 4));
  write_over.truncate_from = Index{5};
  ASSERT_TRUE(write(write_over).ok());
  EXPECT_EQ(story(), "1:1 2:1 3:1 4:2 5:4 ");
  crash();
  EXPECT_EQ(story(), "1:1 2:1 3:1 4:2 5:4 ");

  // A crash in the middle leaves the old tail or the new one, never neither.
  std::set<std::string> survived;
  for (int round = 0; round < 30; ++round) {
    LogWrite again = append_of(run_of(3, 3, 9));
    again.truncate_from = Index{3};
    disk_.fail_syncs("log");
    ASSERT_FALSE(write(again).ok());
    crash();
    survived.insert(story());
    if (story() == "1:1 2:1 3:9 ") break;
  }
  survived.erase("1:1 2:1 3:1 4:2 5:4 ");
  EXPECT_EQ(survived, (std::set<std::string>{"1:1 2:1 3:9 "}));
}

TEST_F(LogStoreTest, a_group_may_append_truncate_and_append_again) {
  std::vector<LogWrite> group(4);
  group[0].append = run_of(7, 9, 3);
  group[1].truncate_from = Index{8};
  group[1].append = run_of(8, 8, 5);
  group[2].truncate_from = Index{7};
  group[2].append = run_of(7, 7, 6);
  group[3].truncate_from = Index{50};  // nothing there
  ASSERT_TRUE(log_->write(group).ok());
  crash();
  EXPECT_EQ(story(), "1:1 2:1 3:1 4:2 5:2 6:2 7:6 ");
}

TEST_F(LogStoreTest, compaction_moves_the_edge_and_frees_space) {
  LogWrite compact;
  compact.compact = LogEdge{Index{4}, Term{2}};
  ASSERT_TRUE(write(compact).ok());
  EXPECT_EQ(story(), "5:2 6:2 ");
  ASSERT_TRUE(log_->free_space().ok());
  crash();
  EXPECT_EQ(log_->head().edge, (LogEdge{Index{4}, Term{2}}));
  EXPECT_EQ(story(), "5:2 6:2 ");
  LogWrite older;
  older.compact = LogEdge{Index{2}, Term{1}};
  ASSERT_TRUE(write(older).ok());
  EXPECT_EQ(log_->head().edge.index, Index{4}) << "an edge never goes back";
}

TEST_F(LogStoreTest, a_snapshot_ahead_of_or_against_the_log_restarts_it) {
  LogWrite other_term;
  other_term.compact = LogEdge{Index{5}, Term{4}};
  ASSERT_TRUE(write(other_term).ok());
  EXPECT_EQ(story(), "");
  EXPECT_EQ(log_->head().tail, (LogEdge{Index{5}, Term{4}}));
  LogWrite ahead = append_of(run_of(101, 102, 6));
  ahead.compact = LogEdge{Index{100}, Term{5}};
  ASSERT_TRUE(write(ahead).ok());
  crash();
  EXPECT_EQ(story(), "101:6 102:6 ");
}

TEST_F(LogStoreTest, a_gap_does_not_open) {
  damage([](KvBatch& batch) { batch.erase(LogStore::entries_table, log_key(Index{3})); });
  expect_corrupt("gap: entry 4 follows 2");
}

TEST_F(LogStoreTest, a_lost_tail_does_not_open) {
  damage([](KvBatch& batch) { batch.erase(LogStore::entries_table, log_key(Index{6})); });
  expect_corrupt("ends at entry 5 of term 2, was written up to 6");
}

TEST_F(LogStoreTest, a_lost_start_does_not_open) {
  damage([](KvBatch& batch) { batch.erase(LogStore::entries_table, log_key(Index{1})); });
  expect_corrupt("gap: entry 2 follows 0");
}

TEST_F(LogStoreTest, entries_without_a_head_do_not_open) {
  damage([](KvBatch& batch) { batch.erase(LogStore::meta_table, "head"); });
  expect_corrupt("log ends at entry 6");
}

TEST_F(LogStoreTest, a_record_at_a_wrong_place_does_not_open) {
  damage([](KvBatch& batch) {
    batch.put(LogStore::entries_table, log_key(Index{3}), log_record(entry_of(2, 1)));
  });
  expect_corrupt("log entry 3: holds entry 2");
}

TEST_F(LogStoreTest, a_term_that_goes_back_does_not_open) {
  damage([](KvBatch& batch) {
    batch.put(LogStore::entries_table, log_key(Index{5}), log_record(entry_of(5, 1)));
  });
  expect_corrupt("log entry 5 goes back from term 2 to 1");
}

TEST_F(LogStoreTest, a_term_above_the_nodes_own_does_not_open) {
  LogHead head = log_->head();
  head.hard.term = Term{1};
  damage([&](KvBatch& batch) { batch.put(LogStore::meta_table, "head", log_head_record(head)); });
  expect_corrupt("entries of term 2, but the node's term is 1");
}

TEST_F(LogStoreTest, no_flipped_bit_goes_unnoticed) {
  for (const Table table : {LogStore::entries_table, LogStore::meta_table}) {
    for (int round = 0; round < 200; ++round) {
      ASSERT_TRUE(kv_->checkpoint("copy").ok());
      disk_.open("copy", LogStore::tables()).value().reset();
      ASSERT_TRUE(disk_.flip_bit("copy", table, random_));
      const auto copy = std::move(disk_.open("copy", LogStore::tables())).value();
      const auto opened = LogStore::open(*copy);
      ASSERT_FALSE(opened.ok());
      EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
      disk_.remove("copy");
    }
  }
}

TEST_F(LogStoreTest, a_torn_record_does_not_open_and_does_not_read) {
  ASSERT_TRUE(disk_.tear_tail("log", LogStore::entries_table, random_));
  EXPECT_EQ(log_->read(Index{6}, Index{7}, no_limit).error().code, ErrorCode::corrupt);
  expect_corrupt("log entry 6");
}

TEST_F(LogStoreTest, after_a_failed_write_no_other_succeeds) {
  disk_.fail_writes("log");
  EXPECT_EQ(write(append_of({entry_of(7, 3)})).error().code, ErrorCode::io);
  EXPECT_EQ(log_->head().tail.index, Index{6});
  EXPECT_EQ(write(append_of({entry_of(7, 3)})).error().code, ErrorCode::io);
}

TEST_F(LogStoreTest, a_gap_in_what_is_appended_is_a_bug) {
  EXPECT_DEATH((void)write(append_of({entry_of(8, 3)})), "check_failed");
  EXPECT_DEATH((void)write(append_of({entry_of(7, 1)})), "check_failed");
}

TEST(LogCodec, entry_bytes_are_for_ever) {
  const raft::Entry entry{Term{3}, Index{258}, raft::EntryKind::config, Instant{-2}, Blob("ab")};
  const Bytes record = log_record(entry);
  EXPECT_EQ(record.substr(0, 9), "\x01\x17\xd4\xf3\xd5\xc2\x03\xca\xe8");
  EXPECT_EQ(record.substr(9),
            Bytes("\x02\x01\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff\x02"
                  "ab",
                  27));
  EXPECT_EQ(log_entry(log_key(Index{258}), record).value(), entry);
  EXPECT_EQ(log_key(Index{258}), Bytes("\0\0\0\0\0\0\x01\x02", 8));
}

}  // namespace
}  // namespace troupe
