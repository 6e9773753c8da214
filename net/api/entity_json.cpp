#include "net/api/entity_json.hpp"

#include <algorithm>

#include "net/api/descriptor.hpp"
#include "net/api/members.hpp"
#include "net/api/policy.hpp"
#include "net/api/resources_json.hpp"

namespace troupe::api {
namespace {

constexpr std::size_t slot_state_count = 6;
constexpr std::array<std::string_view, slot_state_count> slot_names{"empty",   "running", "ended",
                                                                    "waiting", "done",    "failed"};
constexpr std::array<std::string_view, task_state_count> task_names{
    "accepted", "launched", "startInitiated", "started", "killInitiated", "finished"};

void version_json(json::Writer& writer, Instant changed, Index version) {
  writer.key("version");
  writer.begin_object();
  time_json(writer, "timestamp", changed);
  text_json(writer, "index", to_text(version));
  writer.end_object();
}

/// The members of a status, without its brackets.
void status_members(json::Writer& writer, std::string_view state, Reason reason, std::string_view message,
                    Instant at) {
  text_json(writer, "state", state);
  text_unless_empty(writer, "reasonCode", reason_text(reason));
  text_unless_empty(writer, "reasonMessage", message);
  time_json(writer, "timestamp", at);
}

Instant entered(const JobRecord& job, JobState state) {
  switch (state) {
    case JobState::accepted:
      return job.created;
    case JobState::kill_initiated:
      return job.kill_initiated;
    case JobState::finished:
      return job.finished;
  }
  return {};
}

Reason reason_of(const JobRecord& job, JobState state) {
  return state == JobState::accepted ? Reason::job_submitted : job.reason;
}

void job_status_json(json::Writer& writer, const JobRecord& job) {
  writer.key("status");
  writer.begin_object();
  status_members(writer, state_text(job.state), reason_of(job, job.state), job.message,
                 entered(job, job.state));
  writer.end_object();
  writer.key("statusHistory");
  writer.begin_array();
  for (const auto state : {JobState::accepted, JobState::kill_initiated}) {
    if (state >= job.state || !entered(job, state).is_set()) continue;
    writer.begin_object();
    status_members(writer, state_text(state), reason_of(job, state), {}, entered(job, state));
    writer.end_object();
  }
  writer.end_array();
}

void summary_json(json::Writer& writer, const JobCounts& counts) {
  writer.key("summary");
  writer.begin_object();
  writer.key("slots");
  writer.begin_object();
  for (std::size_t i = 0; i < slot_state_count; ++i) number_json(writer, slot_names[i], counts.slots[i]);
  writer.end_object();
  writer.key("tasks");
  writer.begin_object();
  for (std::size_t i = 0; i < task_state_count; ++i) number_json(writer, task_names[i], counts.tasks[i]);
  writer.end_object();
  writer.end_object();
}

void task_context_json(json::Writer& writer, const TaskRecord& task, const TaskPlace& place) {
  writer.key("taskContext");
  writer.begin_object();
  text_json(writer, "task.index", to_text(task.slot));
  text_json(writer, "task.originalId", to_text(task.original));
  if (!task.resubmit_of.is_nil()) text_json(writer, "task.resubmitOf", to_text(task.resubmit_of));
  text_json(writer, "task.resubmitNumber", std::to_string(task.resubmits));
  text_json(writer, "task.systemResubmitNumber", std::to_string(task.system_resubmits));
  text_json(writer, "task.evictionResubmitNumber", std::to_string(task.eviction_resubmits));
  text_unless_empty(writer, "task.movedFromJob", task.moved_from);
  text_unless_empty(writer, "task.tier", place.tier);
  text_unless_empty(writer, "agent.host", place.host);
  if (task.host.value != 0) text_json(writer, "agent.instanceId", to_text(task.host));
  text_unless_empty(writer, "agent.zone", place.zone);
  text_unless_empty(writer, "titus.cell", place.cell);
  writer.end_object();
}

void task_status_json(json::Writer& writer, const TaskRecord& task) {
  const Step now = task.step(task.state);
  writer.key("status");
  writer.begin_object();
  status_members(writer, state_text(task.state), now.reason, task.message, now.at);
  if (task.state == TaskState::finished) {
    writer.key("exitCode");
    writer.integer(task.exit_code);
    writer.key("signal");
    writer.integer(task.signal);
  }
  writer.end_object();
  writer.key("statusHistory");
  writer.begin_array();
  for (std::size_t i = 0; i < static_cast<std::size_t>(task.state); ++i) {
    const auto state = static_cast<TaskState>(i);
    const Step step = task.step(state);
    if (!step.at.is_set()) continue;
    writer.begin_object();
    status_members(writer, state_text(state), step.reason, {}, step.at);
    writer.end_object();
  }
  writer.end_array();
}

void log_location_json(json::Writer& writer, const TaskId& task) {
  const std::string logs = "/api/v3/tasks/" + to_text(task) + "/logs";
  writer.key("logLocation");
  writer.begin_object();
  writer.key("ui");
  writer.begin_object();
  text_json(writer, "url", logs);
  writer.end_object();
  writer.key("liveStream");
  writer.begin_object();
  text_json(writer, "url", logs + "?stream=stdout&follow=true");
  writer.end_object();
  writer.end_object();
}

void host_members(json::Writer& writer, const HostRecord& host) {
  number_json(writer, "id", host.id.value);
  text_json(writer, "name", host.name);
  text_json(writer, "hostGroup", host.host_group);
  text_json(writer, "phase", phase_text(host.phase));
  writer.key("connected");
  writer.boolean(host.is_connected());
  if (host.is_connected()) number_json(writer, "node", host.session_node.value);
  writer.key("resources");
  resources_json(writer, host.resources);
  writer.key("attributes");
  json::write_value(writer, host.attributes);
  writer.key("drivers");
  json::write_value(writer, host.drivers);
  time_json(writer, "registered", host.registered);
  time_unless_unset(writer, "connectedAt", host.connected);
  time_unless_unset(writer, "disconnectedAt", host.disconnected);
  text_unless_empty(writer, "setAside", host.set_aside);
  version_json(writer, std::max({host.registered, host.connected, host.disconnected}), host.version);
}

void host_use(json::Writer& writer, const Resources& used, std::size_t tasks, const LaunchStanding& launches,
              const std::optional<PauseRecord>& pause) {
  pause_json(writer, pause);
  writer.key("used");
  resources_json(writer, used);
  number_json(writer, "taskCount", tasks);
  writer.key("launches");
  writer.begin_object();
  number_json(writer, "underWay", launches.under_way);
  number_json(writer, "failures", launches.record.failures);
  time_unless_unset(writer, "restsUntil", launches.rests_until);
  writer.end_object();
}

void throttle_json(json::Writer& writer, const JobRecord& job) {
  if (!job.throttled.is_set()) return;
  writer.key("throttled");
  writer.begin_object();
  time_json(writer, "since", job.throttled);
  text_json(writer, "reason", job.throttle_reason);
  writer.end_object();
}

void refusal_json(json::Writer& writer, const PlacementRefusal& refusal) {
  writer.begin_object();
  text_json(writer, "reason", refusal.reason);
  number_json(writer, "failureCount", refusal.hosts);
  writer.key("agentIdSamples");
  json::write_value(writer, refusal.samples);
  writer.end_object();
}

}  // namespace

void pause_json(json::Writer& writer, const std::optional<PauseRecord>& pause) {
  if (!pause) return;
  writer.key("paused");
  writer.begin_object();
  time_json(writer, "since", pause->since);
  text_json(writer, "by", pause->by);
  text_json(writer, "reason", pause->reason);
  writer.end_object();
}

void job_json(json::Writer& writer, const JobRecord& job, const JobCounts* counts) {
  writer.begin_object();
  text_json(writer, "id", to_text(job.id));
  if (job.descriptor) {
    writer.key("jobDescriptor");
    descriptor_json(writer, *job.descriptor, {job.caller, job.call_reason}, &job.capacity);
  }
  job_status_json(writer, job);
  if (counts) summary_json(writer, *counts);
  throttle_json(writer, job);
  text_unless_empty(writer, "setAside", job.set_aside);
  version_json(writer, std::max({job.created, job.kill_initiated, job.finished}), job.version);
  writer.end_object();
}

void task_json(json::Writer& writer, const TaskRecord& task, const TaskPlace& place) {
  writer.begin_object();
  text_json(writer, "id", to_text(task.id));
  text_json(writer, "jobId", to_text(task.job));
  task_context_json(writer, task, place);
  task_status_json(writer, task);
  log_location_json(writer, task.id);
  writer.key("attributes");
  json::write_value(writer, task.attributes.map());
  if (!task.ports.empty()) {
    writer.key("ports");
    json::write_value(writer, task.ports.values());
  }
  if (place.needs_migration) {
    writer.key("migrationDetails");
    writer.begin_object();
    writer.key("needsMigration");
    writer.boolean(true);
    writer.end_object();
  }
  text_unless_empty(writer, "setAside", task.set_aside);
  version_json(writer, task.step(task.state).at, task.version);
  writer.end_object();
}

void host_json(json::Writer& writer, const HostView& host) {
  writer.begin_object();
  host_members(writer, host.record);
  host_use(writer, host.used, host.tasks.size(), host.launches, host.pause);
  writer.key("tasks");
  json::write_value(writer, host.tasks);
  writer.end_object();
}

void host_json(json::Writer& writer, const HostRecord& host, const Resources& used, std::size_t tasks,
               const LaunchStanding& launches, const std::optional<PauseRecord>& pause) {
  writer.begin_object();
  host_members(writer, host);
  host_use(writer, used, tasks, launches, pause);
  writer.end_object();
}

void group_json(json::Writer& writer, const GroupRecord& group) {
  writer.begin_object();
  text_json(writer, "appName", group.name);
  text_json(writer, "tier", tier_text(group.tier));
  writer.key("instanceCPU");
  writer.real(static_cast<double>(group.instance.cpu_milli) / 1000.0);
  amount_json(writer, "instanceMemoryMB", group.instance.memory_mb);
  amount_json(writer, "instanceDiskMB", group.instance.disk_mb);
  amount_json(writer, "instanceNetworkMbs", group.instance.network_mbps);
  amount_json(writer, "instanceGPU", group.instance.gpu);
  if (group.instance.ports != 0) amount_json(writer, "instancePorts", group.instance.ports);
  amount_json(writer, "instanceCount", group.instance_count);
  number_json(writer, "tasksMax", group.tasks_max);
  number_json(writer, "jobsMax", group.jobs_max);
  number_json(writer, "launchBurst", group.launch_burst);
  number_json(writer, "launchesPerMinute", group.launches_per_minute);
  number_json(writer, "launchesMax", group.launches_max);
  writer.end_object();
}

void cell_json(json::Writer& writer, const CellRecord& cell, const CellStatus& status) {
  writer.begin_object();
  text_json(writer, "name", cell.name);
  writer.key("ready");
  writer.boolean(status.is_ready);
  text_json(writer, "build", status.build);
  number_json(writer, "node", status.node.value);
  number_json(writer, "leader", status.leader.value);
  writer.key("members");
  json::write_value(writer, status.members);
  text_json(writer, "term", to_text(status.term));
  text_json(writer, "commit", to_text(status.commit));
  text_json(writer, "applied", to_text(status.applied));
  time_json(writer, "stateTime", cell.now);
  number_json(writer, "shards", cell.shard_count);
  number_json(writer, "level", cell.level);
  number_json(writer, "jobs", status.jobs);
  number_json(writer, "tasks", status.tasks);
  number_json(writer, "hosts", status.hosts);
  number_json(writer, "hostsConnected", status.hosts_connected);
  number_json(writer, "tasksWaiting", status.tasks_waiting);
  number_json(writer, "jobsThrottled", status.jobs_throttled);
  number_json(writer, "requestsRemembered", status.requests);
  number_json(writer, "setAside", status.set_aside);
  text_unless_empty(writer, "readOnly", status.read_only);
  pause_json(writer, status.pause);
  writer.key("policy");
  policy_json(writer, cell.policy);
  writer.end_object();
}

void placement_json(json::Writer& writer, const TaskRecord& task, std::string_view host,
                    std::span<const PlacementRefusal> refusals) {
  writer.begin_object();
  text_json(writer, "taskId", to_text(task.id));
  if (task.is_placed()) {
    writer.key("success");
    writer.begin_object();
    text_json(writer, "message", "placed on " + std::string(host.empty() ? to_text(task.host) : host));
    writer.end_object();
  } else {
    writer.key("failures");
    writer.begin_object();
    writer.key("failures");
    writer.begin_array();
    for (const auto& refusal : refusals) refusal_json(writer, refusal);
    writer.end_array();
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace troupe::api
