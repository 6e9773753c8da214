// How long a start takes to load a state:
//   restart_rate fill FOLDER LIVE_TASKS ARCHIVED_TASKS
//   restart_rate FOLDER [TIMES]

#include <fmt/core.h>

#include <cstdlib>

#include "storage/base/random.hpp"
#include "storage/kv/rocks_store.hpp"
#include "storage/state/keys.hpp"
#include "storage/state/state_machine.hpp"

namespace troupe {
namespace {

double seconds_since(const Clock& clock, Moment start) {
  return std::chrono::duration<double>(clock.steady() - start).count();
}

int load_once(const std::string& folder, unsigned threads) {
  const SystemClock clock;
  const Moment start = clock.steady();
  const auto store =
      open_rocks_read_only({.path = folder, .role = RocksConfig::Role::state, .tables = keys::table_names()});
  if (!store.ok()) return fmt::print("{}\n", store.error().message), 1;
  const double opened = seconds_since(clock, start);
  const auto machine = StateMachine::open(*store.value(), {.load_threads = threads});
  if (!machine.ok()) return fmt::print("{}\n", machine.error().message), 1;
  const double loaded = seconds_since(clock, start);
  std::uint64_t tasks = 0;
  for (const std::uint64_t in_state : machine.value()->reads().cell().live_tasks) tasks += in_state;
  fmt::print("tasks={} threads={} open_s={:.3f} load_s={:.3f}\n", tasks, threads, opened, loaded - opened);
  return 0;
}

/// A state of many small tasks, by applying what would have made them.
class Filler {
 public:
  explicit Filler(KvStore& store) : machine_(std::move(StateMachine::open(store)).value()) {}

  void run(std::uint64_t live, std::uint64_t archived) {
    CellPolicy policy;
    policy.jobs_max = policy.tasks_max = 100'000'000;
    apply(BootstrapCell{"rate", shards, policy}, TermFence{term});
    AssignShards assign;
    for (std::uint16_t n = 0; n < shards; ++n) assign.moves.push_back({ShardId{n}, Epoch{0}, NodeId{1}});
    apply(std::move(assign), TermFence{term});
    for (std::uint32_t n = 1; n <= hosts; ++n) {
      apply(RegisterHost{"host-" + std::to_string(n), "g", {1 << 30, 1 << 30, 1 << 30, 1 << 30, 0}, {}, {}});
      sessions_.push_back(random_.uuid<SessionId>());
      apply(OpenSession{HostId{n}, sessions_.back(), NodeId{1}}, fence(shard_of(HostId{n}, shards)));
    }
    for (std::uint64_t made = 0; made < archived; made += job_tasks) end(start_job());
    for (std::uint64_t made = 0; made < live; made += job_tasks) start_job();
  }

 private:
  static constexpr std::uint16_t shards = 64;
  static constexpr std::uint32_t hosts = 2'000, job_tasks = 500;
  static constexpr Term term{1};

  struct Job {
    JobId id;
    std::vector<TaskId> tasks;
    HostId host;
  };

  static Fence fence(ShardId shard) { return EpochFence{shard, Epoch{1}}; }
  void apply(CommandBody body, Fence fence = NoFence{}) {
    Command command;
    command.fence = std::move(fence);
    command.body = std::move(body);
    const raft::Entry entry{term, machine_->applied().next(), raft::EntryKind::command, now_,
                            Blob(encode(command))};
    const auto applied = machine_->apply({&entry, 1});
    TROUPE_CHECK(applied.ok() && !applied.value().outcomes.front().error);
    TROUPE_CHECK(applied.value().outcomes.front().refused.empty());
    now_ = now_ + milliseconds(1);
  }

  Job start_job() {
    JobDescriptor descriptor;
    descriptor.application_name = "app";
    descriptor.capacity_group = "DEFAULT";
    descriptor.image = {"busybox", "latest", ""};
    descriptor.command = {"sleep", "100000"};
    descriptor.resources = {1, 1, 1, 1, 0};
    descriptor.kind = BatchSpec{job_tasks, milliseconds(3'600'000), false, {}};
    Job job{random_.uuid<JobId>(), {}, HostId{1 + next_host_++ % hosts}};
    apply(CreateJob{job.id, std::make_shared<const JobDescriptor>(std::move(descriptor))});
    AdvanceSlots advance;
    for (std::uint32_t n = 0; n < job_tasks; ++n) {
      job.tasks.push_back(random_.task_of(job.id));
      advance.items.push_back({job.id, SlotNumber{n}, {}, SlotState::running, job.tasks.back(), {}, {}});
    }
    apply(std::move(advance), fence(shard_of(job.id, shards)));
    PlaceTasks place;
    const Index eligibility = machine_->reads().host(job.host)->record.eligibility;
    for (const TaskId& task : job.tasks)
      place.items.push_back({task, machine_->applied(), job.host, eligibility});
    apply(std::move(place), TermFence{term});
    report(job, TaskState::started);
    return job;
  }

  void report(const Job& job, TaskState state) {
    ReportTasks::Part part{job.host, sessions_[job.host.value - 1], {}};
    for (const TaskId& task : job.tasks) part.tasks.push_back({task, state, Reason::normal, 0, 0, ""});
    apply(ReportTasks{{std::move(part)}});
  }

  void end(const Job& job) {
    report(job, TaskState::finished);
    AdvanceSlots close;
    for (std::uint32_t n = 0; n < job_tasks; ++n)
      close.items.push_back({job.id, SlotNumber{n}, job.tasks[n], SlotState::done, {}, {}, {}});
    apply(std::move(close), fence(shard_of(job.id, shards)));
    apply(FinishJobs{{{job.id, Reason::normal, ""}}}, fence(shard_of(job.id, shards)));
  }

  std::unique_ptr<StateMachine> machine_;
  Random random_{1};
  Instant now_{1'800'000'000'000};
  std::vector<SessionId> sessions_;
  std::uint32_t next_host_ = 0;
};

int fill(const std::string& folder, std::uint64_t live, std::uint64_t archived) {
  const SystemClock clock;
  const Moment start = clock.steady();
  const auto store =
      open_rocks({.path = folder, .role = RocksConfig::Role::state, .tables = keys::table_names()});
  if (!store.ok()) return fmt::print("{}\n", store.error().message), 1;
  Filler(*store.value()).run(live, archived);
  TROUPE_CHECK(store.value()->flush().ok());
  fmt::print("live={} archived={} fill_s={:.1f}\n", live, archived, seconds_since(clock, start));
  return 0;
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  if (argc == 5 && std::string(argv[1]) == "fill")
    return troupe::fill(argv[2], std::strtoull(argv[3], nullptr, 10), std::strtoull(argv[4], nullptr, 10));
  const int times = argc > 2 ? std::atoi(argv[2]) : 3;
  for (const unsigned threads : {1u, 2u})
    for (int n = 0; n < times; ++n)
      if (const int failed = troupe::load_once(argv[1], threads); failed != 0) return failed;
  return 0;
}
