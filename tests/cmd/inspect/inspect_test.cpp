// What `troupe inspect` says of good, torn and flipped disks, and that it changes none of them.

#include "cmd/troupe/inspect.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "cmd/troupe/cli.hpp"
#include "storage/log/log_codec.hpp"
#include "storage/log/log_store.hpp"
#include "storage/snapshot/backup.hpp"
#include "storage/snapshot/node_folder.hpp"
#include "storage/snapshot/snapshot_shelf.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_hash.hpp"
#include "storage/state/state_machine.hpp"
#include "tests/storage/kv/disks.hpp"

namespace troupe::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t entries = 30;

/// A node's folder with a log of 30 entries in three terms and the state of applying them.
struct Disk {
  TempFolder folder;
  std::string root = folder.file("node");
  std::ostringstream out, err;

  Disk() {
    std::filesystem::create_directories(root);
    const auto log = made_log();
    {
      auto store = open_log();
      LogWrite write;
      write.hard = raft::HardState{Term{3}, NodeId{2}};
      write.membership = raft::Membership{{NodeId{1}, NodeId{2}, NodeId{3}}, {}};
      write.append = log;
      TROUPE_CHECK(LogStore::open(*store).value()->write({&write, 1}).ok());
    }
    auto store = open_state();
    TROUPE_CHECK(StateMachine::open(*store).value()->apply(log).ok());
    TROUPE_CHECK(store->flush().ok());
  }
  static std::vector<raft::Entry> made_log() {
    std::vector<raft::Entry> log;
    for (std::uint64_t n = 1; n <= entries; ++n) {
      Command command;
      command.caller = "ann";
      command.body = RegisterHost{"host-" + std::to_string(n), "g", {1, 2, 3, 4, 0}, {}, {}};
      if (n == 1) command.fence = TermFence{Term{1}}, command.body = BootstrapCell{"north", 4, {}};
      log.push_back({Term{1 + n / 15}, Index{n}, raft::EntryKind::command, Instant{1'800'000'000'000},
                     Blob(encode(command))});
    }
    return log;
  }
  std::unique_ptr<KvStore> open_log() {
    return std::move(
               open_rocks(
                   {.path = root + "/log", .role = RocksConfig::Role::log, .tables = LogStore::tables()}))
        .value();
  }
  std::unique_ptr<KvStore> open_state() {
    return std::move(open_rocks({.path = root + "/state",
                                 .role = RocksConfig::Role::state,
                                 .tables = keys::table_names()}))
        .value();
  }
  static void put(KvStore& store, Table table, const Bytes& key, const Bytes& value) {
    KvBatch batch;
    batch.put(table, key, value);
    TROUPE_CHECK(store.write(batch, Durability::synced).ok());
  }
  int inspect(int (*what)(const Inspect&, const InspectOutput&), Inspect args = {}) {
    if (args.folder.empty()) args.folder = root;
    out.str("");
    err.str("");
    return what(args, {out, err});
  }
  std::string names() const {
    std::string all;
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
      found.push_back(entry.path().string() +
                      (entry.is_regular_file() ? " " + std::to_string(entry.file_size()) : ""));
    std::sort(found.begin(), found.end());
    for (const std::string& name : found) all += name + "\n";
    return all;
  }
};

TEST(InspectLog, PrintsTheNewestEntriesAndTheHead) {
  Disk disk;
  const std::string before = disk.names();
  EXPECT_EQ(disk.inspect(inspect_log), exit_ok) << disk.out.str();
  EXPECT_THAT(disk.out.str(), HasSubstr("register_host"));
  EXPECT_THAT(disk.out.str(), HasSubstr("head: term 3, voted for 2, voters 1,2,3, learners -"));
  EXPECT_THAT(disk.out.str(), HasSubstr("30 entries"));
  EXPECT_THAT(disk.out.str(), HasSubstr("\nsound\n"));
  EXPECT_THAT(disk.out.str(), Not(HasSubstr("bootstrap_cell"))) << "only the last ten";
  EXPECT_EQ(disk.names(), before) << "nothing is changed";
}

TEST(InspectLog, PrintsARangeAsJsonLines) {
  Disk disk;
  EXPECT_EQ(disk.inspect(inspect_log, {.wants_json = true, .from = 1, .to = 2}), exit_ok);
  EXPECT_THAT(disk.out.str(),
              HasSubstr(R"({"entry":{"index":1,"term":1,"kind":"command","command":"bootstrap_cell")"));
  EXPECT_THAT(disk.out.str(), HasSubstr(R"({"entry":{"index":2,)"));
  EXPECT_THAT(disk.out.str(), Not(HasSubstr(R"({"entry":{"index":3,)")));
  EXPECT_THAT(disk.out.str(), HasSubstr(R"({"verdict":{"verdict":"sound","problems":0}})"));
}

TEST(InspectLog, NamesAFlippedBitAGapAndALostTail) {
  Disk flipped;
  {
    auto store = flipped.open_log();
    Bytes record = store->get(LogStore::entries_table, log_key(Index{12})).value().value();
    record[40] = static_cast<char>(record[40] ^ 2);
    Disk::put(*store, LogStore::entries_table, log_key(Index{12}), record);
  }
  EXPECT_EQ(flipped.inspect(inspect_log), exit_failed);
  EXPECT_THAT(flipped.out.str(), HasSubstr("DAMAGED: log entry 12: bad checksum"));
  EXPECT_THAT(flipped.out.str(), HasSubstr("damaged: 1 problems"));

  Disk gap;
  {
    auto store = gap.open_log();
    KvBatch batch;
    batch.erase(LogStore::entries_table, log_key(Index{7}));
    batch.erase(LogStore::entries_table, log_key(Index{entries}));
    ASSERT_TRUE(store->write(batch, Durability::synced).ok());
  }
  EXPECT_EQ(gap.inspect(inspect_log), exit_failed);
  EXPECT_THAT(gap.out.str(), HasSubstr("a gap: entry 8 follows 6"));
  EXPECT_THAT(gap.out.str(), HasSubstr("the log ends at 29 of term 2, was written up to 30 of term 3"));
}

TEST(InspectLog, NamesADamagedWriteAheadFile) {
  Disk disk;
  for (const auto& entry : std::filesystem::directory_iterator(disk.root + "/log")) {
    if (entry.path().extension() != ".log" || entry.file_size() < 1'000) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(500);
    file.put('\x55');
    file.put('\xaa');
  }
  EXPECT_EQ(disk.inspect(inspect_log), exit_failed) << disk.out.str();
  EXPECT_THAT(disk.out.str(), HasSubstr("DAMAGED"));
}

TEST(InspectState, CountsAndSumsUp) {
  Disk disk;
  const std::string before = disk.names();
  EXPECT_EQ(disk.inspect(inspect_state), exit_ok) << disk.out.str();
  EXPECT_THAT(disk.out.str(), HasSubstr("table archived  stands at 30 of term 3"));
  EXPECT_THAT(disk.out.str(), HasSubstr("4 shards, 29 hosts, 1 groups"));
  EXPECT_THAT(disk.out.str(), HasSubstr("shard   3"));
  EXPECT_EQ(disk.names(), before) << "nothing is changed";
  EXPECT_EQ(disk.inspect(inspect_state, {.folder = disk.root + "/state", .wants_json = true}), exit_ok);
  EXPECT_THAT(disk.out.str(), HasSubstr(R"("hosts":29)"));
}

TEST(InspectState, NamesWhatDoesNotSumUp) {
  Disk disk;
  {
    auto store = disk.open_state();
    Bytes host = store->get(keys::meta, keys::host(HostId{3})).value().value();
    host[5] = static_cast<char>(host[5] ^ 1);
    Disk::put(*store, keys::meta, Bytes(keys::host(HostId{3})), host);
  }
  EXPECT_EQ(disk.inspect(inspect_state), exit_failed);
  EXPECT_THAT(disk.out.str(), HasSubstr("DAMAGED: the records sum up to"));
  {
    auto store = disk.open_state();
    Disk::put(*store, keys::meta, Bytes(keys::archive_sum(20'000, ShardId{1})), packed(ArchiveSum{1, 0, 1}));
    Disk::put(*store, keys::index, keys::applied(), packed(StatePosition{Index{29}, Term{3}, 0}));
  }
  EXPECT_EQ(disk.inspect(inspect_state), exit_failed);
  EXPECT_THAT(disk.out.str(), HasSubstr("archive of day 20000, shard 1: lost"));
  EXPECT_THAT(disk.out.str(), HasSubstr("table index stands elsewhere"));
}

TEST(InspectSnapshot, VerifiesABackup) {
  Disk disk;
  const std::string backup = disk.folder.file("backup");
  {
    auto store = disk.open_state();
    const auto shelf =
        SnapshotShelf::open(system_files(), disk.root + "/checkpoints", [](const std::string& path) {
          return open_rocks_read_only(
              {.path = path, .role = RocksConfig::Role::state, .tables = keys::table_names()});
        }).value();
    const SnapshotPtr snapshot = shelf->take(*store, {{NodeId{1}}, {}}).value();
    ASSERT_TRUE(write_backup(system_files(), snapshot->folder(), snapshot->manifest(), backup).ok());
  }
  EXPECT_EQ(disk.inspect(inspect_snapshot, {.folder = backup}), exit_ok) << disk.out.str();
  EXPECT_THAT(disk.out.str(), HasSubstr("snapshot of cell north at 30 of term 3, voters 1"));
  for (const auto& entry : std::filesystem::directory_iterator(backup + "/files")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('\x55');
    file.put('\xaa');
    break;
  }
  EXPECT_EQ(disk.inspect(inspect_snapshot, {.folder = backup, .wants_json = true}), exit_failed);
  EXPECT_THAT(disk.out.str(), HasSubstr(R"("verdict":"damaged")"));
}

TEST(InspectSnapshot, OfWhatIsStillComingIsNoDamage) {
  Disk disk;
  SnapshotManifest manifest;
  manifest.cell = "north";
  manifest.index = Index{9};
  manifest.files = {{"a.sst", 10, {}}};
  NodeFolder node = NodeFolder::open(system_files(), disk.root).value();
  ASSERT_TRUE(node.begin_incoming(manifest).ok());
  ASSERT_TRUE(system_files().write(node.incoming_path() + "/a.sst", 0, "12345").ok());
  EXPECT_EQ(disk.inspect(inspect_snapshot), exit_ok) << disk.out.str();
  EXPECT_THAT(disk.out.str(), HasSubstr("5 of 10 bytes present (being received)"));
}

TEST(Inspect, OfNothingIsNotFound) {
  Disk disk;
  const std::string empty = disk.folder.file("empty");
  std::filesystem::create_directories(empty);
  EXPECT_EQ(disk.inspect(inspect_log, {.folder = empty}), exit_not_found);
  EXPECT_EQ(disk.inspect(inspect_state, {.folder = empty}), exit_not_found);
  EXPECT_EQ(disk.inspect(inspect_snapshot, {.folder = empty}), exit_not_found);
  EXPECT_TRUE(std::filesystem::is_empty(empty));
}

TEST(Inspect, TellsOfANotedFault) {
  Disk disk;
  ASSERT_TRUE(NodeFolder::open(system_files(), disk.root).value().note_fault("diverged at 1024").ok());
  EXPECT_EQ(disk.inspect(inspect_state), exit_failed);
  EXPECT_THAT(disk.out.str(), HasSubstr("noted on this node: diverged at 1024"));
}

}  // namespace
}  // namespace troupe::cli
