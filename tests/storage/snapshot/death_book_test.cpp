// Who dies twice at one entry is paused before it; who is skipped or forgiven goes on.

#include "storage/snapshot/death_book.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "storage/log/log_store.hpp"
#include "storage/snapshot/skip.hpp"
#include "storage/state/state_machine.hpp"
#include "tests/storage/kv/disks.hpp"

namespace troupe {
namespace {

struct Book {
  TempFolder folder;
  std::string file = folder.file("APPLYING");
  std::unique_ptr<DeathBook> open() { return std::move(DeathBook::open(file)).value(); }
  /// One life of a process, which dies in the middle of an entry.
  void live_and_die_at(std::uint64_t entry, int signal = SIGKILL) {
    const pid_t child = fork();
    if (child == 0) {
      const auto book = open();
      book->begin(Index{entry - 1});
      book->end();
      book->begin(Index{entry});
      ::raise(signal);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
};

TEST(DeathBook, PausesBeforeTheEntryThatItDiedAtTwice) {
  Book book;
  EXPECT_EQ(book.open()->paused_before(), std::nullopt);
  book.live_and_die_at(17);
  EXPECT_EQ(book.open()->paused_before(), std::nullopt);
  book.live_and_die_at(17, SIGTERM);
  EXPECT_EQ(book.open()->paused_before(), Index{17});
  EXPECT_EQ(book.open()->paused_before(), Index{17}) << "as often as it starts";
}

TEST(DeathBook, DoesNotMindDeathsAtDifferentEntriesOrBetweenThem) {
  Book book;
  book.live_and_die_at(17);
  book.live_and_die_at(18);
  book.live_and_die_at(17);
  EXPECT_EQ(book.open()->paused_before(), std::nullopt);
  {
    const auto life = book.open();
    life->begin(Index{17});
    life->end();
  }
  EXPECT_EQ(book.open()->paused_before(), std::nullopt);
}

TEST(DeathBook, ForgetsOnAnOperatorsWord) {
  Book book;
  book.live_and_die_at(17);
  book.live_and_die_at(17);
  book.open()->forget();
  EXPECT_EQ(book.open()->paused_before(), std::nullopt);
}

TEST(Skips, AreKeptInTheNodesFolder) {
  TempFolder folder;
  const std::string root = folder.file("node");
  const SkippedEntry one{Index{17}, Term{2}, 5, "ann", "it kills every node", Instant{1}};
  SkippedEntry other = one;
  other.index = Index{19};
  {
    NodeFolder node = NodeFolder::open(system_files(), root).value();
    EXPECT_TRUE(node.skipped().value().empty());
    ASSERT_TRUE(node.add_skipped(one).ok());
    ASSERT_TRUE(node.add_skipped(other).ok());
    ASSERT_TRUE(node.add_skipped(one).ok());
  }
  const auto kept = NodeFolder::open(system_files(), root).value().skipped().value();
  EXPECT_EQ(kept, (std::vector<SkippedEntry>{other, one}));
  Bytes bytes = system_files().read(root + "/SKIPPED", 0, 1'000).value();
  bytes[12] = static_cast<char>(bytes[12] ^ 1);
  ASSERT_TRUE(system_files().write(root + "/SKIPPED", 0, bytes).ok());
  EXPECT_EQ(NodeFolder::open(system_files(), root).value().skipped().error().code, ErrorCode::corrupt);
}

TEST(Skips, NameTheEntryByWhatTheLogHas) {
  TempFolder folder;
  NodeFolder node = NodeFolder::open(system_files(), folder.file("node")).value();
  const auto store = open_memory(LogStore::tables());
  LogWrite write;
  write.hard = raft::HardState{Term{2}, {}};
  write.append = {{Term{2}, Index{1}, raft::EntryKind::noop, {}, {}},
                  {Term{2}, Index{2}, raft::EntryKind::command, {}, Blob("deadly")}};
  ASSERT_TRUE(LogStore::open(*store).value()->write({&write, 1}).ok());
  const auto skip = [&](std::uint64_t index) {
    return record_skip(node, *store, Index{index}, "ann", "it kills every node", Instant{5});
  };
  const auto recorded = skip(2);
  ASSERT_TRUE(recorded.ok());
  EXPECT_EQ(recorded.value().term, Term{2});
  EXPECT_EQ(recorded.value().hash, entry_hash(write.append[1]));
  EXPECT_EQ(node.skipped().value(), std::vector<SkippedEntry>{recorded.value()});
  EXPECT_EQ(skip(1).error().code, ErrorCode::precondition_failed) << "no command";
  EXPECT_EQ(skip(3).error().code, ErrorCode::not_found);
}

TEST(Skips, ReleaseANodeThatIsPaused) {
  SkippedEntry word;
  word.index = Index{17};
  EXPECT_TRUE(check_deaths(std::nullopt, {}).ok());
  EXPECT_TRUE(check_deaths(Index{17}, {word}).ok());
  const auto paused = check_deaths(Index{18}, {word});
  ASSERT_FALSE(paused.ok());
  EXPECT_NE(paused.error().message.find("cell skip DIR --entry 18"), std::string::npos);
}

}  // namespace
}  // namespace troupe
