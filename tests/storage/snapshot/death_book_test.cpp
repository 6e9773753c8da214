// Who dies twice at one entry is paused before it; who is skipped or forgiven goes on.

#include "storage/snapshot/death_book.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "storage/snapshot/node_folder.hpp"
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

}  // namespace
}  // namespace troupe
