#include "cmd/troupe/fill.hpp"

#include <unistd.h>

#include <filesystem>

#include "actors/bench/transition_core.hpp"
#include "cmd/troupe/bench_log_node.hpp"
#include "cmd/troupe/bench_process.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/log/log_store.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe::cli {
namespace {

constexpr std::uint32_t tasks_per_job = 1'000;
constexpr std::uint32_t commands_at_a_time = 16;
constexpr std::uint32_t archived_days = 30;
constexpr milliseconds day{86'400'000};
constexpr Term fill_term{1};

std::string node_folder(const FillParams& params, std::uint32_t node) {
  return params.folder + "/node-" + std::to_string(node);
}

Result<std::unique_ptr<KvStore>> open_state(const std::string& node) {
  RocksConfig rocks;
  rocks.path = node + "/state";
  rocks.tables = keys::table_names();
  rocks.unread_tables = keys::unread_tables();
  return open_rocks(rocks);
}

/// The log of a node whose state stands at `edge`: empty behind it.
Result<void> write_log(const std::string& node, std::uint32_t nodes, LogEdge edge) {
  RocksConfig rocks;
  rocks.path = node + "/log";
  rocks.role = RocksConfig::Role::log;
  rocks.tables = LogStore::tables();
  auto store = open_rocks(rocks);
  if (!store.ok()) return store.error();
  auto log = LogStore::open(*store.value());
  if (!log.ok()) return log.error();
  LogWrite write;
  write.hard = raft::HardState{edge.term, NodeId{}};
  write.membership = raft::Membership{};
  for (std::uint32_t n = 1; n <= nodes; ++n) write.membership->voters.push_back(NodeId{n});
  write.compact = edge;
  return log.value()->write({&write, 1});
}

bench::TransitionConfig live_config(const FillParams& params) {
  bench::TransitionConfig config;
  config.tasks = params.live_tasks;
  config.slots_per_job = config.width = std::max(1U, std::min(tasks_per_job, params.live_tasks));
  config.hosts = params.hosts;
  config.seed = params.seed;
  return config;
}

class Filler {
 public:
  Filler(const FillParams& params, StateMachine& machine)
      : params_(params), machine_(machine), core_(live_config(params)), random_(~params.seed) {}

  Result<void> run() {
    stamp_ = clock_.wall() - day * (archived_days + 1);
    for (auto commands = core_.setup(fill_term); !commands.empty(); commands = core_.setup(fill_term)) {
      auto outcomes = apply(commands);
      if (!outcomes.ok()) return outcomes.error();
      if (auto taken = core_.set_up(outcomes.value()); !taken.ok()) return taken;
    }
    if (auto archived = write_archive(); !archived.ok()) return archived;
    for (std::size_t unit = 0; unit < core_.units(); ++unit)
      while (core_.phase(unit) + 1 < bench::TransitionCore::phases)
        if (auto moved = move(unit); !moved.ok()) return moved;
    return disconnect_hosts();
  }

 private:
  Result<std::vector<Outcome>> apply(const std::vector<Command>& commands) {
    std::vector<Outcome> outcomes;
    for (std::size_t from = 0; from < commands.size(); from += commands_at_a_time) {
      std::vector<raft::Entry> entries;
      for (std::size_t n = from; n < std::min(commands.size(), from + commands_at_a_time); ++n)
        entries.push_back({fill_term, Index{machine_.applied().value + 1 + entries.size()},
                           raft::EntryKind::command, stamp_, Blob(encode(commands[n]))});
      auto applied = machine_.apply(entries);
      if (!applied.ok()) return applied.error();
      for (Outcome& outcome : applied.value().outcomes) outcomes.push_back(std::move(outcome));
    }
    return outcomes;
  }

  Result<void> apply_all(const std::vector<Command>& commands) {
    auto outcomes = apply(commands);
    if (!outcomes.ok()) return outcomes.error();
    for (const Outcome& outcome : outcomes.value()) {
      if (outcome.error) return *outcome.error;
      if (!outcome.refused.empty())
        return Error{outcome.refused.front().code, outcome.refused.front().message};
    }
    return {};
  }

  std::uint16_t shards() const { return machine_.reads().shard_count(); }
  static Fence fence_of(ShardId shard) { return EpochFence{shard, Epoch{1}}; }

  Result<void> move(std::size_t unit) {
    auto outcomes = apply({core_.next(unit, fill_term)});
    if (!outcomes.ok()) return outcomes.error();
    return core_.moved(unit, outcomes.value().front());
  }

  Result<void> disconnect_hosts() {
    std::vector<Command> commands;
    for (const HostFacts& host : machine_.reads().hosts()) {
      Command& command = commands.emplace_back();
      command.fence = fence_of(shard_of(host.record.id, shards()));
      command.body = CloseSessions{{{host.record.id, host.record.session}}};
    }
    return apply_all(commands);
  }

  // ---- the archive: jobs that are killed before their tasks are placed ----
  Result<void> write_archive() {
    const Instant today = clock_.wall();
    for (std::uint32_t done = 0; done < params_.archived_tasks; done += tasks_per_job) {
      const std::uint32_t size = std::min(tasks_per_job, params_.archived_tasks - done);
      // Days in order: history is written as it happened.
      const std::uint64_t age = archived_days - std::uint64_t{done} * archived_days / params_.archived_tasks;
      stamp_ = today - day * static_cast<std::int64_t>(age);
      if (auto ended = live_and_die(size); !ended.ok()) return ended;
    }
    stamp_ = clock_.wall();
    return {};
  }

  Result<void> live_and_die(std::uint32_t size) {
    const auto job = random_.uuid<JobId>();
    AdvanceSlots start;
    KillTasks kill;
    for (std::uint32_t n = 0; n < size; ++n) {
      const TaskId task = random_.task_of(job);
      start.items.push_back({job, SlotNumber{n}, {}, SlotState::running, task, {}, {}});
      kill.items.push_back({task, Reason::killed, {}});
    }
    std::vector<Command> commands(5);
    commands[0].body = CreateJob{job, batch_of(size)};
    commands[1].body = std::move(start);
    commands[2].body = KillJob{job};
    commands[3].body = std::move(kill);
    commands[4].body = FinishJobs{{{job, Reason::killed, {}}}};
    for (const std::size_t n : {1U, 3U, 4U}) commands[n].fence = fence_of(shard_of(job, shards()));
    return apply_all(commands);
  }

  static DescriptorPtr batch_of(std::uint32_t size) {
    JobDescriptor descriptor;
    descriptor.team_email = "bench@example.com";
    descriptor.application_name = "history";
    descriptor.capacity_group = "DEFAULT";
    descriptor.resources = {.cpu_milli = 100, .memory_mb = 128, .disk_mb = 10, .network_mbps = 1, .gpu = 0};
    descriptor.command = {"true"};
    descriptor.kind = BatchSpec{size, milliseconds(3'600'000), false, {}};
    return std::make_shared<const JobDescriptor>(std::move(descriptor));
  }

  const FillParams& params_;
  StateMachine& machine_;
  bench::TransitionCore core_;
  Random random_;
  SystemClock clock_;
  Instant stamp_;
};

}  // namespace

Result<Filled> fill(const FillParams& params) {
  const std::string first = node_folder(params, 1);
  std::error_code failed;
  if (std::filesystem::exists(first, failed))
    return Error{ErrorCode::invalid_argument, first + " exists already; give an empty folder"};
  std::filesystem::create_directories(first, failed);
  if (failed) return Error{ErrorCode::io, "cannot make " + first + ": " + failed.message()};
  auto store = open_state(first);
  if (!store.ok()) return store.error();
  auto machine = StateMachine::open(*store.value());
  if (!machine.ok()) return machine.error();
  if (auto done = Filler(params, *machine.value()).run(); !done.ok()) return done.error();
  if (auto flushed = store.value()->flush(); !flushed.ok()) return flushed.error();
  const LogEdge edge{machine.value()->applied(), fill_term};
  for (std::uint32_t n = 1; n <= params.nodes; ++n) {
    const std::string node = node_folder(params, n);
    std::filesystem::create_directories(node, failed);
    // The others share the first one's files, which never change.
    if (n > 1)
      if (auto copied = store.value()->checkpoint(node + "/state"); !copied.ok()) return copied.error();
    if (auto written = write_log(node, params.nodes, edge); !written.ok()) return written.error();
  }
  const CellFigures cell = machine.value()->reads().cell();
  Filled filled;
  for (const std::uint64_t tasks : cell.live_tasks) filled.live_tasks += tasks;
  filled.archived_tasks = params.archived_tasks;
  filled.index = edge.index.value;
  filled.hash = state_hash(machine.value()->reads());
  return filled;
}

Result<void> fill_apart(const FillParams& params) {
  auto process = BenchProcess::start(
      {"fill", params.folder, "--live-tasks", std::to_string(params.live_tasks), "--archived-tasks",
       std::to_string(params.archived_tasks), "--nodes", std::to_string(params.nodes), "--hosts",
       std::to_string(params.hosts), "--seed", std::to_string(params.seed)},
      "");
  if (!process.ok()) return process.error();
  std::string said;
  char piece[256];
  for (ssize_t count = 1; count > 0;) {
    count = ::read(process.value()->out(), piece, sizeof piece);
    if (count > 0) said.append(piece, static_cast<std::size_t>(count));
  }
  if (said.starts_with("live_tasks=")) return {};
  return Error{ErrorCode::io, "troupe fill failed"};
}

Result<std::string> filled_folder(const std::string& of_user, const FillParams& params) {
  if (!of_user.empty()) return of_user;
  if (params.live_tasks + params.archived_tasks > 0)
    if (auto filled = fill_apart(params); !filled.ok()) return filled.error();
  return params.folder;
}

}  // namespace troupe::cli
