#include "actors/bench/transition_core.hpp"

#include <charconv>

#include "storage/base/check.hpp"

namespace troupe::bench {
namespace {

constexpr std::uint16_t shard_count = 64;
constexpr Resources of_a_task{.cpu_milli = 100, .memory_mb = 128, .disk_mb = 10, .network_mbps = 1, .gpu = 0};

enum Step : std::uint32_t { name_cell, assign_shards, add_hosts, connect_hosts, add_jobs, complete };

/// Without a caller, like what the cell's own actors propose: only what users ask for is audited.
Command command_of(CommandBody body, Fence fence = NoFence{}) {
  Command command;
  command.fence = std::move(fence);
  command.body = std::move(body);
  return command;
}

Fence owner_of(ShardId shard) { return EpochFence{shard, Epoch{1}}; }

DescriptorPtr service_of(std::uint32_t size) {
  JobDescriptor descriptor;
  descriptor.team_email = "bench@example.com";
  descriptor.application_name = "bench";
  descriptor.capacity_group = "DEFAULT";
  descriptor.resources = of_a_task;
  descriptor.image = {"busybox", "latest", ""};
  descriptor.command = {"sleep", "86400"};
  descriptor.attributes = {{"troupe.sim", "run=forever"}};
  descriptor.kind = ServiceSpec{{size, size, size}, true, {}};
  return std::make_shared<const JobDescriptor>(std::move(descriptor));
}

std::optional<Error> refusal(const Outcome& outcome) {
  if (outcome.error) return outcome.error;
  if (outcome.refused.empty()) return std::nullopt;
  return Error{outcome.refused.front().code, outcome.refused.front().message};
}

}  // namespace

TransitionCore::TransitionCore(const TransitionConfig& config) : config_(config), random_(config.seed) {
  TROUPE_CHECK(config.width > 0 && config.slots_per_job % config.width == 0 && config.hosts > 0);
  const std::uint32_t jobs = std::max(1U, (config.tasks + config.slots_per_job - 1) / config.slots_per_job);
  for (std::uint32_t n = 0; n < jobs && config.tasks > 0; ++n) jobs_.push_back(random_.uuid<JobId>());
  tasks_.resize(std::size_t{config.slots_per_job} * jobs_.size());
  units_.resize(tasks_.size() / config.width);
  for (std::size_t unit = 0; unit < units_.size(); ++unit)
    units_[unit].host = static_cast<std::uint32_t>(unit % config.hosts);
}

std::vector<Command> TransitionCore::setup(Term term) {
  switch (step_) {
    case name_cell:
      return bootstrap(term);
    case assign_shards: {
      AssignShards assign;
      for (std::uint16_t n = 0; n < shard_count; ++n)
        assign.moves.push_back({ShardId{n}, Epoch{0}, config_.owner});
      return {command_of(std::move(assign), TermFence{term})};
    }
    case add_hosts:
      return register_hosts();
    case connect_hosts:
      return open_sessions();
    case add_jobs:
      return create_jobs();
    default:
      return {};
  }
}

std::vector<Command> TransitionCore::bootstrap(Term term) const {
  BootstrapCell cell{"troupe", shard_count, {}};
  cell.policy.jobs_max = jobs_.size() + 100'000;
  cell.policy.tasks_max = tasks_.size() + 1'000'000;
  // No agents stand behind the hosts: their tasks must not be declared lost.
  cell.policy.host_lost_after = milliseconds(std::chrono::hours(24 * 365 * 10));
  return {command_of(std::move(cell), TermFence{term})};
}

std::vector<Command> TransitionCore::register_hosts() const {
  const auto per_host = static_cast<std::int64_t>(tasks_.size() / config_.hosts + config_.width + 1);
  std::vector<Command> commands;
  for (std::uint32_t n = 1; n <= config_.hosts; ++n) {
    RegisterHost host;
    host.name = "bench-" + std::to_string(n);
    host.host_group = "bench";
    host.resources = {.cpu_milli = of_a_task.cpu_milli * per_host,
                      .memory_mb = of_a_task.memory_mb * per_host,
                      .disk_mb = of_a_task.disk_mb * per_host,
                      .network_mbps = of_a_task.network_mbps * per_host,
                      .gpu = 0};
    host.drivers = {"sim"};
    commands.push_back(command_of(std::move(host)));
  }
  return commands;
}

std::vector<Command> TransitionCore::open_sessions() {
  std::vector<Command> commands;
  for (Host& host : hosts_) {
    host.session = random_.uuid<SessionId>();
    commands.push_back(command_of(OpenSession{host.id, host.session, config_.owner},
                                  owner_of(shard_of(host.id, shard_count))));
  }
  return commands;
}

std::vector<Command> TransitionCore::create_jobs() {
  const DescriptorPtr descriptor = service_of(config_.slots_per_job);
  std::vector<Command> commands;
  for (const JobId& job : jobs_) commands.push_back(command_of(CreateJob{job, descriptor}));
  return commands;
}

Result<void> TransitionCore::set_up(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    if (const auto refused = refusal(outcome)) return *refused;
    if (step_ != add_hosts) continue;
    Host host;
    const std::string& id = outcome.entity;
    std::from_chars(id.data(), id.data() + id.size(), host.id.value);
    host.eligibility = outcome.index;
    hosts_.push_back(host);
  }
  ++step_;
  if (step_ == add_jobs && jobs_.empty()) ++step_;
  return {};
}

Command TransitionCore::next(std::size_t unit, Term term) {
  switch (units_[unit].phase) {
    case 0:
      return command_of(advance(unit), owner_of(shard_of(job_of(unit), shard_count)));
    case 1:
      return command_of(place(unit), TermFence{term});
    case 2:
      return command_of(report(unit, TaskState::start_initiated));
    case 3:
      return command_of(report(unit, TaskState::started));
    default:
      return command_of(report(unit, TaskState::finished));
  }
}

CommandBody TransitionCore::advance(std::size_t unit) {
  AdvanceSlots body;
  const JobId& job = job_of(unit);
  for (std::size_t slot = unit * config_.width; slot < (unit + 1) * config_.width; ++slot) {
    AdvanceSlots::Item& item = body.items.emplace_back();
    item.job = job;
    item.slot = SlotNumber{static_cast<std::uint32_t>(slot % config_.slots_per_job)};
    item.last = tasks_[slot];
    item.task = tasks_[slot] = random_.task_of(job);
  }
  return body;
}

CommandBody TransitionCore::place(std::size_t unit) const {
  PlaceTasks body;
  const Host& host = hosts_[units_[unit].host];
  for (std::size_t slot = unit * config_.width; slot < (unit + 1) * config_.width; ++slot)
    body.items.push_back({tasks_[slot], units_[unit].version, host.id, host.eligibility});
  return body;
}

CommandBody TransitionCore::report(std::size_t unit, TaskState state) const {
  const Host& host = hosts_[units_[unit].host];
  ReportTasks::Part part{host.id, host.session, {}};
  for (std::size_t slot = unit * config_.width; slot < (unit + 1) * config_.width; ++slot) {
    ReportTasks::Status& status = part.tasks.emplace_back();
    status.task = tasks_[slot];
    status.state = state;
    if (state == TaskState::finished) status.reason = Reason::normal;
  }
  ReportTasks body;
  body.parts.push_back(std::move(part));
  return body;
}

Result<void> TransitionCore::moved(std::size_t unit, const Outcome& outcome) {
  if (const auto refused = refusal(outcome)) return *refused;
  units_[unit].version = outcome.index;
  units_[unit].phase = (units_[unit].phase + 1) % phases;
  return {};
}

}  // namespace troupe::bench
