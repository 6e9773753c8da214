// What has ended: readable in the archive, gone from current, and never in neither.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/storage/state/cell.hpp"
#include "tests/storage/state/truth.hpp"

namespace troupe {
namespace {

TEST(Archive, HoldsWhatHasEndedAndCurrentDoesNot) {
  Cell cell;
  const HostId host = cell.host("h1");
  const JobId job = cell.submit(batch_of(1));
  const TaskId first = cell.running(job, 0, host);
  cell.ended(host, first, Reason::failed, 1);
  const TaskId second = cell.running(job, 0, host);
  cell.ended(host, second, Reason::normal);
  cell.step_slot(job, 0, SlotState::done);
  ASSERT_TRUE(cell.finish(job).taken());
  EXPECT_FALSE(cell.has_job(job));
  EXPECT_EQ(cell.reads().task(first), std::nullopt);
  const auto ended = cell.reads().archived_job(job).value();
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->record.state, JobState::finished);
  EXPECT_EQ(ended->record.finished, cell.now);
  ASSERT_EQ(ended->slots.size(), 1U);
  EXPECT_EQ(ended->slots[0].state, SlotState::done);
  const auto tasks = cell.reads().archived_tasks_of(job, 10).value();
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].id, first);
  EXPECT_EQ(tasks[1].id, second);
  EXPECT_EQ(cell.reads().archived_tasks_of(job, 1).value().size(), 1U);
  for (const auto& [key, value] : dump(*cell.store)) {
    EXPECT_NE(key.first, keys::current) << "nothing of it is left in current";
  }
  expect_derived(*cell.machine, *cell.store);
}

TEST(Archive, KnowsNothingOfWhatLivesOrNeverWas) {
  Cell cell;
  const JobId job = cell.submit(batch_of(1));
  const TaskId task = cell.start(job, 0);
  EXPECT_EQ(cell.archived(task), std::nullopt);
  EXPECT_EQ(cell.archived(cell.random.uuid<TaskId>()), std::nullopt);
  EXPECT_FALSE(cell.reads().archived_job(job).value().has_value());
  EXPECT_TRUE(cell.reads().archived_tasks_of(job, 10).value().empty());
  Cell empty(open_memory(keys::table_names()));
  EXPECT_EQ(empty.archived(task), std::nullopt);
}

TEST(Archive, IsOrderedByTheDayOfTheEnd) {
  Cell cell;
  const HostId host = cell.host("h1");
  cell.now = Instant{86'400'000LL * 21'000 - 1};
  const JobId before = cell.run_to_end(host);
  cell.now = cell.now + milliseconds(1);
  const JobId after = cell.run_to_end(host);
  const auto has = [&](keys::Bucket day, const JobId& id) {
    return cell.store->get(keys::archived, keys::archived_job(day, shard_of(id, test_shards), id))
        .value()
        .has_value();
  };
  EXPECT_TRUE(has(20'999, before));
  EXPECT_FALSE(has(21'000, before));
  EXPECT_TRUE(has(21'000, after));
}

TEST(Archive, AnIdOfWhatEndedIsTreatedAlikeWhateverTheBatch) {
  // While the batch is open the ended entity is still in memory: a task's id must not be refused for that,
  // and a job's, which the archive keeps for good, is refused with the batch open or closed.
  Cell one, two;
  for (Cell* cell : {&one, &two}) {
    const HostId host = cell->host("h1");
    const JobId job = cell->submit(batch_of(0)), other = cell->submit(service_of(0, 2, 2));
    const TaskId task = cell->start(other, 0);
    Command finish, create, kill, start;
    finish.body = FinishJobs{{{job, Reason::normal, ""}}};
    finish.fence = cell->fence_of(job);
    create.body = CreateJob{job, batch_of(1)};
    kill.body = KillTasks{{{task, Reason::killed, ""}}};
    start.body = AdvanceSlots{{{other, SlotNumber{1}, {}, SlotState::running, task, {}, {}}}};
    start.fence = cell->fence_of(other);
    std::vector<raft::Entry> entries;
    for (const Command& command : {finish, create, kill, start}) entries.push_back(cell->entry(command));
    if (cell == &one) {
      for (const raft::Entry& entry : entries) cell->apply_entries({entry});
    } else {
      cell->apply_entries(entries);
    }
    EXPECT_FALSE(cell->has_job(job));
    EXPECT_EQ(cell->task(task).slot, SlotNumber{1});
    expect_derived(*cell->machine, *cell->store);
    (void)host;
  }
  EXPECT_EQ(dump(*one.store), dump(*two.store));
}

TEST(Archive, AnIdOfWhatEndedIsTreatedAlikeInAPlanToo) {
  Cell one, two;
  for (Cell* cell : {&one, &two}) {
    const HostId host = cell->host("h1");
    const Index eligibility = cell->reads().host(host)->record.eligibility;
    const JobId service = cell->submit(service_of(0, 2, 9));
    const TaskId first = cell->start(service, 0), second = cell->start(service, 1);
    JobId created = service;
    created.bytes[0] = static_cast<std::uint8_t>(created.bytes[0] ^ 1U);
    ResizeJob growth{service, {}, 3, {}};
    growth.places = {{SlotNumber{2}, {}, first, host, eligibility, {}}};
    CreateJob creation{created, batch_of(1)};
    creation.places = {{SlotNumber{0}, {}, second, host, eligibility, {}}};
    Command kill_first, grow, kill_second, create;
    kill_first.body = KillTasks{{{first, Reason::killed, ""}}};
    grow.body = growth;
    kill_second.body = KillTasks{{{second, Reason::killed, ""}}};
    create.body = creation;
    std::vector<raft::Entry> entries;
    for (const Command& command : {kill_first, grow, kill_second, create})
      entries.push_back(cell->entry(command));
    if (cell == &one) {
      for (const raft::Entry& entry : entries) cell->apply_entries({entry});
    } else {
      cell->apply_entries(entries);
    }
    EXPECT_EQ(cell->job(service).capacity.desired, 3U);
    EXPECT_TRUE(cell->has_job(created));
    expect_derived(*cell->machine, *cell->store);
  }
  EXPECT_EQ(dump(*one.store), dump(*two.store));
}

TEST(Archive, AReaderBesideApplyNeverFindsATaskInNeither) {
  Cell cell;
  const HostId host = cell.host("h1");
  constexpr int rounds = 300;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> gaps{0}, looks{0};
  std::vector<TaskId> tasks(rounds);
  std::atomic<int> started{0};
  const Reads& reads = cell.reads();
  std::thread reader([&] {
    while (!stop) {
      const int last = started.load(std::memory_order_acquire) - 1;
      if (last < 0) continue;
      const TaskId& task = tasks[static_cast<std::size_t>(last)];
      if (!reads.task(task) && !reads.archived_task(task).value()) ++gaps;
      ++looks;
    }
  });
  for (int n = 0; n < rounds; ++n) {
    const JobId job = cell.submit(batch_of(1));
    const TaskId task = cell.running(job, 0, host);
    tasks[static_cast<std::size_t>(n)] = task;
    started.store(n + 1, std::memory_order_release);
    const std::uint64_t before = looks;
    while (looks < before + 3) std::this_thread::yield();  // The reader is on this task now.
    cell.ended(host, task, Reason::normal);
    cell.step_slot(job, 0, SlotState::done);
    cell.finish(job);
  }
  stop = true;
  reader.join();
  EXPECT_EQ(gaps, 0U) << "of " << looks << " looks";
}

}  // namespace
}  // namespace troupe
