// Group commit, order, bounds and the end after a failure.

#include "storage/log/log_writer.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "fixture.hpp"
#include "storage/kv/rocks_store.hpp"
#include "tests/storage/base/temp_folder.hpp"

namespace troupe {
namespace {

/// Collects completions; awaits them with a bound.
class Completions {
 public:
  LogWriter::Done done() {
    return [this](Result<std::uint64_t> finished) {
      {
        const std::lock_guard lock(mutex_);
        if (finished.ok())
          tickets_.push_back(finished.value());
        else
          errors_.push_back(finished.error());
      }
      changed_.notify_all();
    };
  }
  bool await_ticket(std::uint64_t ticket) {
    return await([&] { return !tickets_.empty() && tickets_.back() >= ticket; });
  }
  bool await_error() {
    return await([&] { return !errors_.empty(); });
  }
  std::vector<std::uint64_t> tickets() const {
    const std::lock_guard lock(mutex_);
    return tickets_;
  }
  std::vector<Error> errors() const {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  template <class Ready>
  bool await(Ready ready) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), ready);
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> tickets_;
  std::vector<Error> errors_;
};

class LogWriterTest : public LogFixture {
 protected:
  Completions completions_;
};

TEST_F(LogWriterTest, inline_writes_nothing_until_pumped_and_then_one_group) {
  InlineLogWriter writer(*log_, completions_.done());
  const auto before = kv_->counters();
  for (std::uint64_t i = 1; i <= 10; ++i) ASSERT_TRUE(writer.submit(append_of({entry_of(i, 1)}, i)).ok());
  EXPECT_EQ(writer.pending(), 10u);
  EXPECT_EQ(log_->head().tail.index, Index{0});
  EXPECT_TRUE(completions_.tickets().empty());
  EXPECT_TRUE(writer.pump());
  EXPECT_EQ(completions_.tickets(), std::vector<std::uint64_t>{10});
  EXPECT_EQ(kv_->counters().syncs - before.syncs, 1u);
  EXPECT_EQ(writer.queued_bytes(), 0u);
  EXPECT_FALSE(writer.pump());
}

TEST_F(LogWriterTest, a_queued_truncation_follows_the_queued_append_that_it_cuts) {
  InlineLogWriter writer(*log_, completions_.done());
  ASSERT_TRUE(writer.submit(append_of(run_of(1, 5, 1), 1)).ok());
  LogWrite conflict = append_of(run_of(3, 3, 2), 2);
  conflict.truncate_from = Index{3};
  ASSERT_TRUE(writer.submit(std::move(conflict)).ok());
  ASSERT_TRUE(writer.pump());
  crash();
  EXPECT_EQ(story(), "1:1 2:1 3:2 ");
}

TEST_F(LogWriterTest, a_crash_before_the_pump_loses_what_was_only_submitted) {
  InlineLogWriter writer(*log_, completions_.done());
  ASSERT_TRUE(writer.submit(append_of(run_of(1, 5, 1), 1)).ok());
  crash();
  EXPECT_EQ(story(), "");
}

TEST_F(LogWriterTest, a_full_queue_refuses_and_leaves_the_write_whole) {
  InlineLogWriter writer(*log_, completions_.done(), 500);
  LogWrite huge = append_of({entry_of(1, 1, std::string(1000, 'x'))}, 1);
  ASSERT_TRUE(writer.submit(std::move(huge)).ok()) << "alone, even a huge one must pass";
  LogWrite refused = append_of({entry_of(2, 1)}, 2);
  EXPECT_EQ(writer.submit(std::move(refused)).error().code, ErrorCode::overloaded);
  ASSERT_EQ(refused.append.size(), 1u);  // NOLINT(bugprone-use-after-move): the contract
  ASSERT_TRUE(writer.pump());
  EXPECT_TRUE(writer.submit(std::move(refused)).ok());
}

TEST_F(LogWriterTest, groups_are_bounded) {
  InlineLogWriter writer(*log_, completions_.done());
  const std::string megabyte(1 << 20, 'x');
  for (std::uint64_t i = 1; i <= 10; ++i)
    ASSERT_TRUE(writer.submit(append_of({entry_of(i, 1, megabyte)}, i)).ok());
  int groups = 0;
  while (writer.pump()) ++groups;
  EXPECT_EQ(groups, 4);
  EXPECT_EQ(completions_.tickets(), (std::vector<std::uint64_t>{3, 6, 9, 10}));
}

TEST_F(LogWriterTest, inline_after_a_failure_stops_and_says_so_once) {
  InlineLogWriter writer(*log_, completions_.done());
  ASSERT_TRUE(writer.submit(append_of({entry_of(1, 1)}, 1)).ok());
  disk_.fail_syncs("log");
  EXPECT_TRUE(writer.pump());
  EXPECT_EQ(writer.submit(append_of({entry_of(2, 1)}, 2)).error().code, ErrorCode::io);
  EXPECT_FALSE(writer.pump());
  EXPECT_EQ(completions_.errors().size(), 1u);
  EXPECT_TRUE(completions_.tickets().empty());
}

TEST_F(LogWriterTest, the_thread_completes_everything_in_order) {
  ThreadLogWriter writer(*log_, completions_.done());
  for (std::uint64_t i = 1; i <= 2000; ++i) ASSERT_TRUE(writer.submit(append_of({entry_of(i, 1)}, i)).ok());
  ASSERT_TRUE(completions_.await_ticket(2000));
  const auto tickets = completions_.tickets();
  EXPECT_TRUE(std::is_sorted(tickets.begin(), tickets.end()));
  EXPECT_EQ(std::adjacent_find(tickets.begin(), tickets.end()), tickets.end());
  EXPECT_EQ(log_->head().tail.index, Index{2000});
  EXPECT_EQ(writer.queued_bytes(), 0u);
}

TEST_F(LogWriterTest, the_thread_stops_for_good_after_a_failure) {
  ThreadLogWriter writer(*log_, completions_.done());
  disk_.fail_writes("log");
  ASSERT_TRUE(writer.submit(append_of({entry_of(1, 1)}, 1)).ok());
  ASSERT_TRUE(completions_.await_error());
  EXPECT_EQ(completions_.errors().front().code, ErrorCode::io);
  EXPECT_EQ(writer.submit(append_of({entry_of(2, 1)}, 2)).error().code, ErrorCode::io);
  EXPECT_EQ(completions_.errors().size(), 1u);
  EXPECT_TRUE(completions_.tickets().empty());
}

TEST_F(LogWriterTest, a_writer_may_be_destroyed_with_its_queue_full) {
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t next = log_->head().tail.index.value + 1;
    {
      ThreadLogWriter writer(*log_, [](auto) {});
      for (std::uint64_t i = next; i < next + 50; ++i)
        ASSERT_TRUE(writer.submit(append_of({entry_of(i, 1)}, i)).ok());
    }
    crash();  // whatever part was written is a whole log
  }
}

TEST_F(LogWriterTest, many_writes_share_few_syncs_on_rocksdb) {
  const TempFolder folder;
  const RocksConfig config{
      .path = folder.file("log"), .role = RocksConfig::Role::log, .tables = LogStore::tables()};
  {
    const auto kv = std::move(open_rocks(config)).value();
    const auto log = std::move(LogStore::open(*kv)).value();
    LogWrite first;
    first.hard = raft::HardState{Term{1}, NodeId{1}};
    ASSERT_TRUE(log->write({&first, 1}).ok());
    ThreadLogWriter writer(*log, completions_.done());
    for (std::uint64_t i = 1; i <= 5000; ++i) ASSERT_TRUE(writer.submit(append_of({entry_of(i, 1)}, i)).ok());
    ASSERT_TRUE(completions_.await_ticket(5000));
    EXPECT_LT(kv->counters().syncs, 1000u);
    LogWrite compact;
    compact.compact = LogEdge{Index{4000}, Term{1}};
    ASSERT_TRUE(writer.submit(std::move(compact)).ok());
  }
  {
    const auto kv = std::move(open_rocks(config)).value();
    const auto log = std::move(LogStore::open(*kv)).value();
    EXPECT_EQ(log->head().tail.index, Index{5000});
    EXPECT_TRUE(log->free_space().ok());
    EXPECT_EQ(log->read(Index{4500}, Index{5001}, no_limit).value().size(), 501u);
  }
}

}  // namespace
}  // namespace troupe
