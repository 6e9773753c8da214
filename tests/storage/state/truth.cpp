#include "tests/storage/state/truth.hpp"

#include <gtest/gtest.h>
#include <xxhash.h>

#include "storage/state/keys.hpp"

namespace troupe {
namespace {

template <class Record, class Use>
void each(const KvStore& store, Table table, const Bytes& low, const Bytes& high, Use use) {
  auto cursor = store.scan(table, low, high);
  for (; cursor->valid(); cursor->next())
    use(cursor->key(), cursor->value(), unpacked<Record>(cursor->value()).value());
  TROUPE_CHECK(cursor->status().ok());
}

std::uint64_t share(BytesView key, BytesView value) {
  return XXH3_64bits_withSeed(value.data(), value.size(), XXH3_64bits(key.data(), key.size()));
}

std::size_t number(TaskState state) { return static_cast<std::size_t>(state); }

}  // namespace

Truth::Truth(const KvStore& store) {
  read_meta(store);
  for (const auto& [id, record] : shards) read_shard(store, id);
  for (auto& [id, job] : jobs)
    for (const SlotEntry& slot : job.slots) ++job.counts.slots[static_cast<std::size_t>(slot.record.state)];
}

void Truth::read_meta(const KvStore& store) {
  if (const auto bytes = store.get(keys::meta, keys::cell()).value())
    cell = unpacked<CellRecord>(*bytes).value();
  const auto range = [](char kind) { return std::pair{keys::meta_low(kind), keys::meta_high(kind)}; };
  const auto [sl, sh] = range('s');
  each<ShardRecord>(store, keys::meta, sl, sh,
                    [&](BytesView, BytesView, ShardRecord r) { shards[r.id] = r; });
  const auto [hl, hh] = range('h');
  each<HostRecord>(store, keys::meta, hl, hh, [&](BytesView, BytesView, HostRecord r) {
    set_aside += r.set_aside.empty() ? 0 : 1;
    hosts[r.id].record = std::move(r);
  });
  const auto [gl, gh] = range('g');
  each<GroupRecord>(store, keys::meta, gl, gh,
                    [&](BytesView, BytesView, GroupRecord r) { groups[r.name].first = std::move(r); });
  const auto [al, ah] = range('a');
  each<GroupCondition>(store, keys::meta, al, ah, [&](BytesView, BytesView, GroupCondition r) {
    set_aside += r.set_aside.empty() ? 0 : 1;
    conditions[r.name] = std::move(r);
  });
  const auto [pl, ph] = range('p');
  each<PauseRecord>(store, keys::meta, pl, ph, [&](BytesView key, BytesView, PauseRecord r) {
    pauses[std::string(key.substr(1))] = std::move(r);
  });
  const auto [rl, rh] = range('r');
  each<RequestRecord>(store, keys::meta, rl, rh,
                      [&](BytesView, BytesView, const RequestRecord&) { ++requests; });
  if (const auto bytes = store.get(keys::meta, keys::audit_head()).value())
    audit = unpacked<AuditHead>(*bytes).value();
}

void Truth::read_shard(const KvStore& store, ShardId shard) {
  std::uint64_t& hash = hashes[shard];
  const auto low = [&](char kind) { return keys::current_low(shard, kind); };
  const auto high = [&](char kind) { return keys::current_high(shard, kind); };
  each<JobRecord>(store, keys::current, low('j'), high('j'),
                  [&](BytesView key, BytesView value, JobRecord r) {
                    hash += share(key, value);
                    wanted_tasks += r.capacity.desired;
                    ++callers[r.caller].jobs;
                    callers[r.caller].wanted += r.capacity.desired;
                    if (const auto group = groups.find(r.descriptor->capacity_group); group != groups.end())
                      ++group->second.second.jobs, group->second.second.wanted += r.capacity.desired;
                    Job& job = jobs[r.id];
                    job.limit = relaunch_limit(cell);
                    throttled_jobs += r.throttled.is_set() ? 1 : 0;
                    set_aside += r.set_aside.empty() ? 0 : 1;
                    job.slots.resize(r.capacity.desired);
                    job.record = std::move(r);
                  });
  each<SlotRecord>(store, keys::current, low('l'), high('l'),
                   [&](BytesView key, BytesView value, SlotRecord r) {
                     hash += share(key, value);
                     JobId id;
                     std::memcpy(id.bytes.data(), key.data() + 3, 16);
                     auto& slots = jobs.at(id).slots;
                     if (slots.size() <= r.number.value) slots.resize(r.number.value + 1);
                     slots[r.number.value].record = r;
                   });
  for (auto& [id, job] : jobs)
    for (std::uint32_t n = 0; n < job.slots.size(); ++n) job.slots[n].record.number = SlotNumber{n};
  each<TaskRecord>(store, keys::current, low('t'), high('t'),
                   [&](BytesView key, BytesView value, TaskRecord r) {
                     hash += share(key, value);
                     count(tasks.emplace(r.id, r).first->second);
                   });
}

void Truth::count(const TaskRecord& task) {
  Job& job = jobs.at(task.job);
  EXPECT_EQ(job.slots.at(task.slot.value).record.task, task.id);
  EXPECT_EQ(job.slots.at(task.slot.value).record.state, SlotState::running);
  job.slots.at(task.slot.value).live = &task;
  ++job.counts.tasks[number(task.state)];
  ++live_tasks[number(task.state)];
  set_aside += task.set_aside.empty() ? 0 : 1;
  const JobDescriptor& descriptor = *job.record.descriptor;
  const auto group = groups.find(descriptor.capacity_group);
  if (group != groups.end()) ++group->second.second.tasks;
  if (task.state == TaskState::accepted) waiting.insert({task.created_at, task.slot, task.id});
  if (task.state == TaskState::accepted) waiting_of[descriptor.capacity_group].insert(task.created());
  if (task.state == TaskState::accepted) return;
  const bool is_starting = task.state == TaskState::launched || task.state == TaskState::start_initiated;
  if (is_starting) ++hosts.at(task.host).starting;
  if (is_starting && group != groups.end()) ++group->second.second.starting;
  Host& host = hosts.at(task.host);
  host.used += descriptor.resources;
  host.tasks.insert(task.id);
  host.orders += task.state == TaskState::launched || task.state == TaskState::kill_initiated ? 1 : 0;
  if (group != groups.end()) group->second.second.placed += descriptor.resources;
  if (group != groups.end() && task.state == TaskState::kill_initiated)
    group->second.second.leaving += descriptor.resources;
}

std::set<Duty> Truth::duties() const {
  std::set<Duty> all;
  const auto add = [&](Due due, EntityRef entity) {
    if (due && due->ms != no_duty) all.insert({*due, entity});
  };
  for (const auto& [id, job] : jobs) add(job_duty(job.view()), EntityRef::of(id));
  for (const auto& [id, task] : tasks)
    add(task_duty(task, *jobs.at(task.job).record.descriptor, cell.policy), EntityRef::of(id));
  for (const auto& [id, host] : hosts) {
    const NodeId owner = shards.at(shard_of(id, cell.shard_count)).owner;
    add(host_duty(host.record, host.orders, host.tasks.size(), owner, cell.policy), EntityRef::of(id));
  }
  for (const auto& [name, group] : groups) {
    const auto condition = conditions.find(name);
    const auto waits = waiting_of.find(name);
    add(group_duty(condition == conditions.end() ? GroupCondition{} : condition->second,
                   waits == waiting_of.end() ? Instant{} : *waits->second.begin()),
        EntityRef::of_group(name));
  }
  return all;
}

namespace {

void expect_job(const Reads& reads, const JobId& id, const Truth::Job& job) {
  EXPECT_TRUE(reads.with_job(id, [&](const JobView& view) {
    EXPECT_EQ(packed(view.record), packed(job.record));
    EXPECT_EQ(view.counts.tasks, job.counts.tasks);
    EXPECT_EQ(view.counts.slots, job.counts.slots);
    ASSERT_EQ(view.slots.size(), job.slots.size());
    for (std::size_t n = 0; n < view.slots.size(); ++n) {
      EXPECT_EQ(view.slots[n].record, job.slots[n].record);
      ASSERT_EQ(view.slots[n].live == nullptr, job.slots[n].live == nullptr);
      if (view.slots[n].live != nullptr) {
        EXPECT_EQ(packed(*view.slots[n].live), packed(*job.slots[n].live));
      }
    }
  }));
}

void expect_lists(const Reads& reads, const Truth& truth) {
  std::vector<std::pair<std::int64_t, JobId>> jobs, jobs_expected;
  std::vector<std::pair<std::int64_t, TaskId>> tasks, tasks_expected;
  for (const auto& [id, job] : truth.jobs) jobs_expected.emplace_back(job.record.created.ms, id);
  for (const auto& [id, task] : truth.tasks) tasks_expected.emplace_back(task.created().ms, id);
  std::sort(jobs_expected.begin(), jobs_expected.end());
  std::sort(tasks_expected.begin(), tasks_expected.end());
  reads.each_job({}, [&](const JobView& view) {
    jobs.emplace_back(view.record.created.ms, view.record.id);
    return true;
  });
  reads.each_task({}, [&](const TaskRecord& task, const JobRecord& job) {
    EXPECT_EQ(task.job, job.id);
    tasks.emplace_back(task.created().ms, task.id);
    return true;
  });
  EXPECT_EQ(jobs, jobs_expected);
  EXPECT_EQ(tasks, tasks_expected);
  std::vector<std::pair<std::int64_t, TaskId>> scanned;
  EXPECT_TRUE(reads.scan_tasks([&](const TaskRecord& task, const JobRecord& job) {
    EXPECT_EQ(task.job, job.id);
    scanned.emplace_back(task.created().ms, task.id);
    return true;
  }));
  std::sort(scanned.begin(), scanned.end());
  EXPECT_EQ(scanned, tasks_expected);
  EXPECT_EQ(reads.task_count(), tasks_expected.size());
  EXPECT_EQ(reads.tasks_up_to({}), 0U);
  for (std::size_t n = 0; n < tasks_expected.size(); n += 1 + tasks_expected.size() / 7)
    EXPECT_EQ(reads.tasks_up_to({tasks_expected[n].first, tasks_expected[n].second}), n + 1);
}

void expect_cell(const Reads& reads, const Truth& truth) {
  const CellFigures figures = reads.cell();
  EXPECT_EQ(packed(figures.record), packed(truth.cell));
  EXPECT_EQ(figures.live_jobs, truth.jobs.size());
  EXPECT_EQ(figures.wanted_tasks, truth.wanted_tasks);
  EXPECT_EQ(figures.live_tasks, truth.live_tasks);
  EXPECT_EQ(figures.waiting, truth.waiting.size());
  EXPECT_EQ(figures.requests, truth.requests);
  EXPECT_EQ(figures.throttled_jobs, truth.throttled_jobs);
  EXPECT_EQ(figures.set_aside, truth.set_aside);
  for (const auto& [caller, use] : truth.callers) {
    EXPECT_EQ(reads.caller_use(caller).jobs, use.jobs) << caller;
    EXPECT_EQ(reads.caller_use(caller).wanted, use.wanted) << caller;
  }
  EXPECT_EQ(reads.audit_head(), truth.audit);
  std::vector<Waiting> queue, expected;
  for (const WaitingTask& task : reads.waiting(SIZE_MAX)) queue.push_back(task.place);
  for (const Waiting& place : truth.waiting)
    if (truth.tasks.at(place.task).set_aside.empty()) expected.push_back(place);
  EXPECT_EQ(queue, expected);
  ASSERT_EQ(reads.hosts().size(), truth.hosts.size());
  for (const auto& [id, host] : truth.hosts) {
    const auto view = reads.host(id);
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(packed(view->record), packed(host.record));
    EXPECT_EQ(view->used, host.used);
    EXPECT_EQ(view->launches.under_way, host.starting);
    EXPECT_EQ(view->tasks, std::vector<TaskId>(host.tasks.begin(), host.tasks.end()));
    EXPECT_EQ(reads.host_id(host.record.name), id);
  }
  for (const auto& [record, use] : reads.groups()) {
    const auto& expected_use = truth.groups.at(record.name).second;
    EXPECT_EQ(packed(record), packed(truth.groups.at(record.name).first));
    EXPECT_EQ(use.jobs, expected_use.jobs);
    EXPECT_EQ(use.tasks, expected_use.tasks);
    EXPECT_EQ(use.placed, expected_use.placed);
    EXPECT_EQ(use.leaving, expected_use.leaving);
    EXPECT_EQ(use.wanted, expected_use.wanted);
    EXPECT_EQ(use.starting, expected_use.starting);
    const auto condition = truth.conditions.find(record.name);
    EXPECT_EQ(reads.group(record.name)->condition.version,
              condition == truth.conditions.end() ? Index{} : condition->second.version);
    EXPECT_EQ(reads.group_name(EntityRef::of_group(record.name)), record.name);
  }
}

}  // namespace

void expect_derived(const StateMachine& machine, const KvStore& store) {
  const Truth truth(store);
  const Reads& reads = machine.reads();
  expect_cell(reads, truth);
  expect_lists(reads, truth);
  for (const auto& [id, job] : truth.jobs) expect_job(reads, id, job);
  std::set<Duty> duties;
  ASSERT_EQ(reads.shard_count(), truth.shards.size());
  for (const auto& [id, record] : truth.shards) {
    EXPECT_EQ(reads.shard(id), record);
    std::uint64_t archived = 0;
    for (const auto& [place, sum] : machine.archive_sums()) archived += place.second == id ? sum.hash : 0;
    EXPECT_EQ(reads.shard_hash(id) - archived, truth.hashes.at(id));
    for (const Duty& duty : reads.all_duties(id)) {
      // A task's is its job's, whatever its own id says.
      const EntityRef home = duty.entity.kind == EntityKind::task
                                 ? EntityRef::of(truth.tasks.at(duty.entity.task()).job)
                                 : duty.entity;
      EXPECT_EQ(shard_of(home, truth.cell.shard_count), id);
      EXPECT_TRUE(duties.insert(duty).second);
    }
  }
  EXPECT_EQ(duties, truth.duties());
  const auto anew = recompute_hash(store);
  ASSERT_TRUE(anew.ok()) << anew.error().message;
  EXPECT_EQ(machine.hash().cell, anew.value().hash.cell);
  EXPECT_EQ(read_position(store).value().hash, machine.hash().total());
}

}  // namespace troupe
