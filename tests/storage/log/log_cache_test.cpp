// The log as the core sees it: memory in front of the store, both always telling one story.

#include "storage/log/log_cache.hpp"

#include "fixture.hpp"

namespace troupe {
namespace {

class LogCacheTest : public LogFixture {
 protected:
  static constexpr std::size_t room_for_four = 4 * 37;
  void SetUp() override { cache_ = std::make_unique<LogCache>(*log_, room_for_four); }
  void append(const std::vector<raft::Entry>& entries) { cache_->append(entries); }
  void make_durable(const std::vector<raft::Entry>& entries) {
    ASSERT_TRUE(write(append_of(entries)).ok());
    cache_->durable(entries.back().index, entries.back().term);
  }
  std::string seen(std::uint64_t low, std::uint64_t high, std::size_t max_bytes = no_limit) const {
    std::string text;
    for (const auto& entry : cache_->slice(Index{low}, Index{high}, max_bytes))
      text += to_text(entry.index) + ":" + to_text(entry.term) + " ";
    return text;
  }
  std::unique_ptr<LogCache> cache_;
};

TEST_F(LogCacheTest, is_empty_before_anything) {
  EXPECT_EQ(cache_->first(), Index{1});
  EXPECT_EQ(cache_->last(), Index{0});
  EXPECT_EQ(cache_->term(Index{0}), Term{0});
  EXPECT_EQ(seen(1, 1), "");
}

TEST_F(LogCacheTest, begins_with_a_store_as_it_was_opened) {
  ASSERT_TRUE(write(append_of(run_of(1, 3, 1))).ok());
  EXPECT_DEATH(LogCache(*log_, room_for_four), "check_failed") << "its terms are older than its end";
  open();
  EXPECT_EQ(LogCache(*log_, room_for_four).term(Index{3}), Term{1});
}

TEST_F(LogCacheTest, entries_are_seen_before_they_are_durable_and_never_evicted_until_then) {
  const auto entries = run_of(1, 10, 1);
  append(entries);
  EXPECT_GT(cache_->bytes(), room_for_four);
  EXPECT_EQ(seen(1, 11), "1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 ");
  EXPECT_EQ(cache_->durable(), Index{0});
  make_durable(entries);
  EXPECT_LE(cache_->bytes(), room_for_four);
}

TEST_F(LogCacheTest, what_was_evicted_is_read_back) {
  const auto entries = run_of(1, 10, 1);
  append(entries);
  make_durable(entries);
  EXPECT_EQ(seen(1, 11), "1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 ");
  EXPECT_EQ(seen(2, 4), "2:1 3:1 ");
  EXPECT_EQ(seen(1, 11, 0), "1:1 ");
  EXPECT_EQ(seen(5, 11, 3 * entry_of(1, 1).bytes()), "5:1 6:1 7:1 ") << "across store and memory";
  EXPECT_EQ(cache_->slice(Index{3}, Index{4}, 0).front(), entry_of(3, 1));
  EXPECT_FALSE(cache_->failure().has_value());
}

TEST_F(LogCacheTest, terms_need_no_reading) {
  append(run_of(1, 5, 1));
  append(run_of(6, 10, 4));
  make_durable({run_of(1, 5, 1)});
  ASSERT_TRUE(disk_.flip_bit("log", LogStore::entries_table, random_));
  EXPECT_EQ(cache_->term(Index{5}), Term{1});
  EXPECT_EQ(cache_->term(Index{6}), Term{4});
  EXPECT_EQ(cache_->term(Index{10}), Term{4});
}

TEST_F(LogCacheTest, starts_from_what_the_store_has) {
  ASSERT_TRUE(write(append_of(run_of(1, 3, 1))).ok());
  ASSERT_TRUE(write(append_of(run_of(4, 5, 2))).ok());
  crash();
  SetUp();
  EXPECT_EQ(cache_->last(), Index{5});
  EXPECT_EQ(cache_->durable(), Index{5});
  EXPECT_EQ(cache_->term(Index{3}), Term{1});
  EXPECT_EQ(seen(1, 6), "1:1 2:1 3:1 4:2 5:2 ");
  append(run_of(6, 7, 2));
  EXPECT_EQ(seen(4, 8), "4:2 5:2 6:2 7:2 ");
}

TEST_F(LogCacheTest, truncation_hides_what_the_store_still_has) {
  const auto entries = run_of(1, 10, 1);
  append(entries);
  make_durable(entries);
  cache_->truncate_from(Index{3});  // deep into the evicted part; the store has not heard of it yet
  EXPECT_EQ(cache_->last(), Index{2});
  EXPECT_EQ(cache_->durable(), Index{2});
  append(run_of(3, 9, 2));
  EXPECT_EQ(seen(1, 10), "1:1 2:1 3:2 4:2 5:2 6:2 7:2 8:2 9:2 ");
  EXPECT_EQ(cache_->term(Index{3}), Term{2});
}

TEST_F(LogCacheTest, a_late_completion_of_a_truncated_write_is_ignored) {
  append(run_of(1, 10, 1));
  cache_->truncate_from(Index{1});
  append(run_of(1, 10, 2));
  cache_->durable(Index{10}, Term{1});  // the store has the entries of term 1 only
  EXPECT_EQ(cache_->durable(), Index{0});
  EXPECT_EQ(seen(1, 3), "1:2 2:2 ");
  cache_->durable(Index{11}, Term{2});
  EXPECT_EQ(cache_->durable(), Index{0});
}

TEST_F(LogCacheTest, compaction_keeps_the_edges_term_and_what_follows) {
  append(run_of(1, 5, 1));
  append(run_of(6, 10, 4));
  cache_->compact({Index{5}, Term{1}});
  EXPECT_EQ(cache_->first(), Index{6});
  EXPECT_EQ(cache_->term(Index{5}), Term{1});
  EXPECT_EQ(cache_->term(Index{6}), Term{4});
  cache_->compact({Index{8}, Term{4}});
  EXPECT_EQ(cache_->term(Index{9}), Term{4});
  EXPECT_EQ(seen(9, 11), "9:4 10:4 ");
  cache_->compact({Index{10}, Term{4}});
  EXPECT_EQ(cache_->first(), Index{11});
  EXPECT_EQ(cache_->bytes(), 0u);
  append(run_of(11, 11, 4));
  EXPECT_EQ(cache_->term(Index{11}), Term{4});
}

TEST_F(LogCacheTest, a_snapshot_ahead_of_or_against_the_log_restarts_it) {
  append(run_of(1, 5, 1));
  cache_->compact({Index{3}, Term{2}});
  EXPECT_EQ(cache_->last(), Index{3});
  EXPECT_EQ(cache_->term(Index{3}), Term{2});
  cache_->compact({Index{50}, Term{6}});
  EXPECT_EQ(cache_->first(), Index{51});
  EXPECT_EQ(cache_->last(), Index{50});
  EXPECT_EQ(cache_->durable(), Index{50});
  append(run_of(51, 52, 7));
  EXPECT_EQ(seen(51, 53), "51:7 52:7 ");
}

TEST_F(LogCacheTest, a_damaged_older_entry_is_a_failure_that_stays) {
  const auto entries = run_of(1, 10, 1);
  append(entries);
  make_durable(entries);
  KvBatch batch;
  batch.put(LogStore::entries_table, Bytes("\0\0\0\0\0\0\0\2", 8), "rubbish");
  ASSERT_TRUE(kv_->write(batch, Durability::synced).ok());
  EXPECT_EQ(seen(1, 11), "");
  ASSERT_TRUE(cache_->failure().has_value());
  EXPECT_EQ(cache_->failure()->code, ErrorCode::corrupt);
}

// The same random history on cache, store and a plain vector.
TEST_F(LogCacheTest, agrees_with_a_plain_list_under_random_histories) {
  std::vector<raft::Entry> model;  // model[i] has index edge + 1 + i
  LogEdge edge;
  std::uint64_t term = 1;
  InlineLogWriter writer(*log_, [&](Result<std::uint64_t> done) { ASSERT_TRUE(done.ok()); });
  const auto last = [&] { return edge.index.value + model.size(); };
  for (int step = 0; step < 3000; ++step) {
    LogWrite write;
    const std::uint64_t choice = random_.below(10);
    if (choice < 6) {
      if (random_.chance(10)) write.hard = raft::HardState{Term{++term + 9}, NodeId{}};
      write.append = run_of(last() + 1, last() + 1 + random_.below(4), term);
      cache_->append(write.append);
      model.insert(model.end(), write.append.begin(), write.append.end());
    } else if (choice == 6 && !model.empty()) {
      write.truncate_from = Index{edge.index.value + 1 + random_.below(model.size())};
      cache_->truncate_from(*write.truncate_from);
      model.resize(write.truncate_from->value - edge.index.value - 1);
    } else if (choice == 7 && model.size() > 20) {
      const std::size_t gone = 1 + random_.below(model.size() - 1);
      edge = {model[gone - 1].index, model[gone - 1].term};
      model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(gone));
      write.compact = edge;
      cache_->compact(edge);
    } else if (choice == 8) {
      while (writer.pump()) {
      }
      const LogEdge tail = log_->head().tail;
      cache_->durable(tail.index, tail.term);
    }
    ASSERT_TRUE(writer.submit(std::move(write)).ok());
    ASSERT_EQ(cache_->last().value, last());
    ASSERT_EQ(cache_->slice(cache_->first(), cache_->last().next(), no_limit), model);
    if (!model.empty()) {
      const auto& some = model[random_.below(model.size())];
      ASSERT_EQ(cache_->term(some.index), some.term);
    }
  }
  while (writer.pump()) {
  }
  crash();
  EXPECT_EQ(log_->read(edge.index.next(), Index{last() + 1}, no_limit).value(), model);
}

}  // namespace
}  // namespace troupe
