#include "storage/state/stage.hpp"

#include <charconv>

namespace troupe {

const JobEntry* Stage::job_entry(const JobId& id) const {
  if (tables_.shards.empty()) return nullptr;
  return tables_.shard(tables_.shard_id(id)).jobs.find(id);
}

const JobRecord* Stage::job(const JobId& id) const {
  const JobRecord* found = nullptr;
  if (const auto at = job_at_.find(id))
    found = &jobs_[*at].after;
  else if (const JobEntry* entry = job_entry(id))
    found = &entry->record;
  return found != nullptr && found->state != JobState::finished ? found : nullptr;
}

const TaskRecord* Stage::task(const TaskId& id) const {
  const TaskRecord* found = nullptr;
  if (const auto at = task_at_.find(id)) {
    found = &tasks_[*at].after;
  } else if (!tables_.shards.empty()) {
    const TaskEntry* entry = tables_.shard(tables_.shard_id(id)).tasks.find(id);
    if (entry != nullptr) found = &entry->record;
  }
  return found != nullptr && found->state != TaskState::finished ? found : nullptr;
}

const SlotRecord* Stage::slot(const JobId& job, SlotNumber number) const {
  if (const auto at = slot_at_.find({job, number})) return &slots_[*at].after;
  const JobEntry* entry = job_entry(job);
  if (entry == nullptr || number.value >= entry->slots.size()) return nullptr;
  return &entry->slots[number.value].record;
}

const HostRecord* Stage::host(HostId id) const {
  if (const auto at = host_at_.find(id)) return &hosts_[*at].after;
  const auto found = tables_.cell.hosts.find(id);
  return found == tables_.cell.hosts.end() ? nullptr : &found->second.record;
}

std::optional<GroupCondition> Stage::condition(std::string_view name) const {
  for (auto staged = conditions_.rbegin(); staged != conditions_.rend(); ++staged)
    if (staged->name == name) return *staged;
  const CellTables& cell = tables_.cell;
  if (const auto found = cell.conditions.find(name); found != cell.conditions.end()) return found->second;
  if (!cell.groups.contains(name)) return std::nullopt;
  GroupCondition none;
  none.name = name;
  return none;
}

std::optional<GroupCondition> Stage::condition(const EntityRef& group) const {
  const auto found = tables_.cell.group_names.find(group);
  if (found == tables_.cell.group_names.end()) return std::nullopt;
  return condition(found->second);
}

std::optional<HostId> host_of_launches(std::string_view scope) {
  constexpr std::string_view prefix = "host/";
  if (!scope.starts_with(prefix)) return std::nullopt;
  scope.remove_prefix(prefix.size());
  HostId id;
  const auto [stop, fault] = std::from_chars(scope.data(), scope.data() + scope.size(), id.value);
  if (fault != std::errc{} || stop != scope.data() + scope.size()) return std::nullopt;
  return id;
}

void let_rest(LaunchStanding& host, const CellPolicy& policy, HostId id) {
  host.rests_until = rests_until(host.record, policy.host_rest_first, policy.host_rest_max, id.value);
  if (host.rests_until.is_set()) host.limit.under_way_max = 1;
}

const LaunchRecord& Stage::launches(const std::string& scope) const {
  static const LaunchRecord none{};
  if (const auto staged = launches_.find(scope); staged != launches_.end()) return staged->second;
  const auto& kept = tables_.cell.launches;
  const auto found = kept.find(scope);
  return found == kept.end() ? none : found->second;
}

LaunchRecord& Stage::edit_launches(const std::string& scope) {
  if (const auto staged = launches_.find(scope); staged != launches_.end()) return staged->second;
  return launches_.emplace(scope, LaunchRecord(launches(scope))).first->second;
}

std::uint64_t Stage::launched_in(const std::string& scope) const {
  const auto found = launched_.find(scope);
  return found == launched_.end() ? 0 : found->second;
}

void Stage::put_condition(GroupCondition condition) {
  condition.version = index_;
  conditions_.push_back(std::move(condition));
}

Resources Stage::free_on(HostId id) const {
  const HostRecord* record = host(id);
  TROUPE_CHECK(record != nullptr);
  Resources free = record->resources;
  if (const auto found = tables_.cell.hosts.find(id); found != tables_.cell.hosts.end())
    free -= found->second.used;
  if (const auto used = uses_.find(id); used != uses_.end()) free -= used->second;
  return free;
}

const ShardRecord& Stage::shard(ShardId id) const {
  for (auto staged = shards_.rbegin(); staged != shards_.rend(); ++staged)
    if (staged->id == id) return *staged;
  return tables_.shard(id).record;
}

JobRecord& Stage::edit_job(const JobId& id) {
  if (const auto at = job_at_.find(id)) return jobs_[*at].after;
  const JobEntry* entry = job_entry(id);
  TROUPE_CHECK(entry != nullptr);
  job_at_.add(id);
  auto& change = jobs_.emplace_back(Change<JobRecord>{entry->record, entry->record});
  change.after.version = index_;
  return change.after;
}

TaskRecord& Stage::edit_task(const TaskId& id) {
  if (const auto at = task_at_.find(id)) return tasks_[*at].after;
  const TaskEntry* entry = tables_.shard(tables_.shard_id(id)).tasks.find(id);
  TROUPE_CHECK(entry != nullptr);
  task_at_.add(id);
  auto& change = tasks_.emplace_back(Change<TaskRecord>{entry->record, entry->record});
  change.after.version = index_;
  return change.after;
}

SlotRecord& Stage::edit_slot(const JobId& job, SlotNumber number) {
  if (const auto at = slot_at_.find({job, number})) return slots_[*at].after;
  const JobEntry* entry = job_entry(job);
  TROUPE_CHECK(entry != nullptr && number.value < entry->slots.size());
  slot_at_.add({job, number});
  const SlotRecord& record = entry->slots[number.value].record;
  return slots_.emplace_back(SlotChange{job, record, record}).after;
}

SlotRecord& Stage::open_slot(const JobId& job, SlotNumber number) {
  const JobEntry* entry = job_entry(job);
  if (slot_at_.find({job, number}) || (entry != nullptr && number.value < entry->slots.size()))
    return edit_slot(job, number);
  slot_at_.add({job, number});
  SlotRecord fresh;
  fresh.number = number;
  return slots_.emplace_back(SlotChange{job, fresh, fresh}).after;
}

HostRecord& Stage::edit_host(HostId id) {
  if (const auto at = host_at_.find(id)) return hosts_[*at].after;
  const auto found = tables_.cell.hosts.find(id);
  TROUPE_CHECK(found != tables_.cell.hosts.end());
  host_at_.add(id);
  auto& change = hosts_.emplace_back(Change<HostRecord>{found->second.record, found->second.record});
  change.after.version = index_;
  return change.after;
}

CellRecord& Stage::edit_cell() {
  if (!cell_) cell_ = tables_.cell.record;
  return *cell_;
}

JobRecord& Stage::create_job(JobRecord record) {
  record.created_at = record.version = index_;
  job_at_.add(record.id);
  return jobs_.emplace_back(Change<JobRecord>{std::nullopt, std::move(record)}).after;
}

TaskRecord& Stage::create_task(TaskRecord record) {
  record.created_at = record.version = index_;
  task_at_.add(record.id);
  return tasks_.emplace_back(Change<TaskRecord>{std::nullopt, std::move(record)}).after;
}

HostRecord& Stage::create_host(HostRecord record) {
  record.eligibility = record.version = index_;
  host_at_.add(record.id);
  return hosts_.emplace_back(Change<HostRecord>{std::nullopt, std::move(record)}).after;
}

}  // namespace troupe
