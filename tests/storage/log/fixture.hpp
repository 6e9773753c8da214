#pragma once
// A log on a simulated disk.

#include <gtest/gtest.h>

#include "storage/kv/memory_store.hpp"
#include "storage/log/log_cache.hpp"
#include "storage/log/log_store.hpp"
#include "storage/log/log_writer.hpp"

namespace troupe {

inline raft::Entry entry_of(std::uint64_t index, std::uint64_t term, const std::string& data = "data") {
  return {Term{term}, Index{index}, raft::EntryKind::command, Instant{static_cast<std::int64_t>(index) * 10},
          Blob(data + std::to_string(index))};
}

/// Entries [from, to] of one term.
inline std::vector<raft::Entry> run_of(std::uint64_t from, std::uint64_t to, std::uint64_t term) {
  std::vector<raft::Entry> entries;
  for (std::uint64_t index = from; index <= to; ++index) entries.push_back(entry_of(index, term));
  return entries;
}

inline LogWrite append_of(std::vector<raft::Entry> entries, std::uint64_t ticket = 0) {
  LogWrite write;
  write.append = std::move(entries);
  write.ticket = ticket;
  return write;
}

class LogFixture : public testing::Test {
 protected:
  static constexpr std::size_t no_limit = std::size_t{1} << 30;

  LogFixture() {
    open();
    LogWrite first;
    first.hard = raft::HardState{Term{9}, NodeId{1}};
    TROUPE_CHECK(write(std::move(first)).ok());
  }
  Result<void> open_again() {
    log_.reset();
    kv_.reset();
    kv_ = std::move(disk_.open("log", LogStore::tables())).value();
    auto opened = LogStore::open(*kv_);
    if (!opened.ok()) return opened.error();
    log_ = std::move(opened).value();
    return {};
  }
  void open() {
    const auto opened = open_again();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
  }
  void crash() {
    disk_.crash("log", random_);
    open();
  }
  Result<void> write(LogWrite write) { return log_->write({&write, 1}); }
  /// As "index:term index:term".
  std::string story() const {
    const LogHead head = log_->head();
    std::string text;
    const auto entries = log_->read(head.edge.index.next(), head.tail.index.next(), no_limit);
    EXPECT_TRUE(entries.ok());
    for (const auto& entry : entries.value()) text += to_text(entry.index) + ":" + to_text(entry.term) + " ";
    return text;
  }

  SimDisk disk_;
  Random random_{5};
  std::unique_ptr<KvStore> kv_;
  std::unique_ptr<LogStore> log_;
};

}  // namespace troupe
