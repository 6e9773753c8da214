// A restart: the current tables from the state database; history is not touched.

#include <mutex>
#include <thread>

#include "storage/base/planted_bug.hpp"
#include "storage/state/commit.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {
namespace {

/// Decodes every record of [low, high) and hands it on with its key and bytes; false: it does not fit to its
/// key or to the others. Errors: corrupt, io.
template <class Record, class Use>
Result<void> each_record(const KvStore& store, Table table, const Bytes& low, const Bytes& high, Use use) {
  auto cursor = store.scan(table, low, high);
  for (; cursor->valid(); cursor->next()) {
    auto record = unpacked<Record>(cursor->value());
    if (!record.ok())
      return Error{ErrorCode::corrupt, "a record of the state database does not decode: repair from a peer"};
    if (!use(cursor->key(), cursor->value(), std::move(record).value()))
      return Error{ErrorCode::corrupt,
                   "a record of the state database contradicts another: repair from a peer"};
  }
  return cursor->status();
}

template <class Record, class Use>
Result<void> each_meta(const KvStore& store, char kind, Use use) {
  return each_record<Record>(store, keys::meta, keys::meta_low(kind), keys::meta_high(kind), use);
}

std::size_t index_of(SlotState state) { return static_cast<std::size_t>(state); }

}  // namespace

Result<void> StateMachine::load() {
  if (auto done = load_position(); !done.ok()) return done;
  if (auto done = load_meta(); !done.ok()) return done;
  if (auto done = load_hosts(); !done.ok()) return done;
  if (auto done = load_requests(); !done.ok()) return done;
  if (auto done = load_archive_sums(); !done.ok()) return done;
  if (auto done = load_shards(); !done.ok()) return done;
  for (auto& [id, host] : tables_.cell.hosts) Committer::update_host_duty(tables_, host);
  for (const auto& [name, group] : tables_.cell.groups) Committer::update_group_duty(tables_, name);
  tables_.hash_sum = tables_.cell.hash;
  for (const auto& shard : tables_.shards) tables_.hash_sum += shard->hash;
  return check_hash();
}

Result<void> StateMachine::load_position() {
  const auto position = read_position(store_);
  if (!position.ok()) return position.error();
  applied_ = position.value().index;
  applied_term_ = position.value().term;
  stored_hash_ = position.value().hash;
  return {};
}

Result<void> StateMachine::check_hash() const {
  if (options_.hash_check == StateOptions::HashCheck::trust || !stored_hash_) return {};
  if (hash().total() == *stored_hash_) return {};
  return Error{
      ErrorCode::corrupt,
      "the state database's records do not sum up to the hash that was stored with them: repair from a "
      "peer"};
}

Result<void> StateMachine::load_meta() {
  CellTables& cell = tables_.cell;
  auto bytes = store_.get(keys::meta, keys::cell());
  if (!bytes.ok()) return bytes.error();
  if (bytes.value()) {
    auto record = unpacked<CellRecord>(*bytes.value());
    if (!record.ok())
      return Error{ErrorCode::corrupt, "the cell's record does not decode: repair from a peer"};
    cell.record = record.value();
    if (auto level = check_level(); !level.ok()) return level;
  }
  if (!cell.record.name.empty()) {
    if (cell.record.shard_count == 0 || cell.record.shard_count > shard_count_max)
      return Error{ErrorCode::corrupt, "the cell's record has no possible shard count: repair from a peer"};
    tables_.make_shards(cell.record.shard_count);
    Committer::copy_relaunch_limit(tables_);
  }
  auto membership = read_membership(store_);
  if (!membership.ok())
    return Error{ErrorCode::corrupt, "the stored membership does not decode: repair from a peer"};
  cell.membership = membership.value();
  if (cell.membership) cell.hash += record_hash(keys::membership(), packed(*cell.membership));
  auto audit = each_meta<AuditHead>(store_, 'u', [&](BytesView key, BytesView value, AuditHead head) {
    cell.audit_hash = record_hash(key, value);
    cell.hash += cell.audit_hash;
    cell.audit = std::move(head);
    return key == keys::audit_head();
  });
  if (!audit.ok()) return audit;
  auto done = each_meta<Index>(store_, 'k', [&](BytesView key, BytesView value, Index) {
    cell.hash += record_hash(key, value);
    return true;
  });
  if (!done.ok()) return done;
  return each_meta<ShardRecord>(store_, 's', [&](BytesView key, BytesView value, ShardRecord r) {
    if (key != keys::shard(r.id) || r.id.value >= tables_.shards.size()) return false;
    ShardTables& shard = tables_.shard(r.id);
    shard.record = r;
    shard.record_hash = record_hash(key, value);
    cell.hash += shard.record_hash;
    return true;
  });
}

Result<void> StateMachine::load_hosts() {
  CellTables& cell = tables_.cell;
  auto done = each_meta<HostRecord>(store_, 'h', [&](BytesView key, BytesView value, HostRecord r) {
    if (key != keys::host(r.id)) return false;
    cell.host_names.emplace(r.name, r.id);
    HostEntry& host = cell.hosts[r.id];
    host.hash = record_hash(key, value);
    cell.hash += host.hash;
    count_set_aside(cell, static_cast<const HostRecord*>(nullptr), &r);
    host.record = std::move(r);
    return true;
  });
  if (!done.ok()) return done;
  done = each_meta<GroupRecord>(store_, 'g', [&](BytesView key, BytesView value, GroupRecord r) {
    if (key != keys::group(r.name)) return false;
    cell.hash += record_hash(key, value);
    Committer::name_group(tables_, r);
    cell.groups[r.name] = std::move(r);
    return true;
  });
  if (!done.ok()) return done;
  done = each_meta<LaunchRecord>(store_, 'l', [&](BytesView key, BytesView value, LaunchRecord r) {
    cell.hash += record_hash(key, value);
    cell.launches[std::string(key.substr(1))] = r;
    return true;
  });
  if (!done.ok()) return done;
  done = each_meta<PauseRecord>(store_, 'p', [&](BytesView key, BytesView value, PauseRecord r) {
    cell.hash += record_hash(key, value);
    cell.pauses[std::string(key.substr(1))] = std::move(r);
    return true;
  });
  if (!done.ok()) return done;
  return each_meta<GroupCondition>(store_, 'a', [&](BytesView key, BytesView value, GroupCondition r) {
    if (key != keys::condition(r.name) || !cell.groups.contains(r.name)) return false;
    cell.hash += record_hash(key, value);
    count_set_aside(cell, static_cast<const GroupCondition*>(nullptr), &r);
    cell.conditions[r.name] = std::move(r);
    return true;
  });
}

Result<void> StateMachine::load_requests() {
  CellTables& cell = tables_.cell;
  return each_meta<RequestRecord>(store_, 'r', [&](BytesView key, BytesView value, RequestRecord r) {
    cell.hash += record_hash(key, value);
    cell.request_expiry.insert({r.expires.ms, std::string(key)});
    cell.requests.emplace(std::string(key), std::move(r));
    return true;
  });
}

Result<void> StateMachine::load_archive_sums() {
  return each_meta<ArchiveSum>(store_, 'b', [&](BytesView key, BytesView, const ArchiveSum& sum) {
    const auto place = keys::archive_sum_place(key);
    if (!place || place->second.value >= tables_.shards.size()) return false;
    tables_.archive_sums.emplace(*place, sum);
    tables_.shard(place->second).hash += sum.hash;
    return true;
  });
}

/// Shards share nothing but the cell's derived tables, which have a lock of their own: threads take one shard
/// after the other.
Result<void> StateMachine::load_shards() {
  std::mutex mutex;  // guards the two below
  std::size_t next = 0;
  Result<void> failure;
  const auto work = [&] {
    for (;;) {
      ShardTables* shard = nullptr;
      {
        const std::lock_guard lock(mutex);
        if (next == tables_.shards.size() || !failure.ok()) return;
        shard = tables_.shards[next++].get();
      }
      if (auto done = load_shard(*shard); !done.ok()) {
        const std::lock_guard lock(mutex);
        if (failure.ok()) failure = done;
      }
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned n = 1; n < std::max(1u, options_.load_threads); ++n) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  return failure;
}

Result<void> StateMachine::load_jobs(ShardTables& shard) {
  const ShardId id = shard.record.id;
  return each_record<JobRecord>(store_, keys::current, keys::current_low(id, 'j'),
                                keys::current_high(id, 'j'),
                                [&](BytesView key, BytesView value, JobRecord record) {
                                  if (key != keys::job(id, record.id) || record.descriptor == nullptr)
                                    return false;
                                  JobEntry entry;
                                  entry.hash = record_hash(key, value);
                                  shard.hash += entry.hash;
                                  entry.record = std::move(record);
                                  entry.slots.resize(entry.record.capacity.desired);
                                  for (std::uint32_t n = 0; n < entry.slots.size(); ++n)
                                    entry.slots[n].record.number = SlotNumber{n};
                                  shard.job_order.insert({entry.record.created.ms, entry.record.id});
                                  Committer::index_job(tables_, shard.jobs.insert(std::move(entry)));
                                  return true;
                                });
}

Result<void> StateMachine::load_slots(ShardTables& shard) {
  const ShardId id = shard.record.id;
  constexpr std::size_t job_at = 3;  // shard, kind
  return each_record<SlotRecord>(
      store_, keys::current, keys::current_low(id, 'l'), keys::current_high(id, 'l'),
      [&](BytesView key, BytesView value, const SlotRecord& record) {
        JobId job_id;
        if (key.size() < job_at + job_id.bytes.size()) return false;
        std::memcpy(job_id.bytes.data(), key.data() + job_at, job_id.bytes.size());
        JobEntry* job = shard.jobs.find(job_id);
        if (job == nullptr || key != keys::slot(id, job_id, record.number)) return false;
        while (job->slots.size() <= record.number.value) {
          SlotEntry slot;
          slot.record.number = SlotNumber{static_cast<std::uint32_t>(job->slots.size())};
          job->slots.push_back(slot);
        }
        SlotEntry& slot = job->slots[record.number.value];
        slot.record = record;
        slot.hash = record_hash(key, value);
        shard.hash += slot.hash;
        return true;
      });
}

Result<void> StateMachine::load_tasks(ShardTables& shard) {
  const ShardId id = shard.record.id;
  return each_record<TaskRecord>(
      store_, keys::current, keys::current_low(id, 't'), keys::current_high(id, 't'),
      [&](BytesView key, BytesView value, TaskRecord record) {
        JobEntry* job = shard.jobs.find(record.job);
        if (key != keys::task(id, record.id) || job == nullptr || record.slot.value >= job->slots.size() ||
            record.state == TaskState::finished ||
            (record.is_placed() && !tables_.cell.hosts.contains(record.host)))
          return false;
        shard.task_order.insert({record.created().ms, record.id});
        if (tables_.home_of(record.id) != id) tables_.moved.put(record.id, id);
        TaskEntry& entry = shard.tasks.insert({std::move(record), no_duty, record_hash(key, value)});
        shard.hash += entry.hash;
        Committer::index_task(tables_, entry);
        if (planted(Bug::capacity_counted_twice) && entry.record.is_placed())
          tables_.cell.hosts[entry.record.host].used += job->record.descriptor->resources;
        Committer::update_task_duty(tables_, entry, *job->record.descriptor);
        return true;
      });
}

Result<void> StateMachine::load_shard(ShardTables& shard) {
  if (auto done = load_jobs(shard); !done.ok()) return done;
  if (auto done = load_slots(shard); !done.ok()) return done;
  if (auto done = load_tasks(shard); !done.ok()) return done;
  shard.jobs.each([&](JobEntry& job) {
    for (const SlotEntry& slot : job.slots) ++job.counts.slots[index_of(slot.record.state)];
    Committer::update_job_duty(tables_, job);
  });
  return {};
}

}  // namespace troupe
