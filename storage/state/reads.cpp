#include "storage/state/reads.hpp"

#include <algorithm>
#include <mutex>

namespace troupe {
namespace {

constexpr std::size_t merge_page = 128;   // Entries taken from a shard per lock while merging lists.
constexpr std::size_t scan_places = 512;  // Looked at per lock while scanning.

/// A shard's next keys in creation order, refilled a page at a time.
template <class Id>
class OrderPages {
 public:
  OrderPages(const ShardTables& shard, const CreationOrder<Id>& order, PageStart<Id> start)
      : shard_(shard), order_(order), last_{start.created_ms, start.id} {
    refill();
  }
  bool empty() const { return page_.empty(); }
  const std::pair<std::int64_t, Id>& front() const { return page_[at_]; }
  void pop() {
    last_ = page_[at_];
    if (++at_ == page_.size()) refill();
  }

 private:
  void refill() {
    page_.clear();
    at_ = 0;
    const std::shared_lock lock(shard_.mutex);
    for (auto next = order_.upper_bound(last_); next != order_.end() && page_.size() < merge_page; ++next)
      page_.push_back(*next);
  }
  const ShardTables& shard_;
  const CreationOrder<Id>& order_;
  std::pair<std::int64_t, Id> last_;
  std::vector<std::pair<std::int64_t, Id>> page_;
  std::size_t at_ = 0;
};

/// Merges all shards' orders; `use(shard, id)` returns false to stop.
template <class Id, class Order, class Use>
void merge(const Tables& tables, Order order_of, PageStart<Id> start, Use use) {
  std::vector<std::pair<const ShardTables*, OrderPages<Id>>> sources;
  for (const auto& shard : tables.shards) {
    OrderPages<Id> pages(*shard, order_of(*shard), start);
    if (!pages.empty()) sources.emplace_back(shard.get(), std::move(pages));
  }
  const auto later = [&](std::size_t a, std::size_t b) {
    return sources[b].second.front() < sources[a].second.front();
  };
  std::vector<std::size_t> heap(sources.size());
  for (std::size_t n = 0; n < heap.size(); ++n) heap[n] = n;
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    auto& [shard, pages] = sources[heap.back()];
    if (!use(*shard, pages.front().second)) return;
    pages.pop();
    if (pages.empty())
      heap.pop_back();
    else
      std::push_heap(heap.begin(), heap.end(), later);
  }
}

}  // namespace

LaunchStanding Reads::standing_of(std::string_view scope, const LaunchLimit& limit,
                                  std::uint64_t under_way) const {
  LaunchStanding standing{{}, {}, under_way};
  if (!has_budgets(tables_.cell.record)) return standing;
  standing.limit = limit;
  const auto kept = tables_.cell.launches.find(scope);
  if (kept != tables_.cell.launches.end()) standing.record = kept->second;
  return standing;
}

LaunchStanding Reads::standing_of(const HostEntry& entry) const {
  const CellPolicy& policy = tables_.cell.record.policy;
  if (policy.host_launch_limit().is_none() && tables_.cell.launches.empty()) return {{}, {}, entry.starting};
  const HostId id = entry.record.id;
  LaunchStanding standing = standing_of(launches_of_host(id), policy.host_launch_limit(), entry.starting);
  let_rest(standing, policy, id);
  return standing;
}

HostFacts Reads::facts_of(const HostEntry& entry) const {
  return {entry.record, entry.used,         entry.tasks.size(),
          entry.as_of,  standing_of(entry), pause_of({SchedulingScope::Kind::host, {}, entry.record.id})};
}

std::optional<PauseRecord> Reads::pause_of(const SchedulingScope& scope) const {
  const auto& pauses = tables_.cell.pauses;
  if (pauses.empty()) return std::nullopt;
  const auto found = pauses.find(scope.text());
  return found == pauses.end() ? std::nullopt : std::optional(found->second);
}

std::map<std::string, PauseRecord, std::less<>> Reads::wide_pauses() const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto& pauses = tables_.cell.pauses;
  return {pauses.begin(), pauses.lower_bound("host/")};  // Behind "cell" and "group/...".
}

LaunchStanding Reads::cell_launches() const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto& live = tables_.cell.live_tasks;
  return standing_of(troupe::cell_launches, tables_.cell.record.policy.launch_limit(),
                     live[static_cast<std::size_t>(TaskState::launched)] +
                         live[static_cast<std::size_t>(TaskState::start_initiated)]);
}

bool Reads::has_shards() const {
  const std::shared_lock lock(tables_.cell.mutex);
  return !tables_.shards.empty();
}

std::uint16_t Reads::shard_count() const {
  const std::shared_lock lock(tables_.cell.mutex);
  return static_cast<std::uint16_t>(tables_.shards.size());
}

bool Reads::with_job(const JobId& id, const std::function<void(const JobView&)>& use) const {
  if (!has_shards()) return false;
  const ShardTables& shard = tables_.shard(tables_.shard_id(id));
  const std::shared_lock lock(shard.mutex);
  const JobEntry* entry = shard.jobs.find(id);
  if (entry == nullptr) return false;
  use(entry->view(shard.relaunch_limit));
  return true;
}

std::optional<TaskFacts> Reads::task(const TaskId& id) const {
  if (!has_shards()) return std::nullopt;
  for (ShardId place = tables_.shard_id(id);;) {
    const ShardTables& shard = tables_.shard(place);
    {
      const std::shared_lock lock(shard.mutex);
      if (const TaskEntry* entry = shard.tasks.find(id)) {
        const JobEntry* job = shard.jobs.find(entry->record.job);
        TROUPE_CHECK(job != nullptr);
        return TaskFacts{entry->record, job->record.descriptor};
      }
    }
    const ShardId now = tables_.shard_id(id);
    if (now == place) return std::nullopt;
    place = now;  // It was moved meanwhile.
  }
}

std::optional<HostView> Reads::host(HostId id) const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto found = tables_.cell.hosts.find(id);
  if (found == tables_.cell.hosts.end()) return std::nullopt;
  const HostEntry& entry = found->second;
  return HostView{entry.record,
                  entry.used,
                  {entry.tasks.begin(), entry.tasks.end()},
                  standing_of(entry),
                  pause_of({SchedulingScope::Kind::host, {}, entry.record.id})};
}

std::optional<HostFacts> Reads::host_facts(HostId id) const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto found = tables_.cell.hosts.find(id);
  if (found == tables_.cell.hosts.end()) return std::nullopt;
  return facts_of(found->second);
}

std::optional<HostId> Reads::host_id(std::string_view name) const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto found = tables_.cell.host_names.find(name);
  if (found == tables_.cell.host_names.end()) return std::nullopt;
  return found->second;
}

std::vector<HostFacts> Reads::hosts() const {
  std::vector<HostFacts> all;
  const std::shared_lock lock(tables_.cell.mutex);
  for (const auto& [id, entry] : tables_.cell.hosts) all.push_back(facts_of(entry));
  return all;
}

std::vector<HostId> Reads::hosts_of(ShardId shard) const {
  std::vector<HostId> ids;
  const std::shared_lock lock(tables_.cell.mutex);
  for (const auto& [id, entry] : tables_.cell.hosts)
    if (troupe::shard_of(id, tables_.cell.record.shard_count) == shard) ids.push_back(id);
  return ids;
}

std::vector<std::pair<GroupRecord, GroupUse>> Reads::groups() const {
  std::vector<std::pair<GroupRecord, GroupUse>> all;
  const std::shared_lock lock(tables_.cell.mutex);
  for (const auto& [name, record] : tables_.cell.groups) {
    const auto entry = tables_.cell.group_entries.find(name);
    all.emplace_back(record, entry == tables_.cell.group_entries.end() ? GroupUse{} : entry->second.use);
  }
  return all;
}

bool Reads::is_anybody_leaving() const {
  const std::shared_lock lock(tables_.cell.mutex);
  return std::any_of(tables_.cell.group_entries.begin(), tables_.cell.group_entries.end(),
                     [](const auto& entry) { return entry.second.use.leaving != Resources{}; });
}

GroupView Reads::view_of(const GroupRecord& record) const {
  const CellTables& cell = tables_.cell;
  GroupView view;
  view.record = record;
  view.condition.name = record.name;
  if (const auto said = cell.conditions.find(record.name); said != cell.conditions.end())
    view.condition = said->second;
  if (const auto entry = cell.group_entries.find(record.name); entry != cell.group_entries.end()) {
    view.use = entry->second.use;
    view.waiting = entry->second.waiting.size();
    view.waiting_since = entry->second.waiting_since();
  }
  view.pause = pause_of({SchedulingScope::Kind::group, record.name, {}});
  view.launches = standing_of(launches_of_group(record.name), record.launch_limit(), view.use.starting);
  return view;
}

std::optional<GroupView> Reads::group(std::string_view name) const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto found = tables_.cell.groups.find(name);
  if (found == tables_.cell.groups.end()) return std::nullopt;
  return view_of(found->second);
}

std::vector<GroupView> Reads::group_views() const {
  std::vector<GroupView> all;
  const std::shared_lock lock(tables_.cell.mutex);
  for (const auto& [name, record] : tables_.cell.groups) all.push_back(view_of(record));
  return all;
}

std::optional<std::string> Reads::group_name(const EntityRef& group) const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto found = tables_.cell.group_names.find(group);
  if (found == tables_.cell.group_names.end()) return std::nullopt;
  return found->second;
}

std::uint32_t Reads::level() const {
  const std::shared_lock lock(tables_.cell.mutex);
  return tables_.cell.record.level;
}

std::uint64_t Reads::set_aside() const {
  const std::shared_lock lock(tables_.cell.mutex);
  return tables_.cell.set_aside;
}

CellFigures Reads::cell() const {
  const std::shared_lock lock(tables_.cell.mutex);
  const CellTables& cell = tables_.cell;
  CellFigures figures{cell.record,
                      cell.live_jobs,
                      cell.wanted_tasks,
                      cell.live_tasks,
                      cell.waiting.size(),
                      cell.hosts.size(),
                      0,
                      cell.requests.size(),
                      cell.throttled_jobs,
                      pause_of({}),
                      cell.set_aside};
  for (const auto& [id, host] : cell.hosts) figures.hosts_connected += host.record.is_connected() ? 1 : 0;
  return figures;
}

CellRecord Reads::cell_record() const {
  const std::shared_lock lock(tables_.cell.mutex);
  return tables_.cell.record;
}

CallerUse Reads::caller_use(std::string_view caller) const {
  const std::shared_lock lock(tables_.cell.mutex);
  const auto found = tables_.cell.callers.find(caller);
  return found == tables_.cell.callers.end() ? CallerUse{} : found->second;
}

ShardRecord Reads::shard(ShardId id) const {
  if (id.value >= shard_count()) return {id, {}, {}};
  const ShardTables& shard = tables_.shard(id);
  const std::shared_lock lock(shard.mutex);
  return shard.record;
}

ShardId Reads::shard_of(const EntityRef& entity) const {
  if (!has_shards()) return {};
  if (entity.kind == EntityKind::task) return tables_.shard_id(entity.task());
  return troupe::shard_of(entity, static_cast<std::uint16_t>(tables_.shards.size()));
}

std::vector<ShardRecord> Reads::shards() const {
  std::vector<ShardRecord> all;
  for (std::uint16_t n = 0; n < shard_count(); ++n) all.push_back(shard(ShardId{n}));
  return all;
}

std::uint64_t Reads::shard_hash(ShardId id) const {
  const ShardTables& shard = tables_.shard(id);
  const std::shared_lock lock(shard.mutex);
  return shard.hash;
}

void Reads::each_job(PageStart<JobId> start, const std::function<bool(const JobView&)>& use) const {
  if (!has_shards()) return;
  merge<JobId>(
      tables_, [](const ShardTables& s) -> const auto& { return s.job_order; }, start,
      [&](const ShardTables& shard, const JobId& id) {
        const std::shared_lock lock(shard.mutex);
        const JobEntry* entry = shard.jobs.find(id);
        return entry == nullptr || use(entry->view(shard.relaunch_limit));
      });
}

void Reads::each_task(PageStart<TaskId> start,
                      const std::function<bool(const TaskRecord&, const JobRecord&)>& use) const {
  if (!has_shards()) return;
  merge<TaskId>(
      tables_, [](const ShardTables& s) -> const auto& { return s.task_order; }, start,
      [&, told = TaskId{}](const ShardTables& named, const TaskId& id) mutable {
        // One that is moved meanwhile may be met in both shards, one after the other.
        if (id == std::exchange(told, id)) return true;
        const ShardTables& moved = tables_.shard(tables_.shard_id(id));
        const ShardTables& shard = &moved == &named ? named : moved;
        const std::shared_lock lock(shard.mutex);
        const TaskEntry* entry = shard.tasks.find(id);
        if (entry == nullptr) return true;
        const JobEntry* job = shard.jobs.find(entry->record.job);
        return job == nullptr || use(entry->record, job->record);
      });
}

bool Reads::scan_tasks(const std::function<bool(const TaskRecord&, const JobRecord&)>& use) const {
  if (!has_shards()) return true;
  const std::uint64_t moves = tables_.moved.moves();
  for (const auto& shard : tables_.shards) {
    bool goes_on = true;
    for (std::optional<std::size_t> place = 0; place && goes_on;) {
      const std::shared_lock lock(shard->mutex);
      const JobEntry* job = nullptr;  // Tasks of one job often lie side by side.
      place = shard->tasks.scan(*place, scan_places, [&](const TaskEntry& entry) {
        if (!goes_on) return;
        if (job == nullptr || job->id() != entry.record.job) job = shard->jobs.find(entry.record.job);
        if (job != nullptr) goes_on = use(entry.record, job->record);
      });
    }
    if (!goes_on) break;
  }
  return tables_.moved.moves() == moves;
}

std::size_t Reads::task_count() const {
  if (!has_shards()) return 0;
  std::size_t count = 0;
  for (const auto& shard : tables_.shards) {
    const std::shared_lock lock(shard->mutex);
    count += shard->task_order.size();
  }
  return count;
}

std::size_t Reads::tasks_up_to(PageStart<TaskId> last) const {
  if (!has_shards()) return 0;
  std::size_t count = 0;
  for (const auto& shard : tables_.shards) {
    const std::shared_lock lock(shard->mutex);
    const auto& order = shard->task_order;
    count +=
        static_cast<std::size_t>(std::distance(order.begin(), order.upper_bound({last.created_ms, last.id})));
  }
  return count;
}

std::vector<Duty> Reads::duties(ShardId id, Instant until, std::size_t limit) const {
  std::vector<Duty> due;
  if (id.value >= shard_count()) return due;
  const ShardTables& shard = tables_.shard(id);
  const std::shared_lock lock(shard.mutex);
  for (const Duty& duty : shard.attention) {
    if (duty.due > until || due.size() >= limit) break;
    due.push_back(duty);
  }
  return due;
}

std::vector<Duty> Reads::all_duties(ShardId id) const { return duties(id, Instant{INT64_MAX}, SIZE_MAX); }

std::optional<WaitingTask> Reads::waiting_task(const TaskId& id) const {
  auto facts = task(id);
  if (!facts || facts->record.state != TaskState::accepted || !facts->record.set_aside.empty())
    return std::nullopt;
  const TaskRecord& record = facts->record;
  return WaitingTask{
      {record.created_at, record.slot, record.id}, record.job, record.version, facts->descriptor};
}

std::vector<WaitingTask> Reads::waiting(std::size_t limit) const {
  std::vector<Waiting> places;
  {
    const std::shared_lock lock(tables_.cell.mutex);
    for (const Waiting& place : tables_.cell.waiting) {
      if (places.size() >= limit) break;
      places.push_back(place);
    }
  }
  std::vector<WaitingTask> tasks;
  for (const Waiting& place : places)
    if (auto found = waiting_task(place.task)) tasks.push_back(std::move(*found));
  return tasks;
}

Result<std::optional<ArchivedJob>> Reads::archived_job(const JobId& id) const {
  if (!has_shards()) return std::optional<ArchivedJob>();
  return troupe::archived_job(store_, tables_.shard_id(id), id);
}

Result<std::optional<TaskRecord>> Reads::archived_task(const TaskId& id) const {
  if (!has_shards()) return std::optional<TaskRecord>();
  return troupe::archived_task(store_, tables_.home_of(id), id);
}

Result<std::vector<TaskRecord>> Reads::archived_tasks_of(const JobId& job, std::size_t limit) const {
  if (!has_shards()) return std::vector<TaskRecord>();
  return troupe::archived_tasks_of(store_, tables_.shard_id(job), job, limit);
}

}  // namespace troupe
