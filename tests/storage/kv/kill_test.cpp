// Real kill -9: a child process of this very program writes, dies at some moment, and the parent looks at
// what is left.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "disks.hpp"

namespace troupe {
namespace {

constexpr Table table_count = 3;
constexpr std::size_t small_buffer = 64 * 1024;  // so that RocksDB flushes by itself all the time

RocksConfig config_of(const std::string& path, RocksConfig::Role role) {
  return {.path = path,
          .role = role,
          .tables = TestDisk::tables(),
          .unread_tables = TestDisk::unread_tables(role),
          .lose_unflushed_on_close = true,
          .write_buffer_bytes = small_buffer};
}

Bytes key_of(std::uint64_t index) {
  Bytes key = std::to_string(index);
  return Bytes(12 - key.size(), '0') + key;
}

/// Every table gets the index; only one of them a record, of very different sizes, so that they fill
/// unevenly.
KvBatch batch_of(std::uint64_t index) {
  KvBatch batch;
  for (Table table = 0; table < table_count; ++table) batch.put(table, "applied", std::to_string(index));
  const auto table = static_cast<Table>(index % 10 == 0 ? 2 : index % 2);
  batch.put(table, key_of(index), Bytes(table == 2 ? 8 : 600, 'x'));
  return batch;
}

RocksConfig::Role role_of(const char* text) {
  return std::string(text) == "log" ? RocksConfig::Role::log : RocksConfig::Role::state;
}

/// What the child tells after each write, through descriptor 3.
struct Note {
  std::uint64_t index;
  std::uint64_t synced;  ///< up to here it is promised
};

// Not a test: the child's program.
TEST(KillChild, DISABLED_writes_until_killed) {
  const char* path = std::getenv("TROUPE_KILL_PATH");
  if (path == nullptr) GTEST_SKIP() << "started by the kill tests only";
  auto store = std::move(open_rocks(config_of(path, role_of(std::getenv("TROUPE_KILL_ROLE"))))).value();
  Note note{std::stoull(store->get(0, "applied").value().value_or("0")), 0};
  while (true) {
    note.index += 1;
    const bool synced = note.index % 50 == 0;
    const auto durability = synced ? Durability::synced : Durability::buffered;
    TROUPE_CHECK(store->write(batch_of(note.index), durability).ok());
    if (synced) note.synced = note.index;
    TROUPE_CHECK(::write(3, &note, sizeof note) == sizeof note);
  }
}

struct Child {
  pid_t pid;
  int notes;  ///< the reading end of a pipe
};

Child start_child(const std::string& path, const std::string& role) {
  int ends[2];
  TROUPE_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  const std::string path_variable = "TROUPE_KILL_PATH=" + path, role_variable = "TROUPE_KILL_ROLE=" + role;
  const char* const arguments[] = {"kv_tests", "--gtest_filter=KillChild.*",
                                   "--gtest_also_run_disabled_tests", nullptr};
  const char* const environment[] = {path_variable.c_str(), role_variable.c_str(), nullptr};
  const pid_t pid = ::fork();
  if (pid == 0) {  // only async-signal-safe calls until exec: this process has RocksDB's threads
    const int quiet = ::open("/dev/null", O_WRONLY);
    ::dup2(quiet, 1);
    ::dup2(ends[1], 3);
    ::execve("/proc/self/exe", const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
    ::_exit(127);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

/// Kills the child after so many writes, wherever it then is. Returns what it promised last.
std::uint64_t kill_after(const Child& child, std::uint64_t writes) {
  Note note{};
  while (writes > 0 && ::read(child.notes, &note, sizeof note) == sizeof note) --writes;
  TROUPE_CHECK(writes == 0);
  ::kill(child.pid, SIGKILL);
  int status = 0;
  TROUPE_CHECK(::waitpid(child.pid, &status, 0) == child.pid && WIFSIGNALED(status));
  while (::read(child.notes, &note, sizeof note) == sizeof note) {
  }
  ::close(child.notes);
  return note.synced;
}

class KillNine : public testing::TestWithParam<const char*> {};

TEST_P(KillNine, leaves_all_tables_at_one_index_and_loses_nothing_synced) {
  TempFolder folder;
  const auto seed = static_cast<std::uint64_t>(::getpid());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  std::uint64_t before = 0;
  for (int round = 0; round < 8; ++round) {
    const Child child = start_child(folder.file("store"), GetParam());
    const std::uint64_t promised = kill_after(child, 50 + random.below(700));
    auto opened = open_rocks(config_of(folder.file("store"), role_of(GetParam())));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const auto store = std::move(opened).value();
    const std::uint64_t reached = std::stoull(store->get(0, "applied").value().value_or("0"));
    EXPECT_GE(reached, promised);
    EXPECT_GT(reached, before);
    std::uint64_t records = 0;
    for (Table table = 0; table < table_count; ++table) {
      EXPECT_EQ(store->get(table, "applied").value(), std::to_string(reached)) << "table " << int{table};
      for (auto cursor = store->scan(table, "0", "a"); cursor->valid(); cursor->next()) ++records;
    }
    EXPECT_EQ(records, reached) << "one record per index";
    before = reached;
  }
}

INSTANTIATE_TEST_SUITE_P(Roles, KillNine, testing::Values("state", "log"),
                         [](const auto& p) { return p.param; });

}  // namespace
}  // namespace troupe
