// What a command changes of the cell itself: its record, shards, groups, hosts and launches.

#include <mutex>

#include "storage/state/commit.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/put_record.hpp"

namespace troupe {

void Committer::commit_cell(Stage& stage) {
  if (!stage.cell_) return;
  const bool policy_moved = !(stage.cell_->policy == tables_.cell.record.policy);
  const bool level_moved = stage.cell_->level != tables_.cell.record.level;
  {
    const std::unique_lock lock(tables_.cell.mutex);
    const Instant now = tables_.cell.record.now;
    tables_.cell.record = *stage.cell_;
    tables_.cell.record.now = now;
    if (tables_.shards.empty() && !stage.cell_->name.empty()) tables_.make_shards(stage.cell_->shard_count);
  }
  emit(EventKind::cell_changed);
  if (policy_moved || level_moved) refresh_job_duties();
  if (policy_moved) refresh_task_and_host_duties();
}

void Committer::copy_relaunch_limit(Tables& tables) {
  for (auto& shard : tables.shards) {
    const std::unique_lock lock(shard->mutex);
    shard->relaunch_limit = relaunch_limit(tables.cell.record);
  }
}

void Committer::refresh_job_duties() {
  copy_relaunch_limit(tables_);
  for (auto& shard : tables_.shards) {
    const std::unique_lock lock(shard->mutex);
    shard->jobs.each([&](JobEntry& job) {
      if (job.record.state != JobState::finished) update_job_duty(tables_, job);
    });
  }
}

void Committer::refresh_task_and_host_duties() {
  for (auto& shard : tables_.shards) {
    const std::unique_lock lock(shard->mutex);
    shard->tasks.each([&](TaskEntry& task) {
      if (const JobEntry* job = shard->jobs.find(task.record.job))
        update_task_duty(tables_, task, *job->record.descriptor);
    });
  }
  for (auto& [id, host] : tables_.cell.hosts) hosts_touched_.push_back(id);
}

/// The cell's lock is held, or no reader knows of the record yet. `share` is the record's in the cell's hash.
template <class Record>
void Committer::put_meta(BytesView key, const Record& record, std::uint64_t& share) {
  const std::uint64_t hash = put_record(batch_, keys::meta, key, record);
  tables_.shift_cell_hash(hash - share);
  share = hash;
}

/// Few and rarely changed: the share of the one before (nullptr: none) is computed anew.
template <class Record>
void Committer::put_named(BytesView key, const Record& record, const Record* before) {
  std::uint64_t share = before == nullptr ? 0 : record_hash(key, packed(*before));
  put_meta(key, record, share);
}

void Committer::commit_shards(Stage& stage) {
  for (const ShardRecord& record : stage.shards_) {
    ShardTables& shard = tables_.shard(record.id);
    {
      const std::unique_lock lock(shard.mutex);
      shard.record = record;
    }
    put_meta(keys::shard(record.id), record, shard.record_hash);
    Event& event = emit(EventKind::shard_assigned);
    event.shard = record.id;
    event.node = record.owner;
    event.epoch = record.epoch;
    for (const auto& [id, host] : tables_.cell.hosts)
      if (shard_of(id, tables_.cell.record.shard_count) == record.id) hosts_touched_.push_back(id);
  }
}

void Committer::name_group(Tables& tables, const GroupRecord& group) {
  tables.cell.group_names.emplace(EntityRef::of_group(group.name), group.name);
}

void Committer::commit_groups(Stage& stage) {
  for (const std::string& name : stage.dropped_groups_) drop_group(name);
  if (stage.groups_.empty() && stage.conditions_.empty()) return;
  const std::unique_lock lock(tables_.cell.mutex);
  const auto tell = [&](const std::string& name) {
    groups_touched_.insert(name);
    emit(EventKind::group_changed).shard =
        shard_of(EntityRef::of_group(name), tables_.cell.record.shard_count);
  };
  for (GroupRecord& group : stage.groups_) {
    const auto before = tables_.cell.groups.find(group.name);
    put_named(keys::group(group.name), group,
              before == tables_.cell.groups.end() ? nullptr : &before->second);
    name_group(tables_, group);
    tell(group.name);
    tables_.cell.groups[group.name] = std::move(group);
  }
  for (GroupCondition& condition : stage.conditions_) {
    const auto before = tables_.cell.conditions.find(condition.name);
    put_named(keys::condition(condition.name), condition,
              before == tables_.cell.conditions.end() ? nullptr : &before->second);
    tell(condition.name);
    count_set_aside(tables_.cell, before == tables_.cell.conditions.end() ? nullptr : &before->second,
                    &condition);
    tables_.cell.conditions[condition.name] = std::move(condition);
  }
}

/// Under the cell's lock.
template <class Records>
void Committer::drop_named(const Bytes& key, const std::string& name, Records& records) {
  const auto found = records.find(name);
  if (found == records.end()) return;
  tables_.shift_cell_hash(0 - record_hash(key, packed(found->second)));
  batch_.erase(keys::meta, key);
  records.erase(found);
}

/// Nothing lives in it, so its entry has nothing to keep.
void Committer::drop_group(const std::string& name) {
  const EntityRef entity = EntityRef::of_group(name);
  ShardTables& shard = tables_.shard(shard_of(entity, tables_.cell.record.shard_count));
  const std::unique_lock shard_lock(shard.mutex);
  const std::unique_lock lock(tables_.cell.mutex);
  CellTables& cell = tables_.cell;
  drop_named(keys::group(name), name, cell.groups);
  if (const auto condition = cell.conditions.find(name); condition != cell.conditions.end())
    count_set_aside(cell, &condition->second, static_cast<const GroupCondition*>(nullptr));
  drop_named(keys::condition(name), name, cell.conditions);
  const std::string launches = launches_of_group(name);
  drop_named(keys::launches(launches), launches, cell.launches);
  const std::string pause = SchedulingScope{SchedulingScope::Kind::group, name, {}}.text();
  drop_named(keys::pause(pause), pause, cell.pauses);
  cell.group_names.erase(entity);
  if (const auto entry = cell.group_entries.find(name); entry != cell.group_entries.end()) {
    move_duty(shard, entry->second.due_ms, std::nullopt, entity);
    cell.group_entries.erase(entry);
  }
  emit(EventKind::group_changed).shard = shard.record.id;
}

void Committer::commit_hosts(Stage& stage) {
  if (stage.hosts_.empty()) return;
  const std::unique_lock lock(tables_.cell.mutex);
  for (auto& change : stage.hosts_) {
    const HostId id = change.after.id;
    put_meta(keys::host(id), change.after, tables_.cell.hosts[id].hash);
    count_set_aside(tables_.cell, change.before ? &tables_.cell.hosts[id].record : nullptr, &change.after);
    if (!change.before) tables_.cell.host_names.emplace(change.after.name, id);
    tables_.cell.hosts[id].record = std::move(change.after);
    hosts_touched_.push_back(id);
    Event& event = emit(EventKind::host_changed);
    event.host = id;
    event.shard = shard_of(id, tables_.cell.record.shard_count);
  }
}

void Committer::commit_launches(Stage& stage) {
  if (stage.launches_.empty()) return;
  const std::unique_lock lock(tables_.cell.mutex);
  for (auto& [scope, record] : stage.launches_) {
    LaunchRecord& kept = tables_.cell.launches[scope];
    const bool is_told = kept.failures != record.failures;
    put_named(keys::launches(scope), record, kept == LaunchRecord{} ? nullptr : &kept);
    kept = record;
    const auto id = host_of_launches(scope);
    if (!is_told || !id) continue;
    // Whether it takes tasks has changed.
    Event& event = emit(EventKind::host_changed);
    event.host = *id;
    event.shard = shard_of(*id, tables_.cell.record.shard_count);
  }
}

void Committer::commit_pause(Stage& stage) {
  if (!stage.pause_) return;
  const std::unique_lock lock(tables_.cell.mutex);
  auto& [scope, pause] = *stage.pause_;
  const std::string name = scope.text();
  auto& pauses = tables_.cell.pauses;
  if (pause) {
    put_named<PauseRecord>(keys::pause(name), *pause, nullptr);
    pauses.emplace(name, *std::move(pause));
  } else {
    drop_named(keys::pause(name), name, pauses);
  }
  const std::uint16_t shards = tables_.cell.record.shard_count;
  switch (scope.kind) {
    case SchedulingScope::Kind::cell:
      emit(EventKind::cell_changed);
      return;
    case SchedulingScope::Kind::group:
      emit(EventKind::group_changed).shard = shard_of(EntityRef::of_group(scope.group), shards);
      return;
    case SchedulingScope::Kind::host: {
      Event& event = emit(EventKind::host_changed);
      event.host = scope.host;
      event.shard = shard_of(scope.host, shards);
      return;
    }
  }
}

}  // namespace troupe
