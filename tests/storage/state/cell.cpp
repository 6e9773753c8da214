#include "tests/storage/state/cell.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

JobDescriptor small_job() {
  JobDescriptor d;
  d.team_email = "team@example.com";
  d.application_name = "app";
  d.capacity_group = "DEFAULT";
  d.resources = {1'000, 1'000, 1'000, 10, 0};
  d.image = {"busybox", "latest", ""};
  d.command = {"true"};
  return d;
}

template <class T>
T must(std::optional<T> maybe) {
  TROUPE_CHECK(maybe.has_value());
  return *std::move(maybe);
}

}  // namespace

std::optional<ErrorCode> Done::refusal() const {
  if (outcome.error) return outcome.error->code;
  if (!outcome.refused.empty()) return outcome.refused.front().code;
  return std::nullopt;
}

Dump dump(const KvStore& store) {
  Dump all;
  for (Table table = 0; table < keys::table_names().size(); ++table) {
    auto cursor = store.scan(table, "", Bytes(64, '\xff'));
    for (; cursor->valid(); cursor->next()) {
      const Bytes key(cursor->key());
      if (key != keys::applied() && !(table == keys::meta && key == keys::cell()))
        all[{table, key}] = Bytes(cursor->value());
    }
    EXPECT_TRUE(cursor->status().ok());
  }
  return all;
}

void reseal(KvStore& store) {
  StatePosition position = read_position(store).value();
  position.hash = recompute_hash(store).value().hash.total();
  KvBatch batch;
  for (const Table table : {keys::meta, keys::current, keys::archived, keys::index})
    batch.put(table, keys::applied(), packed(position));
  TROUPE_CHECK(store.write(batch, Durability::buffered).ok());
}

std::vector<std::uint64_t> shard_hashes(const Reads& reads) {
  std::vector<std::uint64_t> hashes;
  for (std::uint16_t n = 0; n < reads.shard_count(); ++n) hashes.push_back(reads.shard_hash(ShardId{n}));
  return hashes;
}

DescriptorPtr batch_of(std::uint32_t size) {
  JobDescriptor d = small_job();
  d.kind = BatchSpec{size, milliseconds(3'600'000), false, {}};
  return std::make_shared<const JobDescriptor>(std::move(d));
}

DescriptorPtr service_of(std::uint32_t min, std::uint32_t desired, std::uint32_t max) {
  JobDescriptor d = small_job();
  d.kind = ServiceSpec{{min, desired, max}, true, {}};
  return std::make_shared<const JobDescriptor>(std::move(d));
}

DescriptorPtr with_priority(DescriptorPtr descriptor, std::uint32_t priority) {
  JobDescriptor d = *descriptor;
  d.attributes["troupe.priority"] = std::to_string(priority);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

DescriptorPtr in_group(DescriptorPtr descriptor, std::string group) {
  JobDescriptor d = *descriptor;
  d.capacity_group = std::move(group);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

DescriptorPtr with_sequence(DescriptorPtr descriptor, std::string sequence) {
  JobDescriptor d = *descriptor;
  d.group_sequence = std::move(sequence);
  return std::make_shared<const JobDescriptor>(std::move(d));
}

Cell::Cell(CellPolicy policy) : Cell(open_memory(keys::table_names())) {
  EXPECT_TRUE(apply(BootstrapCell{"test", test_shards, policy}, term_fence()).taken());
  AssignShards assign;
  for (std::uint16_t n = 0; n < test_shards; ++n) assign.moves.push_back({ShardId{n}, Epoch{0}, first_node});
  EXPECT_TRUE(apply(assign, term_fence()).taken());
}

Cell::Cell(std::unique_ptr<KvStore> opened) : store(std::move(opened)) { restart(); }

void Cell::restart() {
  machine.reset();
  machine = StateMachine::open(*store).value();
  last = machine->applied();
}

raft::Entry Cell::entry(const Command& command) {
  last = last.next();
  return {term, last, raft::EntryKind::command, now, Blob(encode(command))};
}

Applied Cell::apply_entries(const std::vector<raft::Entry>& entries) {
  Applied applied = machine->apply(entries).value();
  if (on_applied) on_applied(applied);
  return applied;
}

Done Cell::apply(Command command) {
  Applied applied = apply_entries({entry(command)});
  EXPECT_EQ(applied.index, last);
  EXPECT_EQ(applied.outcomes.size(), 1U);
  return {std::move(applied.outcomes.front()), std::move(applied.events)};
}

Done Cell::apply(CommandBody body, Fence fence) {
  Command command;
  command.fence = std::move(fence);
  command.body = std::move(body);
  return apply(std::move(command));
}

Done Cell::request(std::string id, CommandBody body, std::string caller) {
  Command command;
  command.request = std::move(id);
  command.caller = std::move(caller);
  command.body = std::move(body);
  return apply(std::move(command));
}

Fence Cell::fence_of(ShardId shard) const { return EpochFence{shard, reads().shard(shard).epoch}; }

JobId Cell::submit(DescriptorPtr descriptor) {
  const auto id = random.uuid<JobId>();
  EXPECT_EQ(apply(CreateJob{id, std::move(descriptor)}).refusal(), std::nullopt);
  return id;
}

Done Cell::start(const JobId& id, std::uint32_t number, TaskId task) {
  AdvanceSlots::Item item{id, SlotNumber{number}, slot(id, number).task, SlotState::running, task, {}, {}};
  return apply(AdvanceSlots{{item}}, fence_of(id));
}

TaskId Cell::start(const JobId& id, std::uint32_t number) {
  const TaskId task = random.task_of(id);
  EXPECT_EQ(start(id, number, task).refusal(), std::nullopt);
  return task;
}

Done Cell::step_slot(const JobId& id, std::uint32_t number, SlotState to, Instant retry_at,
                     milliseconds delay) {
  AdvanceSlots::Item item{id, SlotNumber{number}, slot(id, number).task, to, {}, retry_at, delay};
  return apply(AdvanceSlots{{item}}, fence_of(id));
}

Done Cell::finish(const JobId& id, Reason reason) {
  return apply(FinishJobs{{{id, reason, "over"}}}, fence_of(id));
}

HostId Cell::host(std::string name, Resources resources) {
  const Done done = apply(RegisterHost{std::move(name), "big", resources, {}, {"sim"}});
  EXPECT_TRUE(done.taken());
  const HostId id{static_cast<std::uint32_t>(std::stoul(done.outcome.entity))};
  EXPECT_TRUE(open(id, random.uuid<SessionId>()).taken());
  return id;
}

Done Cell::open(HostId id, SessionId session, NodeId node) {
  return apply(OpenSession{id, session, node}, fence_of(id));
}
Done Cell::close(HostId id, SessionId session) { return apply(CloseSessions{{{id, session}}}, fence_of(id)); }

PlaceTasks::Item Cell::placement(const TaskId& id, HostId on) const {
  return {id, task(id).version, on, reads().host(on)->record.eligibility};
}

Done Cell::place(const TaskId& id, HostId on) { return apply(PlaceTasks{{placement(id, on)}}, term_fence()); }

Done Cell::report(HostId from, ReportTasks::Status status) {
  return apply(ReportTasks{{{from, session(from), {std::move(status)}}}});
}

Done Cell::user_kill(const TaskId& id, Reason reason) { return apply(KillTasks{{{id, reason, "by hand"}}}); }

TaskId Cell::running(const JobId& id, std::uint32_t number, HostId on) {
  const TaskId started = start(id, number);
  EXPECT_TRUE(place(started, on).taken());
  EXPECT_TRUE(report(on, started, TaskState::started).taken());
  return started;
}

JobId Cell::run_to_end(HostId on) {
  const JobId id = submit(batch_of(1));
  EXPECT_TRUE(ended(on, running(id, 0, on), Reason::normal).taken());
  EXPECT_TRUE(step_slot(id, 0, SlotState::done).taken());
  EXPECT_TRUE(finish(id).taken());
  return id;
}

TaskRecord Cell::task(const TaskId& id) const { return must(reads().task(id)).record; }
std::optional<TaskRecord> Cell::archived(const TaskId& id) const { return reads().archived_task(id).value(); }

JobRecord Cell::job(const JobId& id) const {
  std::optional<JobRecord> record;
  reads().with_job(id, [&](const JobView& view) { record = view.record; });
  return must(std::move(record));
}

SlotRecord Cell::slot(const JobId& id, std::uint32_t number) const {
  SlotRecord record;
  reads().with_job(id, [&](const JobView& view) {
    if (number < view.slots.size()) record = view.slots[number].record;
  });
  return record;
}

bool Cell::has_job(const JobId& id) const {
  return reads().with_job(id, [](const JobView&) {});
}

JobCounts Cell::counts(const JobId& id) const {
  JobCounts counts;
  reads().with_job(id, [&](const JobView& view) { counts = view.counts; });
  return counts;
}

std::optional<Instant> Cell::due(const EntityRef& entity) const {
  for (const Duty& duty : reads().all_duties(shard_of(entity, test_shards)))
    if (duty.entity == entity) return duty.due;
  return std::nullopt;
}

}  // namespace troupe
