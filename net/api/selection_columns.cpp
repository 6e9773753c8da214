// The declared fields of each kind, in the order and under the names of the API's answers.

#include "net/api/selection_columns.hpp"

#include <algorithm>

#include "net/api/descriptor.hpp"

namespace troupe::api {
namespace {

using Words = std::vector<std::string_view>;

Words phase_words() {
  Words names;
  for (std::size_t n = 0; n <= static_cast<std::size_t>(max_value(HostPhase{})); ++n)
    names.push_back(phase_text(static_cast<HostPhase>(n)));
  return names;
}

template <class State>
Words state_words() {
  Words names;
  for (std::size_t n = 0; n <= static_cast<std::size_t>(max_value(State{})); ++n)
    names.push_back(state_text(static_cast<State>(n)));
  return names;
}

Words reason_words() {
  Words names;
  for (std::size_t n = 1; n <= static_cast<std::size_t>(max_value(Reason{})); ++n)
    names.push_back(reason_text(static_cast<Reason>(n)));
  return names;
}

// ---- jobs ----
const BatchSpec* batch_of(const JobSubject& s) { return s.record.descriptor->batch(); }
const ServiceSpec* service_of(const JobSubject& s) { return s.record.descriptor->service(); }

/// As the answer has them: what the cell adds itself stands beside the submitter's.
void read_attribute(const JobSubject& s, std::string_view key, Reading& out) {
  if (key == created_by_attribute) return out.text_unless_empty(s.record.caller);
  if (key == call_reason_attribute) return out.text_unless_empty(s.record.call_reason);
  out.entry(s.record.descriptor->attributes, key);
}

Reason reason_now(const JobSubject& s) {
  return s.record.state == JobState::accepted ? Reason::job_submitted : s.record.reason;
}

Instant entered_at(const JobSubject& s) {
  switch (s.record.state) {
    case JobState::accepted:
      return s.record.created;
    case JobState::kill_initiated:
      return s.record.kill_initiated;
    case JobState::finished:
      return s.record.finished;
  }
  return {};
}

constexpr Column<JobSubject> job_columns[] = {
    {"id", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) { out.made_text(to_text(s.record.id)); }},
    {"jobDescriptor.owner.teamEmail", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) { out.text(s.record.descriptor->team_email); }},
    {"jobDescriptor.applicationName", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text(s.record.descriptor->application_name);
     }},
    {"jobDescriptor.capacityGroup", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text(s.record.descriptor->capacity_group);
     }},
    {"jobDescriptor.jobGroupInfo.stack", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) { out.text(s.record.descriptor->group_stack); }},
    {"jobDescriptor.jobGroupInfo.detail", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text(s.record.descriptor->group_detail);
     }},
    {"jobDescriptor.jobGroupInfo.sequence", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text(s.record.descriptor->group_sequence);
     }},
    {"jobDescriptor.attributes", FieldType::map,
     [](const JobSubject& s, std::string_view key, Reading& out) { read_attribute(s, key, out); }},
    {"jobDescriptor.container.resources.cpu", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.descriptor->resources.cpu_milli) / 1000.0);
     }},
    {"jobDescriptor.container.resources.gpu", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.descriptor->resources.gpu));
     }},
    {"jobDescriptor.container.resources.memoryMB", FieldType::megabytes,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.descriptor->resources.memory_mb));
     }},
    {"jobDescriptor.container.resources.diskMB", FieldType::megabytes,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.descriptor->resources.disk_mb));
     }},
    {"jobDescriptor.container.resources.networkMbps", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.descriptor->resources.network_mbps));
     }},
    {"jobDescriptor.container.resources.ports", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.descriptor->resources.ports));
     }},
    {"jobDescriptor.container.image.name", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text_unless_empty(s.record.descriptor->image.name);
     }},
    {"jobDescriptor.container.image.tag", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text_unless_empty(s.record.descriptor->image.tag);
     }},
    {"jobDescriptor.container.image.digest", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text_unless_empty(s.record.descriptor->image.digest);
     }},
    {"jobDescriptor.container.entryPoint", FieldType::list,
     [](const JobSubject& s, std::string_view, Reading& out) { out.list(s.record.descriptor->entry_point); }},
    {"jobDescriptor.container.command", FieldType::list,
     [](const JobSubject& s, std::string_view, Reading& out) { out.list(s.record.descriptor->command); }},
    {"jobDescriptor.container.env", FieldType::map,
     [](const JobSubject& s, std::string_view key, Reading& out) {
       out.entry(s.record.descriptor->env, key);
     }},
    {"jobDescriptor.container.hardConstraints.constraints", FieldType::map,
     [](const JobSubject& s, std::string_view key, Reading& out) {
       out.entry(s.record.descriptor->hard_constraints, key);
     }},
    {"jobDescriptor.container.softConstraints.constraints", FieldType::map,
     [](const JobSubject& s, std::string_view key, Reading& out) {
       out.entry(s.record.descriptor->soft_constraints, key);
     }},
    {"jobDescriptor.batch.size", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (const auto* b = batch_of(s)) out.number(static_cast<double>(b->size));
     }},
    {"jobDescriptor.batch.runtimeLimitSec", FieldType::seconds,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (const auto* b = batch_of(s)) out.number(static_cast<double>(b->runtime_limit.count() / 1000));
     }},
    {"jobDescriptor.batch.retryOnRuntimeLimit", FieldType::flag,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (const auto* b = batch_of(s)) out.flag(b->retry_on_runtime_limit);
     }},
    {"jobDescriptor.service.capacity.min", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (service_of(s)) out.number(static_cast<double>(s.record.capacity.min));
     }},
    {"jobDescriptor.service.capacity.desired", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (service_of(s)) out.number(static_cast<double>(s.record.capacity.desired));
     }},
    {"jobDescriptor.service.capacity.max", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (service_of(s)) out.number(static_cast<double>(s.record.capacity.max));
     }},
    {"jobDescriptor.service.enabled", FieldType::flag,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (const auto* v = service_of(s)) out.flag(v->enabled);
     }},
    {"jobDescriptor.service.serviceJobProcesses.disableIncreaseDesired", FieldType::flag,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (const auto* v = service_of(s)) out.flag(v->processes.disable_increase);
     }},
    {"jobDescriptor.service.serviceJobProcesses.disableDecreaseDesired", FieldType::flag,
     [](const JobSubject& s, std::string_view, Reading& out) {
       if (const auto* v = service_of(s)) out.flag(v->processes.disable_decrease);
     }},
    {"status.state", FieldType::word,
     [](const JobSubject& s, std::string_view, Reading& out) { out.text(state_text(s.record.state)); },
     state_words<JobState>},
    {"status.reasonCode", FieldType::word,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text_unless_empty(reason_text(reason_now(s)));
     },
     reason_words},
    {"status.reasonMessage", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.record.message); }},
    {"status.timestamp", FieldType::time,
     [](const JobSubject& s, std::string_view, Reading& out) { out.time_if_set(entered_at(s)); }},
    {"summary.slots.empty", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.slots[0]));
     }},
    {"summary.slots.running", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.slots[1]));
     }},
    {"summary.slots.ended", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.slots[2]));
     }},
    {"summary.slots.waiting", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.slots[3]));
     }},
    {"summary.slots.done", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.slots[4]));
     }},
    {"summary.slots.failed", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.slots[5]));
     }},
    {"summary.tasks.accepted", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.tasks[0]));
     }},
    {"summary.tasks.launched", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.tasks[1]));
     }},
    {"summary.tasks.startInitiated", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.tasks[2]));
     }},
    {"summary.tasks.started", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.tasks[3]));
     }},
    {"summary.tasks.killInitiated", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.tasks[4]));
     }},
    {"summary.tasks.finished", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.counts.tasks[5]));
     }},
    {"throttled.since", FieldType::time,
     [](const JobSubject& s, std::string_view, Reading& out) { out.time_if_set(s.record.throttled); }},
    {"throttled.reason", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.text_unless_empty(s.record.throttle_reason);
     }},
    {"setAside", FieldType::text,
     [](const JobSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.record.set_aside); }},
    {"version.timestamp", FieldType::time,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.time_if_set(std::max({s.record.created, s.record.kill_initiated, s.record.finished}));
     }},
    {"version.index", FieldType::number,
     [](const JobSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.version.value));
     }},
};

}  // namespace

std::span<const Column<JobSubject>> columns_of(const JobSubject*) { return job_columns; }

namespace {

// ---- tasks ----
constexpr Column<TaskSubject> task_columns[] = {
    {"id", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.made_text(to_text(s.record.id)); }},
    {"jobId", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.made_text(to_text(s.record.job)); }},
    {"taskContext.task.index", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.slot.value));
     }},
    {"taskContext.task.originalId", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.made_text(to_text(s.record.original)); }},
    {"taskContext.task.resubmitOf", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       if (!s.record.resubmit_of.is_nil()) out.made_text(to_text(s.record.resubmit_of));
     }},
    {"taskContext.task.resubmitNumber", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.resubmits));
     }},
    {"taskContext.task.systemResubmitNumber", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.system_resubmits));
     }},
    {"taskContext.task.evictionResubmitNumber", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.eviction_resubmits));
     }},
    {"taskContext.task.tier", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.place.tier); }},
    {"taskContext.agent.host", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.place.host); }},
    {"taskContext.agent.instanceId", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       if (s.record.host.value != 0) out.number(static_cast<double>(s.record.host.value));
     }},
    {"taskContext.agent.zone", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.place.zone); }},
    {"taskContext.titus.cell", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.place.cell); }},
    {"status.state", FieldType::word,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.text(state_text(s.record.state)); },
     state_words<TaskState>},
    {"status.reasonCode", FieldType::word,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.text_unless_empty(reason_text(s.record.step(s.record.state).reason));
     },
     reason_words},
    {"status.reasonMessage", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.record.message); }},
    {"status.timestamp", FieldType::time,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.time_if_set(s.record.step(s.record.state).at);
     }},
    {"status.exitCode", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       if (s.record.state == TaskState::finished) out.number(static_cast<double>(s.record.exit_code));
     }},
    {"status.signal", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       if (s.record.state == TaskState::finished) out.number(static_cast<double>(s.record.signal));
     }},
    {"attributes", FieldType::map,
     [](const TaskSubject& s, std::string_view key, Reading& out) {
       out.entry(s.record.attributes.map(), key);
     }},
    {"migrationDetails.needsMigration", FieldType::flag,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       if (s.place.needs_migration) out.flag(true);
     }},
    {"setAside", FieldType::text,
     [](const TaskSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.record.set_aside); }},
    {"version.timestamp", FieldType::time,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.time_if_set(s.record.step(s.record.state).at);
     }},
    {"version.index", FieldType::number,
     [](const TaskSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.version.value));
     }},
};

// ---- hosts ----
constexpr Column<HostSubject> host_columns[] = {
    {"id", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.id.value));
     }},
    {"name", FieldType::text,
     [](const HostSubject& s, std::string_view, Reading& out) { out.text(s.record.name); }},
    {"hostGroup", FieldType::text,
     [](const HostSubject& s, std::string_view, Reading& out) { out.text(s.record.host_group); }},
    {"phase", FieldType::word,
     [](const HostSubject& s, std::string_view, Reading& out) { out.text(phase_text(s.record.phase)); },
     phase_words},
    {"connected", FieldType::flag,
     [](const HostSubject& s, std::string_view, Reading& out) { out.flag(s.record.is_connected()); }},
    {"node", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       if (s.record.is_connected()) out.number(static_cast<double>(s.record.session_node.value));
     }},
    {"resources.cpu", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.resources.cpu_milli) / 1000.0);
     }},
    {"resources.gpu", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.resources.gpu));
     }},
    {"resources.memoryMB", FieldType::megabytes,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.resources.memory_mb));
     }},
    {"resources.diskMB", FieldType::megabytes,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.resources.disk_mb));
     }},
    {"resources.networkMbps", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.resources.network_mbps));
     }},
    {"resources.ports", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.resources.ports));
     }},
    {"attributes", FieldType::map,
     [](const HostSubject& s, std::string_view key, Reading& out) { out.entry(s.record.attributes, key); }},
    {"drivers", FieldType::list,
     [](const HostSubject& s, std::string_view, Reading& out) { out.list(s.record.drivers); }},
    {"registered", FieldType::time,
     [](const HostSubject& s, std::string_view, Reading& out) { out.time_if_set(s.record.registered); }},
    {"connectedAt", FieldType::time,
     [](const HostSubject& s, std::string_view, Reading& out) { out.time_if_set(s.record.connected); }},
    {"disconnectedAt", FieldType::time,
     [](const HostSubject& s, std::string_view, Reading& out) { out.time_if_set(s.record.disconnected); }},
    {"setAside", FieldType::text,
     [](const HostSubject& s, std::string_view, Reading& out) { out.text_unless_empty(s.record.set_aside); }},
    {"version.timestamp", FieldType::time,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.time_if_set(std::max({s.record.registered, s.record.connected, s.record.disconnected}));
     }},
    {"version.index", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.record.version.value));
     }},
    {"used.cpu", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.used.cpu_milli) / 1000.0);
     }},
    {"used.gpu", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.used.gpu));
     }},
    {"used.memoryMB", FieldType::megabytes,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.used.memory_mb));
     }},
    {"used.diskMB", FieldType::megabytes,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.used.disk_mb));
     }},
    {"used.networkMbps", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.used.network_mbps));
     }},
    {"used.ports", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.used.ports));
     }},
    {"taskCount", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) { out.number(static_cast<double>(s.tasks)); }},
    {"launches.underWay", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.launches.under_way));
     }},
    {"launches.failures", FieldType::number,
     [](const HostSubject& s, std::string_view, Reading& out) {
       out.number(static_cast<double>(s.launches.record.failures));
     }},
    {"launches.restsUntil", FieldType::time,
     [](const HostSubject& s, std::string_view, Reading& out) { out.time_if_set(s.launches.rests_until); }},
    {"paused.since", FieldType::time,
     [](const HostSubject& s, std::string_view, Reading& out) {
       if (s.pause != nullptr) out.time_if_set(s.pause->since);
     }},
    {"paused.by", FieldType::text,
     [](const HostSubject& s, std::string_view, Reading& out) {
       if (s.pause != nullptr) out.text_unless_empty(s.pause->by);
     }},
    {"paused.reason", FieldType::text,
     [](const HostSubject& s, std::string_view, Reading& out) {
       if (s.pause != nullptr) out.text_unless_empty(s.pause->reason);
     }},
};

}  // namespace

std::span<const Column<TaskSubject>> columns_of(const TaskSubject*) { return task_columns; }
std::span<const Column<HostSubject>> columns_of(const HostSubject*) { return host_columns; }

}  // namespace troupe::api
