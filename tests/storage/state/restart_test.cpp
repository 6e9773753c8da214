// A restart comes back to the same state, and refuses what cannot be the state.

#include <gtest/gtest.h>

#include <filesystem>

#include "storage/kv/rocks_store.hpp"
#include "tests/storage/base/temp_folder.hpp"
#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/history.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

/// Some of everything.
void fill(Cell& cell) {
  const HostId host = cell.host("h1");
  cell.host("h2");
  cell.apply(PutGroup{{"g", Tier::critical, {}, 1, 1, {}}});
  cell.request("r1", CreateJob{cell.random.uuid<JobId>(), with_sequence(batch_of(2), "001")});
  const JobId service = cell.submit(service_of(0, 3, 5));
  cell.running(service, 0, host);
  cell.start(service, 1);
  cell.user_kill(cell.running(service, 2, host));
  cell.run_to_end(host);
  cell.apply(SetAside{EntityRef::of(service), "crashed"}, cell.fence_of(service));
}

ErrorCode open_error(KvStore& store) {
  const auto opened = StateMachine::open(store);
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? ErrorCode::internal : opened.error().code;
}

void write(KvStore& store, Table table, Bytes key, Bytes value) {
  KvBatch batch;
  batch.put(table, std::move(key), std::move(value));
  TROUPE_CHECK(store.write(batch, Durability::buffered).ok());
}

TEST(Restarts, ComeBackToTheSameState) {
  Cell cell;
  fill(cell);
  const auto hashes = shard_hashes(cell.reads());
  const Index applied = cell.machine->applied();
  cell.restart();
  EXPECT_EQ(cell.machine->applied(), applied);
  EXPECT_EQ(cell.machine->applied_term(), cell.term);
  EXPECT_EQ(shard_hashes(cell.reads()), hashes);
  expect_derived(*cell.machine, *cell.store);
  EXPECT_EQ(cell.apply(CreateJob{cell.random.uuid<JobId>(), with_sequence(batch_of(1), "001")}).refusal(),
            ErrorCode::sequence_in_use);
}

TEST(Restarts, OfAnEmptyStoreStartAtTheBeginning) {
  const auto store = open_memory(keys::table_names());
  const auto machine = StateMachine::open(*store).value();
  EXPECT_EQ(machine->applied(), Index{});
  EXPECT_EQ(machine->flushed().value(), Index{});
}

TEST(Restarts, OnRocksComeBackToTheSameState) {
  const TempFolder folder;
  const RocksConfig config{.path = folder.file("state"),
                           .role = RocksConfig::Role::state,
                           .tables = keys::table_names(),
                           .unread_tables = keys::unread_tables(),
                           .lose_unflushed_on_close = true,
                           .write_buffer_bytes = 1 << 20};
  auto rocks = open_rocks(config).value();
  auto machine = StateMachine::open(*rocks).value();
  const auto twin_store = open_memory(keys::table_names());
  const auto twin = StateMachine::open(*twin_store).value();
  History history(77, 5);
  std::vector<raft::Entry> log;
  for (int n = 0; n < 1'500; ++n) {
    log.push_back(history.next(*twin));
    ASSERT_TRUE(twin->apply(std::span(log).last(1)).ok());
    if (n % 40 == 39) {
      ASSERT_TRUE(machine->apply(std::span(log).subspan(machine->applied().value)).ok());
    }
    if (n % 250 == 249) {
      ASSERT_TRUE(rocks->flush().ok());
      EXPECT_EQ(machine->flushed().value(), machine->applied());
    }
    if (n % 400 == 399) {
      const Index durable = machine->flushed().value();
      machine.reset();
      rocks.reset();
      rocks = open_rocks(config).value();
      machine = StateMachine::open(*rocks).value();
      EXPECT_EQ(machine->applied(), durable) << "what was not flushed is lost, and replayed";
    }
  }
  ASSERT_TRUE(machine->apply(std::span(log).subspan(machine->applied().value)).ok());
  EXPECT_EQ(shard_hashes(machine->reads()), shard_hashes(twin->reads()));
  EXPECT_EQ(dump(*rocks), dump(*twin_store));
  expect_derived(*machine, *rocks);
}

TEST(TornStores, WhoseTablesStandAtDifferentIndexesAreRefused) {
  for (Table table = 0; table < keys::table_names().size(); ++table) {
    Cell cell;
    fill(cell);
    const Bytes other =
        packed(raft::HardState{Term{cell.last.value - 1}, NodeId{1}});  // index, term: two numbers
    write(*cell.store, table, keys::applied(), other);
    cell.machine.reset();
    EXPECT_EQ(open_error(*cell.store), ErrorCode::corrupt) << "table " << int{table};
  }
}

TEST(DamagedStores, WithALostRecordAreRefused) {
  Cell cell;
  fill(cell);
  const Bytes request = keys::request("ann", "r1");
  ASSERT_TRUE(cell.store->get(keys::meta, request).value().has_value());
  KvBatch batch;
  batch.erase(keys::meta, request);
  TROUPE_CHECK(cell.store->write(batch, Durability::buffered).ok());
  EXPECT_EQ(open_error(*cell.store), ErrorCode::corrupt);
  EXPECT_TRUE(StateMachine::open(*cell.store, {.hash_check = StateOptions::HashCheck::trust}).ok());
}

TEST(Restarts, LoadAlikeWithAnyNumberOfThreads) {
  Cell cell;
  fill(cell);
  const StateHash hash = cell.machine->hash();
  cell.machine.reset();
  for (const unsigned threads : {0u, 1u, 2u, 7u}) {
    const auto opened = StateMachine::open(*cell.store, {.load_threads = threads});
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened.value()->hash(), hash);
    expect_derived(*opened.value(), *cell.store);
  }
}

TEST(DamagedStores, WithARecordThatDoesNotDecodeAreRefused) {
  Cell whole;
  fill(whole);
  std::vector<std::pair<Table, Bytes>> keys_to_damage;
  for (const auto& [key, value] : dump(*whole.store))
    if (key.first == keys::meta || key.first == keys::current) keys_to_damage.push_back(key);
  keys_to_damage.emplace_back(keys::meta, keys::cell());
  keys_to_damage.emplace_back(keys::current, keys::applied());
  EXPECT_GT(keys_to_damage.size(), 12U);
  for (const auto& [table, key] : keys_to_damage) {
    const Bytes before = whole.store->get(table, key).value().value();
    write(*whole.store, table, key, "\xc1");
    EXPECT_EQ(open_error(*whole.store), ErrorCode::corrupt);
    write(*whole.store, table, key, before.substr(0, before.size() - 1));
    EXPECT_EQ(open_error(*whole.store), ErrorCode::corrupt);
    write(*whole.store, table, key, before);
  }
  EXPECT_TRUE(StateMachine::open(*whole.store).ok());
}

TEST(DamagedStores, WhoseRecordsContradictEachOtherAreRefused) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1)), other = cell.submit(batch_of(1));
  const TaskId task = cell.running(job, 0, host);
  const ShardId shard = shard_of(job, test_shards);
  const auto refused = [&](Table table, BytesView key, BytesView value) {
    const auto before = cell.store->get(table, key).value();
    write(*cell.store, table, Bytes(key), Bytes(value));
    EXPECT_EQ(open_error(*cell.store), ErrorCode::corrupt);
    KvBatch undo;
    if (before)
      undo.put(table, key, *before);
    else
      undo.erase(table, key);
    TROUPE_CHECK(cell.store->write(undo, Durability::buffered).ok());
  };
  JobRecord bare = cell.job(job);
  bare.descriptor = nullptr;
  refused(keys::current, keys::job(shard, job), packed(bare));
  refused(keys::current, keys::job(shard, job), packed(cell.job(other)));
  TaskRecord astray = cell.task(task);
  astray.host = HostId{99};
  refused(keys::current, keys::task(shard, task), packed(astray));
  astray = cell.task(task);
  astray.state = TaskState::finished;
  refused(keys::current, keys::task(shard, task), packed(astray));
  astray = cell.task(task);
  astray.slot = SlotNumber{1};
  refused(keys::current, keys::task(shard, task), packed(astray));
  const auto stranger = cell.random.task_of(job);
  refused(keys::current, keys::task(shard, stranger), packed(cell.task(task)));
  const auto nobody = cell.random.uuid<JobId>();
  const ShardId theirs = shard_of(nobody, test_shards);
  refused(keys::current, keys::slot(theirs, nobody, SlotNumber{0}), packed(SlotRecord{}));
  refused(keys::meta, keys::shard(ShardId{1}), packed(ShardRecord{ShardId{200}, {}, {}}));
  CellRecord no_shards = cell.reads().cell().record;
  no_shards.shard_count = 0;
  refused(keys::meta, keys::cell(), packed(no_shards));
  EXPECT_TRUE(StateMachine::open(*cell.store).ok());
}

TEST(FlippedBits, AreFoundByTheHashAndNeverCrash) {
  // Below this door RocksDB's checksums find them; a store without any must not bring the process down.
  Random random(5);
  int refused = 0;
  for (int n = 0; n < 200; ++n) {
    SimDisk disk;
    auto store = disk.open("state", keys::table_names()).value();
    Cell cell(std::move(store));
    cell.apply(BootstrapCell{"test", test_shards, {}}, cell.term_fence());
    cell.apply(AssignShards{{{ShardId{0}, Epoch{0}, first_node},
                             {ShardId{1}, Epoch{0}, first_node},
                             {ShardId{2}, Epoch{0}, first_node},
                             {ShardId{3}, Epoch{0}, first_node}}},
               cell.term_fence());
    fill(cell);
    TROUPE_CHECK(disk.flip_bit("state", n % 2 == 0 ? keys::current : keys::meta, random));
    cell.machine.reset();
    const auto opened = StateMachine::open(*cell.store);
    refused += opened.ok() ? 0 : 1;
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    }
  }
  EXPECT_GE(refused, 180) << "all but the archive's counts are under the hash";
}

}  // namespace
}  // namespace troupe
