#include "storage/state/state_machine.hpp"

#include <algorithm>
#include <mutex>

#include "storage/base/planted_bug.hpp"
#include "storage/model/pinned_image.hpp"
#include "storage/state/apply.hpp"
#include "storage/state/commit.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/put_record.hpp"

namespace troupe {
namespace {

constexpr std::int64_t requests_retry_ms = 60'000;
constexpr int expired_per_entry_max =
    4;  // Bounds the work of one entry; the table is capped, so it keeps up.

std::string request_key(const Command& command) { return keys::request(command.caller, command.request); }

bool is_worth_remembering(const Outcome& outcome) {
  return !outcome.error || retry_class(outcome.error->code) == Retry::never;
}

}  // namespace

std::uint64_t entry_hash(const raft::Entry& entry) { return record_hash({}, entry.data.view()); }

Result<Applied> StateMachine::apply(std::span<const raft::Entry> entries) {
  Applied out;
  KvBatch batch;
  Committer committer(tables_, batch, out.events);
  for (const raft::Entry& entry : entries) {
    TROUPE_CHECK(entry.index == applied_.next());
    if (options_.guard != nullptr) options_.guard->begin(entry.index);
    const auto done = apply_entry(entry, committer, out, batch);
    if (options_.guard != nullptr) options_.guard->end();
    if (!done.ok()) return done.error();
    applied_ = entry.index;
    applied_term_ = entry.term;
    if (applied_.value % options_.sample_every == 0) take_sample();
  }
  if (auto written = write(batch, committer); !written.ok()) return written.error();
  out.index = applied_;
  out.term = applied_term_;
  out.now = tables_.cell.record.now;
  if (options_.observer != nullptr) options_.observer->applied(out);
  return out;
}

Result<void> StateMachine::write(KvBatch& batch, Committer& committer) {
  committer.finish_batch();
  const std::uint64_t hash =
      tables_.hash_sum + put_record(batch, keys::meta, keys::cell(), tables_.cell.record);
  const Bytes position = packed(StatePosition{applied_, applied_term_, hash});
  for (const Table table : {keys::meta, keys::current, keys::archived, keys::index})
    batch.put(table, keys::applied(), position);
  if (auto written = store_.write(batch, Durability::buffered); !written.ok()) return written;
  batch.clear();
  committer.forget_archived();
  return {};
}

void StateMachine::pass_time(Instant stamp, KvBatch& batch) {
  const std::unique_lock lock(tables_.cell.mutex);
  tables_.cell.record.now = std::max(tables_.cell.record.now, stamp);
  expire_requests(batch);
}

bool StateMachine::reuses_ended(const Command& command) const {
  if (tables_.shards.empty()) return false;
  const auto has_ended = [&](const auto& makes) {
    const TaskEntry* task = tables_.shard(tables_.shard_id(makes.task)).tasks.find(makes.task);
    return task != nullptr && task->record.state == TaskState::finished;
  };
  if (const auto* create = std::get_if<CreateJob>(&command.body)) {
    const JobEntry* job = tables_.shard(tables_.shard_id(create->job)).jobs.find(create->job);
    if (job != nullptr && job->record.state == JobState::finished) return true;
    return std::ranges::any_of(create->places, has_ended);
  }
  if (const auto* resize = std::get_if<ResizeJob>(&command.body))
    return std::ranges::any_of(resize->places, has_ended);
  const auto* advance = std::get_if<AdvanceSlots>(&command.body);
  return advance != nullptr && std::ranges::any_of(advance->items, has_ended);
}

Result<bool> StateMachine::names_archived(const Command& command) const {
  const auto* create = std::get_if<CreateJob>(&command.body);
  if (create == nullptr) return false;
  const auto bucket = store_.get(keys::index, keys::job_bucket(create->job));
  if (!bucket.ok()) return bucket.error();
  return bucket.value().has_value();
}

Result<void> StateMachine::apply_entry(const raft::Entry& entry, Committer& committer, Applied& out,
                                       KvBatch& batch) {
  if (entry.kind != raft::EntryKind::command) {
    pass_time(entry.stamp, batch);
    return entry.kind == raft::EntryKind::config ? apply_membership(entry, batch) : Result<void>();
  }
  if (const SkippedEntry* skips = skipped(entry)) {
    pass_time(entry.stamp, batch);
    out.outcomes.push_back(skip(*skips, batch));
    return {};
  }
  auto command = decode_command(entry.data.view());
  if (!command.ok()) return command.error();
  // What ended earlier in this batch is still in memory; were its id refused for that, the size of the batch
  // would decide. Before the entry's own time: a crash behind this write replays the entry from its start.
  if (committer.has_archived() && reuses_ended(command.value()))
    if (auto written = write(batch, committer); !written.ok()) return written;
  pass_time(entry.stamp, batch);
  Outcome outcome;
  outcome.proposal = command.value().proposal;
  outcome.index = entry.index;
  if (!answer_from_table(command.value(), outcome) && !requests_full(command.value(), outcome)) {
    auto ended = names_archived(command.value());
    if (!ended.ok()) return ended.error();
    if (ended.value())
      outcome.error = Error{ErrorCode::conflict, "this job id is taken: its job has ended"};
    else
      apply_command(command.value(), entry, committer, outcome);
    if (auto level = check_level(); !level.ok()) return level;
    remember(command.value(), outcome, batch);
    audit(command.value(), entry, outcome, batch);
  }
  if (options_.observer != nullptr) options_.observer->decided(command.value(), outcome);
  out.outcomes.push_back(std::move(outcome));
  const auto* report = std::get_if<CheckState>(&command.value().body);
  return report != nullptr ? examine(*report) : Result<void>();
}

Result<void> StateMachine::check_level() const {
  const std::uint32_t level = tables_.cell.record.level;
  if (level <= options_.level_known) return {};
  return Error{ErrorCode::unavailable, "the cell is at feature level " + std::to_string(level) +
                                           " and this build knows " + std::to_string(options_.level_known) +
                                           ": upgrade this node"};
}

void StateMachine::apply_command(const Command& command, const raft::Entry& entry, Committer& committer,
                                 Outcome& outcome) {
  const Instant now = tables_.cell.record.now;
  try {
    Stage stage(tables_, entry.index, now);
    auto done = CommandApply(stage, command, entry.term, outcome).run();
    if (done.ok()) return committer.commit(stage);
    outcome.error = done.error();
  } catch (const Poison& poison) {
    outcome.refused.clear();
    outcome.error = Error{ErrorCode::internal, poison.entity.text() + " is set aside: " + poison.why};
    Command quarantine;
    quarantine.body = SetAside{poison.entity, poison.why};
    Stage stage(tables_, entry.index, now);
    Outcome ignored;
    // The body alone: the fence is the poisoned command's, and it held.
    if (CommandApply(stage, quarantine, entry.term, ignored)(std::get<SetAside>(quarantine.body)).ok())
      committer.commit(stage);
  }
}

void StateMachine::expire_requests(KvBatch& batch) {
  CellTables& cell = tables_.cell;
  for (int n = 0; n < expired_per_entry_max && !cell.request_expiry.empty(); ++n) {
    const auto oldest = cell.request_expiry.begin();
    if (oldest->first > cell.record.now.ms) return;
    const auto gone = cell.requests.find(oldest->second);
    tables_.shift_cell_hash(0 - record_hash(gone->first, packed(gone->second)));
    cell.requests.erase(gone);
    batch.erase(keys::meta, oldest->second);
    cell.request_expiry.erase(oldest);
  }
}

bool StateMachine::answer_from_table(const Command& command, Outcome& outcome) const {
  if (command.request.empty()) return false;
  const auto found = tables_.cell.requests.find(request_key(command));
  if (found == tables_.cell.requests.end()) return false;
  const RequestRecord& record = found->second;
  outcome.repeated = true;
  if (record.body_hash != request_hash(command))
    outcome.error = Error{ErrorCode::request_id_reused,
                          "this request id was used before with another body; use a new one"};
  else if (record.refused)
    outcome.error = Error{record.error, record.message};
  else
    outcome.entity = record.entity, outcome.index = record.index;
  return true;
}

bool StateMachine::requests_full(const Command& command, Outcome& outcome) const {
  if (command.request.empty() || tables_.cell.requests.size() < tables_.cell.record.policy.requests_max)
    return false;
  const auto used = tables_.cell.requests.size();
  outcome.error =
      Error{ErrorCode::limit_exceeded, "too many requests are remembered; try again in some minutes"};
  outcome.error->limit = std::make_shared<const LimitHit>(
      LimitHit{"cell.requests", tables_.cell.record.policy.requests_max, used, requests_retry_ms});
  return true;
}

void StateMachine::remember(const Command& command, const Outcome& outcome, KvBatch& batch) {
  if (command.request.empty() || !is_worth_remembering(outcome) || planted(Bug::requests_forgotten)) return;
  RequestRecord record;
  record.body_hash = request_hash(command);
  record.refused = outcome.error.has_value();
  if (outcome.error) record.error = outcome.error->code, record.message = outcome.error->message;
  record.entity = outcome.entity;
  record.index = outcome.index;
  const std::unique_lock lock(tables_.cell.mutex);
  CellTables& cell = tables_.cell;
  record.expires = cell.record.now + cell.record.policy.request_memory;
  const std::string key = request_key(command);
  cell.request_expiry.insert({record.expires.ms, key});
  store_meta(key, record, batch);
  cell.requests.emplace(key, std::move(record));
}

/// A record that was not there before.
template <class Record>
void StateMachine::store_meta(BytesView key, const Record& record, KvBatch& batch) {
  tables_.shift_cell_hash(put_record(batch, keys::meta, key, record));
}

Result<void> StateMachine::apply_membership(const raft::Entry& entry, KvBatch& batch) {
  auto membership = unpacked<raft::Membership>(entry.data.view());
  if (!membership.ok())
    return Error{ErrorCode::corrupt, "the configuration entry " + to_text(entry.index) + " does not decode"};
  const std::unique_lock lock(tables_.cell.mutex);
  std::optional<raft::Membership>& held = tables_.cell.membership;
  if (held) tables_.shift_cell_hash(0 - record_hash(keys::membership(), packed(*held)));
  held = std::move(membership).value();
  store_meta(keys::membership(), *held, batch);
  return {};
}

const SkippedEntry* StateMachine::skipped(const raft::Entry& entry) const {
  for (const SkippedEntry& skips : options_.skipped)
    if (skips.index == entry.index && skips.term == entry.term && skips.hash == entry_hash(entry))
      return &skips;
  return nullptr;
}

/// Not even decoded: that may be what it dies of. Its proposer learns of it by its deadline.
Outcome StateMachine::skip(const SkippedEntry& skips, KvBatch& batch) {
  Outcome outcome;
  outcome.index = skips.index;
  outcome.error = Error{ErrorCode::internal, "skipped by " + skips.who + ": " + skips.why};
  const std::unique_lock lock(tables_.cell.mutex);
  store_meta(keys::skipped(skips.index), skips.index, batch);
  return outcome;
}

Result<std::unique_ptr<StateMachine>> StateMachine::open(KvStore& store, StateOptions options) {
  std::unique_ptr<StateMachine> machine(new StateMachine(store, std::move(options)));
  if (auto loaded = machine->load(); !loaded.ok()) return loaded.error();
  return machine;
}

Result<Index> StateMachine::flushed() const {
  auto bytes = store_.flushed(keys::meta, keys::applied());
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return Index{};
  auto position = unpacked<StatePosition>(*bytes.value());
  if (!position.ok()) return position.error();
  return position.value().index;
}

}  // namespace troupe
