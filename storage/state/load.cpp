// A restart: the current tables from the state database; history is not touched.

#include <xxhash.h>

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

std::uint64_t hash_of(BytesView key, BytesView value) {
  return XXH3_64bits_withSeed(value.data(), value.size(), XXH3_64bits(key.data(), key.size()));
}

std::size_t at(SlotState state) { return static_cast<std::size_t>(state); }

}  // namespace

Result<void> StateMachine::load_meta() {
  CellTables& cell = tables_.cell;
  auto bytes = store_.get(keys::meta, keys::cell());
  if (!bytes.ok()) return bytes.error();
  if (bytes.value()) {
    auto record = unpacked<CellRecord>(*bytes.value());
    if (!record.ok())
      return Error{ErrorCode::corrupt, "the cell's record does not decode: repair from a peer"};
    cell.record = record.value();
  }
  if (!cell.record.name.empty()) {
    if (cell.record.shard_count == 0 || cell.record.shard_count > shard_count_max)
      return Error{ErrorCode::corrupt, "the cell's record has no possible shard count: repair from a peer"};
    tables_.make_shards(cell.record.shard_count);
  }
  auto done = each_record<ShardRecord>(store_, keys::meta, keys::meta_low('s'), keys::meta_high('s'),
                                       [&](BytesView key, BytesView, ShardRecord r) {
                                         if (key != keys::shard(r.id) || r.id.value >= tables_.shards.size())
                                           return false;
                                         tables_.shard(r.id).record = r;
                                         return true;
                                       });
  if (!done.ok()) return done;
  done = each_record<HostRecord>(store_, keys::meta, keys::meta_low('h'), keys::meta_high('h'),
                                 [&](BytesView key, BytesView, HostRecord r) {
                                   if (key != keys::host(r.id)) return false;
                                   cell.host_names.emplace(r.name, r.id);
                                   cell.hosts[r.id].record = std::move(r);
                                   return true;
                                 });
  if (!done.ok()) return done;
  done = each_record<GroupRecord>(store_, keys::meta, keys::meta_low('g'), keys::meta_high('g'),
                                  [&](BytesView key, BytesView, GroupRecord r) {
                                    if (key != keys::group(r.name)) return false;
                                    Committer::name_group(tables_, r);
                                    cell.groups[r.name] = std::move(r);
                                    return true;
                                  });
  if (!done.ok()) return done;
  done = each_record<GroupCondition>(store_, keys::meta, keys::meta_low('a'), keys::meta_high('a'),
                                     [&](BytesView key, BytesView, GroupCondition r) {
                                       if (key != keys::condition(r.name) || !cell.groups.contains(r.name))
                                         return false;
                                       cell.conditions[r.name] = std::move(r);
                                       return true;
                                     });
  if (!done.ok()) return done;
  return each_record<RequestRecord>(store_, keys::meta, keys::meta_low('r'), keys::meta_high('r'),
                                    [&](BytesView key, BytesView, RequestRecord r) {
                                      cell.request_expiry.insert({r.expires.ms, std::string(key)});
                                      cell.requests.emplace(std::string(key), std::move(r));
                                      return true;
                                    });
}

Result<void> StateMachine::load_jobs(ShardTables& shard) {
  const ShardId id = shard.record.id;
  return each_record<JobRecord>(store_, keys::current, keys::current_low(id, 'j'),
                                keys::current_high(id, 'j'),
                                [&](BytesView key, BytesView value, JobRecord record) {
                                  if (key != keys::job(id, record.id) || record.descriptor == nullptr)
                                    return false;
                                  JobEntry entry;
                                  entry.hash = hash_of(key, value);
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
        slot.hash = hash_of(key, value);
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
        TaskEntry& entry = shard.tasks.insert({std::move(record), no_duty, hash_of(key, value)});
        shard.hash += entry.hash;
        Committer::index_task(tables_, entry);
        Committer::update_task_duty(tables_, entry, *job->record.descriptor);
        return true;
      });
}

Result<void> StateMachine::load_shard(ShardTables& shard) {
  if (auto done = load_jobs(shard); !done.ok()) return done;
  if (auto done = load_slots(shard); !done.ok()) return done;
  if (auto done = load_tasks(shard); !done.ok()) return done;
  shard.jobs.each([&](JobEntry& job) {
    for (const SlotEntry& slot : job.slots) ++job.counts.slots[at(slot.record.state)];
    Committer::update_job_duty(tables_, job);
  });
  return {};
}

}  // namespace troupe
