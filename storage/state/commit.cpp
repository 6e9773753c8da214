#include "storage/state/commit.hpp"

#include <mutex>

#include "storage/base/planted_bug.hpp"
#include "storage/state/archive.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/put_record.hpp"

namespace troupe {
namespace {

bool is_order(TaskState state) { return state == TaskState::launched || state == TaskState::kill_initiated; }
bool is_starting(TaskState state) {
  return state == TaskState::launched || state == TaskState::start_initiated;
}

/// A token taken from its bucket is all that has changed of the job: nobody needs to hear.
bool is_silent_change(const JobRecord& before, const JobRecord& after) {
  return before.state == after.state && before.capacity == after.capacity &&
         before.descriptor == after.descriptor && before.set_aside == after.set_aside &&
         before.throttled == after.throttled && !(before.relaunches == after.relaunches);
}

std::size_t at(TaskState state) { return static_cast<std::size_t>(state); }
std::size_t at(SlotState state) { return static_cast<std::size_t>(state); }

}  // namespace

Event& Committer::emit(EventKind kind) {
  Event& event = events_.emplace_back();
  event.id = {index_, ordinal_++};
  event.kind = kind;
  event.at = now_;
  return event;
}

void Committer::commit(Stage& stage) {
  index_ = stage.index();
  now_ = stage.now();
  ordinal_ = 0;
  touched_.clear();
  touched_order_.clear();
  hosts_touched_.clear();
  groups_touched_.clear();
  commit_cell(stage);
  commit_shards(stage);
  commit_groups(stage);
  commit_hosts(stage);
  commit_launches(stage);
  commit_pause(stage);
  for (auto& change : stage.jobs_)
    if (!change.before)
      create_job(change.after);
    else
      grow(change.after);
  for (auto& change : stage.tasks_) commit_task(change);
  for (const auto& change : stage.slots_) commit_slot(change);
  for (auto& change : stage.jobs_)
    if (change.before) change_job(*change.before, std::move(change.after));
  refresh_duties();
}

template <class Record>
void Committer::put_current(ShardTables& shard, BytesView key, const Record& record, std::uint64_t& share) {
  const std::uint64_t hash = put_record(batch_, keys::current, key, record);
  tables_.shift_hash(shard, hash - share);
  share = hash;
}

void Committer::move_duty(ShardTables& shard, std::int64_t& held, Due due, const EntityRef& entity) {
  const std::int64_t wanted = due ? due->ms : no_duty;
  if (wanted == held) return;
  if (held != no_duty) shard.attention.erase({Instant{held}, entity});
  if (wanted != no_duty) shard.attention.insert({Instant{wanted}, entity});
  held = wanted;
}

ArchiveSum& Committer::count_archived(ShardTables& shard, const ArchivedShare& share) {
  const std::pair place{share.bucket, shard.record.id};
  ArchiveSum& sum = tables_.archive_sums[place];
  sum.hash += share.hash;
  tables_.shift_hash(shard, share.hash);
  sums_touched_.insert(place);
  return sum;
}

void Committer::finish_batch() {
  for (const auto& [bucket, shard] : sums_touched_)
    batch_.put(keys::meta, keys::archive_sum(bucket, shard),
               packed(tables_.archive_sums.at({bucket, shard})));
  sums_touched_.clear();
}

void Committer::index_job(Tables& tables, JobEntry& entry) {
  const std::unique_lock lock(tables.cell.mutex);
  const JobDescriptor& descriptor = *entry.record.descriptor;
  ++tables.cell.live_jobs;
  if (entry.record.throttled.is_set()) ++tables.cell.throttled_jobs;
  count_set_aside(tables.cell, static_cast<const JobRecord*>(nullptr), &entry.record);
  tables.cell.wanted_tasks += entry.record.capacity.desired;
  GroupUse& use = tables.cell.group_entries[descriptor.capacity_group].use;
  ++use.jobs;
  use.wanted += entry.record.capacity.desired;
  CallerUse& caller = tables.cell.callers[entry.record.caller];
  ++caller.jobs;
  caller.wanted += entry.record.capacity.desired;
  if (std::string name = descriptor.unique_name(); !name.empty())
    tables.cell.unique_names.emplace(std::move(name), entry.record.id);
}

void Committer::create_job(JobRecord record) {
  const ShardId shard_id = tables_.shard_id(record.id);
  ShardTables& shard = tables_.shard(shard_id);
  JobEntry entry;
  entry.hash = put_record(batch_, keys::current, keys::job(shard_id, record.id), record);
  entry.record = std::move(record);
  entry.slots.resize(entry.record.capacity.desired);
  for (std::uint32_t n = 0; n < entry.slots.size(); ++n) entry.slots[n].record.number = SlotNumber{n};
  entry.counts.slots[at(SlotState::empty)] = static_cast<std::uint32_t>(entry.slots.size());
  {
    const std::unique_lock lock(shard.mutex);
    tables_.shift_hash(shard, entry.hash);
    shard.job_order.insert({entry.record.created.ms, entry.record.id});
    JobEntry& made = shard.jobs.insert(std::move(entry));
    index_job(tables_, made);
    touch(made.record.id);
    Event& event = emit(EventKind::job_created);
    event.job = made.record.id;
    event.shard = shard_id;
    event.job_state = made.record.state;
    event.reason = made.record.reason;
    event.descriptor = made.record.descriptor;
  }
}

void Committer::commit_task(Change<TaskRecord>& change) {
  if (change.before && change.before->job != change.after.job)
    return move_task(*change.before, std::move(change.after));
  if (change.before) return change_task(*change.before, std::move(change.after));
  if (change.after.state == TaskState::accepted) return create_task(std::move(change.after));
  // Made and placed by one command: it is told as if by two, for those who follow the tasks' steps.
  TaskRecord fresh = change.after;
  fresh.state = TaskState::accepted;
  fresh.host = {};
  fresh.steps = {};
  fresh.enter(TaskState::accepted, change.after.step(TaskState::accepted));
  create_task(fresh);
  change_task(fresh, std::move(change.after));
}

void Committer::store_task(ShardTables& shard, TaskEntry& entry) {
  put_current(shard, keys::task(shard.record.id, entry.record.id), entry.record, entry.hash);
}

void Committer::index_task(Tables& tables, TaskEntry& entry) {
  ShardTables& shard = tables.shard(tables.shard_id(entry.record.id));
  JobEntry* job = shard.jobs.find(entry.record.job);
  TROUPE_CHECK(job != nullptr);
  const TaskRecord& record = entry.record;
  ++job->counts.tasks[at(record.state)];
  job->slots.at(record.slot.value).live = &record;
  const std::unique_lock lock(tables.cell.mutex);
  CellTables& cell = tables.cell;
  count_set_aside(cell, static_cast<const TaskRecord*>(nullptr), &record);
  ++cell.live_tasks[at(record.state)];
  GroupEntry& group = cell.group_entries[job->record.descriptor->capacity_group];
  GroupUse& use = group.use;
  ++use.tasks;
  if (record.state == TaskState::accepted) {
    cell.waiting.insert({record.created_at, record.slot, record.id});
    group.waiting.insert(waiting_place(record));
  }
  if (!record.is_placed()) return;
  HostEntry& host = cell.hosts[record.host];
  host.used += job->record.descriptor->resources;
  use.placed += job->record.descriptor->resources;
  host.tasks.insert(record.id);
  if (is_order(record.state)) ++host.orders;
  if (record.state == TaskState::kill_initiated) use.leaving += job->record.descriptor->resources;
  if (is_starting(record.state)) ++host.starting, ++use.starting;
}

void Committer::create_task(TaskRecord record) {
  ShardTables& shard = tables_.shard(tables_.shard_id(record.id));
  const std::unique_lock lock(shard.mutex);
  TaskEntry& entry = shard.tasks.insert({std::move(record), no_duty, 0});
  shard.task_order.insert({entry.record.created().ms, entry.record.id});
  store_task(shard, entry);
  index_task(tables_, entry);
  touch(entry.record.job);
  const JobDescriptor& descriptor = *shard.jobs.find(entry.record.job)->record.descriptor;
  update_task_duty(tables_, entry, descriptor);
  const std::string& group = descriptor.capacity_group;
  if (tables_.cell.group_entries.at(group).waiting.size() == 1) groups_touched_.insert(group);
  Event& event = emit(EventKind::task_created);
  event.job = entry.record.job;
  event.task = entry.record.id;
  event.slot = entry.record.slot;
  event.shard = shard.record.id;
  event.reason = Reason::normal;
  event.descriptor = shard.jobs.find(entry.record.job)->record.descriptor;
}

void Committer::change_task(const TaskRecord& before, TaskRecord after) {
  ShardTables& shard = tables_.shard(tables_.shard_id(after.id));
  const std::unique_lock lock(shard.mutex);
  TaskEntry* entry = shard.tasks.find(after.id);
  JobEntry* job = shard.jobs.find(after.job);
  TROUPE_CHECK(entry != nullptr && job != nullptr);
  entry->record = std::move(after);
  const TaskRecord& now = entry->record;
  const bool ended = now.state == TaskState::finished;
  {
    const std::unique_lock cell_lock(tables_.cell.mutex);
    CellTables& cell = tables_.cell;
    --cell.live_tasks[at(before.state)];
    --job->counts.tasks[at(before.state)];
    if (!ended) ++cell.live_tasks[at(now.state)], ++job->counts.tasks[at(now.state)];
    count_set_aside(cell, &before, ended ? nullptr : &now);
    const std::string& group_name = job->record.descriptor->capacity_group;
    GroupEntry& group = cell.group_entries[group_name];
    GroupUse& use = group.use;
    if (before.slot != now.slot) {
      // Another task may have taken the old place already.
      const TaskRecord*& left = job->slots.at(before.slot.value).live;
      if (left == &now) left = nullptr;
      job->slots.at(now.slot.value).live = &now;
    }
    if (before.state == TaskState::accepted) {
      cell.waiting.erase({before.created_at, before.slot, before.id});
      if (now.state == TaskState::accepted)
        cell.waiting.insert({now.created_at, now.slot, now.id});
      else
        stop_waiting(group, group_name, before);
    }
    if (ended) --use.tasks;
    const Resources& amount = job->record.descriptor->resources;
    if (now.is_placed()) {
      HostEntry& host = cell.hosts[now.host];
      const bool was_placed = before.is_placed();
      if (!was_placed && !ended) host.used += amount, use.placed += amount, host.tasks.insert(now.id);
      if (was_placed && ended && !planted(Bug::capacity_leaks)) host.used -= amount;
      if (was_placed && ended) use.placed -= amount, host.tasks.erase(now.id);
      if (was_placed && before.state == TaskState::kill_initiated) use.leaving -= amount;
      if (!ended && now.state == TaskState::kill_initiated) use.leaving += amount;
      host.as_of = {index_, ordinal_};  // The event that this becomes, below.
      if (was_placed && is_order(before.state)) --host.orders;
      if (!ended && is_order(now.state)) ++host.orders;
      if (was_placed && is_starting(before.state)) --host.starting, --use.starting;
      if (!ended && is_starting(now.state)) ++host.starting, ++use.starting;
      hosts_touched_.push_back(now.host);
    }
  }
  touch(now.job);
  Event& event = emit(ended ? EventKind::task_archived : EventKind::task_changed);
  event.job = now.job;
  event.task = now.id;
  event.host = now.host;
  event.slot = now.slot;
  event.shard = shard.record.id;
  event.task_before = before.state;
  event.task_state = now.state;
  event.reason = now.step(now.state).reason;
  event.descriptor = job->record.descriptor;
  if (ended)
    finish_task(*entry);
  else
    store_task(shard, *entry), update_task_duty(tables_, *entry, *job->record.descriptor);
  if (planted(Bug::event_left_out) && before.state == TaskState::launched && now.state == TaskState::started)
    events_.pop_back();
}

/// Into another shard's tables. Under both shards' locks.
TaskEntry& Committer::bring_task(ShardTables& from, ShardTables& to, TaskRecord record) {
  const TaskId id = record.id;
  const std::pair place{record.created().ms, id};
  TaskEntry& here = to.tasks.insert({std::move(record), no_duty, 0});
  to.task_order.insert(place);
  tables_.home_of(id) == to.record.id ? tables_.moved.erase(id) : tables_.moved.put(id, to.record.id);
  TaskEntry& left = *from.tasks.find(id);
  move_duty(from, left.due_ms, std::nullopt, EntityRef::of(id));
  tables_.shift_hash(from, 0 - left.hash);
  batch_.erase(keys::current, keys::task(from.record.id, id));
  from.task_order.erase(place);
  from.tasks.erase(id);
  return here;
}

/// It runs on where it is: of the cell's tables none changes, since both jobs are of one capacity group and
/// ask for the same.
void Committer::move_task(const TaskRecord& before, TaskRecord after) {
  ShardTables& from = tables_.shard(tables_.shard_id(before.job));
  ShardTables& to = tables_.shard(tables_.shard_id(after.job));
  // Readers hold one shard at a time.
  const std::unique_lock lock(from.mutex);
  const auto other = &from == &to ? std::unique_lock<std::shared_mutex>() : std::unique_lock(to.mutex);
  JobEntry* left = from.jobs.find(before.job);
  JobEntry* job = to.jobs.find(after.job);
  TaskEntry* entry = from.tasks.find(after.id);
  TROUPE_CHECK(entry != nullptr && left != nullptr && job != nullptr);
  // The one that took its place there may be in it already.
  const TaskRecord*& place = left->slots.at(before.slot.value).live;
  if (place == &entry->record) place = nullptr;
  --left->counts.tasks[at(before.state)];
  ++job->counts.tasks[at(after.state)];
  if (&from == &to)
    entry->record = std::move(after);
  else
    entry = &bring_task(from, to, std::move(after));
  const TaskRecord& now = entry->record;
  job->slots.at(now.slot.value).live = &now;
  store_task(to, *entry);
  update_task_duty(tables_, *entry, *job->record.descriptor);
  touch(before.job);
  touch(now.job);
  Event& event = emit(EventKind::task_moved);
  event.job = now.job;
  event.moved_from = before.job;
  event.task = now.id;
  event.host = now.host;
  event.slot = now.slot;
  event.shard = to.record.id;
  event.task_before = before.state;
  event.task_state = now.state;
  event.reason = now.step(now.state).reason;
  event.descriptor = job->record.descriptor;
}

void Committer::finish_task(TaskEntry& entry) {
  ShardTables& shard = tables_.shard(tables_.shard_id(entry.record.id));
  JobEntry* job = shard.jobs.find(entry.record.job);
  job->slots.at(entry.record.slot.value).live = nullptr;
  move_duty(shard, entry.due_ms, std::nullopt, EntityRef::of(entry.record.id));
  tables_.shift_hash(shard, 0 - entry.hash);
  batch_.erase(keys::current, keys::task(shard.record.id, entry.record.id));
  const Route route = tables_.home_of(entry.record.id) == shard.record.id ? Route::by_id : Route::by_place;
  count_archived(shard, archive_task(batch_, shard.record.id, entry.record, route)).tasks += 1;
  finished_tasks_.push_back(entry.record.id);
}

void Committer::commit_slot(const SlotChange& change) {
  ShardTables& shard = tables_.shard(tables_.shard_id(change.job));
  const std::unique_lock lock(shard.mutex);
  JobEntry* job = shard.jobs.find(change.job);
  TROUPE_CHECK(job != nullptr);
  SlotEntry& slot = job->slots.at(change.after.number.value);
  --job->counts.slots[at(change.before.state)];
  ++job->counts.slots[at(change.after.state)];
  slot.record = change.after;
  put_current(shard, keys::slot(shard.record.id, change.job, change.after.number), slot.record, slot.hash);
  touch(change.job);
  if (change.after.state == SlotState::running) return;  // The task's own event tells it.
  Event& event = emit(EventKind::slot_changed);
  event.job = change.job;
  event.task = change.after.task;
  event.slot = change.after.number;
  event.shard = shard.record.id;
  event.reason = change.after.last_reason;
}

void Committer::grow_slots(JobEntry& entry, std::uint32_t count) {
  while (entry.slots.size() < count) {
    SlotEntry slot;
    slot.record.number = SlotNumber{static_cast<std::uint32_t>(entry.slots.size())};
    entry.slots.push_back(slot);
    ++entry.counts.slots[at(SlotState::empty)];
  }
}

/// Before its tasks: a plan may give tasks to slots that the same command makes.
void Committer::grow(const JobRecord& job) {
  ShardTables& shard = tables_.shard(tables_.shard_id(job.id));
  const std::unique_lock lock(shard.mutex);
  grow_slots(*shard.jobs.find(job.id), job.capacity.desired);
}

void Committer::change_job(const JobRecord& before, JobRecord after) {
  const ShardId shard_id = tables_.shard_id(after.id);
  ShardTables& shard = tables_.shard(shard_id);
  const std::unique_lock lock(shard.mutex);
  JobEntry* entry = shard.jobs.find(after.id);
  TROUPE_CHECK(entry != nullptr);
  entry->record = std::move(after);
  const std::uint32_t desired = entry->record.capacity.desired;
  grow_slots(*entry, desired);
  // A slot that never was stored would not come back after a restart: it must not outlive its size.
  while (entry->slots.size() > desired && entry->slots.back().hash == 0) {
    entry->slots.pop_back();
    --entry->counts.slots[at(SlotState::empty)];
  }
  {
    const std::unique_lock cell_lock(tables_.cell.mutex);
    tables_.cell.wanted_tasks += desired;
    tables_.cell.wanted_tasks -= before.capacity.desired;
    GroupUse& use = tables_.cell.group_entries[entry->record.descriptor->capacity_group].use;
    use.wanted += desired;
    use.wanted -= before.capacity.desired;
    CallerUse& caller = tables_.cell.callers[entry->record.caller];
    caller.wanted += desired;
    caller.wanted -= before.capacity.desired;
    if (before.throttled.is_set()) --tables_.cell.throttled_jobs;
    if (entry->record.throttled.is_set()) ++tables_.cell.throttled_jobs;
    count_set_aside(tables_.cell, &before, &entry->record);
  }
  touch(entry->record.id);
  const bool ended = entry->record.state == JobState::finished;
  if (!is_silent_change(before, entry->record)) {
    Event& event = emit(ended ? EventKind::job_archived : EventKind::job_changed);
    event.job = entry->record.id;
    event.shard = shard_id;
    event.job_state = entry->record.state;
    event.reason = entry->record.reason;
  }
  if (ended) return finish_job(*entry);
  put_current(shard, keys::job(shard_id, entry->record.id), entry->record, entry->hash);
}

void Committer::finish_job(JobEntry& entry) {
  const ShardId shard_id = tables_.shard_id(entry.record.id);
  ShardTables& shard = tables_.shard(shard_id);
  ArchivedJob archived{entry.record, {}};
  for (const SlotEntry& slot : entry.slots) {
    archived.slots.push_back(slot.record);
    tables_.shift_hash(shard, 0 - slot.hash);
    if (slot.hash != 0)
      batch_.erase(keys::current, keys::slot(shard_id, entry.record.id, slot.record.number));
  }
  tables_.shift_hash(shard, 0 - entry.hash);
  batch_.erase(keys::current, keys::job(shard_id, entry.record.id));
  if (!planted(Bug::archive_left_out))
    count_archived(shard, archive_job(batch_, shard_id, archived)).jobs += 1;
  move_duty(shard, entry.due_ms, std::nullopt, EntityRef::of(entry.record.id));
  finished_jobs_.push_back(entry.record.id);
  const std::unique_lock lock(tables_.cell.mutex);
  const JobDescriptor& descriptor = *entry.record.descriptor;
  --tables_.cell.live_jobs;
  if (entry.record.throttled.is_set()) --tables_.cell.throttled_jobs;
  count_set_aside(tables_.cell, &entry.record, static_cast<const JobRecord*>(nullptr));
  tables_.cell.wanted_tasks -= entry.record.capacity.desired;
  GroupUse& use = tables_.cell.group_entries[descriptor.capacity_group].use;
  --use.jobs;
  use.wanted -= entry.record.capacity.desired;
  const auto caller = tables_.cell.callers.find(entry.record.caller);
  TROUPE_CHECK(caller != tables_.cell.callers.end());
  caller->second.wanted -= entry.record.capacity.desired;
  if (--caller->second.jobs == 0) tables_.cell.callers.erase(caller);
  if (const std::string name = descriptor.unique_name(); !name.empty()) tables_.cell.unique_names.erase(name);
}

void Committer::update_job_duty(Tables& tables, JobEntry& entry) {
  ShardTables& shard = tables.shard(tables.shard_id(entry.record.id));
  move_duty(shard, entry.due_ms, job_duty(entry.view(shard.relaunch_limit)), EntityRef::of(entry.record.id));
}

void Committer::update_task_duty(Tables& tables, TaskEntry& entry, const JobDescriptor& descriptor) {
  ShardTables& shard = tables.shard(tables.shard_id(entry.record.id));
  move_duty(shard, entry.due_ms, task_duty(entry.record, descriptor, tables.cell.record.policy),
            EntityRef::of(entry.record.id));
}

void Committer::update_host_duty(Tables& tables, HostEntry& entry) {
  ShardTables& shard = tables.shard(shard_of(entry.record.id, tables.cell.record.shard_count));
  const Due due = host_duty(entry.record, entry.orders, entry.tasks.size(), shard.record.owner,
                            tables.cell.record.policy);
  move_duty(shard, entry.due_ms, due, EntityRef::of(entry.record.id));
}

void Committer::update_group_duty(Tables& tables, const std::string& name) {
  if (!tables.cell.groups.contains(name)) return;
  const EntityRef entity = EntityRef::of_group(name);
  ShardTables& shard = tables.shard(shard_of(entity, tables.cell.record.shard_count));
  const auto condition = tables.cell.conditions.find(name);
  GroupEntry& entry = tables.cell.group_entries[name];
  const Due due = group_duty(condition == tables.cell.conditions.end() ? GroupCondition{} : condition->second,
                             entry.waiting_since());
  move_duty(shard, entry.due_ms, due, entity);
}

void Committer::stop_waiting(GroupEntry& group, const std::string& name, const TaskRecord& task) {
  const bool was_first = group.waiting.begin()->second == task.id;
  group.waiting.erase(waiting_place(task));
  if (was_first) groups_touched_.insert(name);
}

void Committer::refresh_duties() {
  for (const JobId& id : touched_order_) {
    ShardTables& shard = tables_.shard(tables_.shard_id(id));
    const std::unique_lock lock(shard.mutex);
    JobEntry* entry = shard.jobs.find(id);
    if (entry != nullptr && entry->record.state != JobState::finished) update_job_duty(tables_, *entry);
  }
  std::sort(hosts_touched_.begin(), hosts_touched_.end());
  hosts_touched_.erase(std::unique(hosts_touched_.begin(), hosts_touched_.end()), hosts_touched_.end());
  for (const HostId id : hosts_touched_) {
    ShardTables& shard = tables_.shard(shard_of(id, tables_.cell.record.shard_count));
    const std::unique_lock lock(shard.mutex);
    update_host_duty(tables_, tables_.cell.hosts.at(id));
  }
  for (const std::string& name : groups_touched_) {
    const ShardId id = shard_of(EntityRef::of_group(name), tables_.cell.record.shard_count);
    const std::unique_lock lock(tables_.shard(id).mutex);
    const std::unique_lock cell_lock(tables_.cell.mutex);
    update_group_duty(tables_, name);
  }
}

void Committer::forget_archived() {
  for (const TaskId& id : finished_tasks_) {
    ShardTables& shard = tables_.shard(tables_.shard_id(id));
    const std::unique_lock lock(shard.mutex);
    shard.task_order.erase({shard.tasks.find(id)->record.created().ms, id});
    shard.tasks.erase(id);
    if (tables_.home_of(id) != shard.record.id) tables_.moved.erase(id);
  }
  for (const JobId& id : finished_jobs_) {
    ShardTables& shard = tables_.shard(tables_.shard_id(id));
    const std::unique_lock lock(shard.mutex);
    shard.job_order.erase({shard.jobs.find(id)->record.created.ms, id});
    shard.jobs.erase(id);
  }
  finished_tasks_.clear();
  finished_jobs_.clear();
}

}  // namespace troupe
