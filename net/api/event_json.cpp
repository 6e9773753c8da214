#include "net/api/event_json.hpp"

#include <charconv>

#include "net/api/members.hpp"

namespace troupe::api {
namespace {

bool concerns_job_state(EventKind kind) {
  return kind == EventKind::job_created || kind == EventKind::job_changed || kind == EventKind::job_archived;
}
bool concerns_task(EventKind kind) {
  return kind == EventKind::task_created || kind == EventKind::task_changed ||
         kind == EventKind::task_archived || kind == EventKind::task_moved;
}

void head_json(json::Writer& writer, EventId id, std::string_view kind, Instant at) {
  text_json(writer, "id", event_id_text(id));
  text_json(writer, "kind", kind);
  time_json(writer, "timestamp", at);
}

void task_members(json::Writer& writer, const Event& event) {
  text_json(writer, "taskId", to_text(event.task));
  number_json(writer, "slot", event.slot.value);
  text_json(writer, "taskState", state_text(event.task_state));
  if (event.kind != EventKind::task_created)
    text_json(writer, "taskStateBefore", state_text(event.task_before));
  if (event.kind != EventKind::task_moved) return;
  writer.key("movedFromAnotherJob");
  writer.boolean(true);
  text_json(writer, "movedFromJobId", to_text(event.moved_from));
}

void shard_members(json::Writer& writer, const Event& event) {
  number_json(writer, "shard", event.shard.value);
  number_json(writer, "nodeId", event.node.value);
  text_json(writer, "epoch", to_text(event.epoch));
}

template <class T>
bool take_number(std::string_view text, T& out) {
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, out);
  return !text.empty() && fault == std::errc{} && stop == end;
}

}  // namespace

std::string_view event_name(EventKind kind) {
  switch (kind) {
    case EventKind::job_created:
      return "jobCreated";
    case EventKind::job_changed:
      return "jobChanged";
    case EventKind::job_archived:
      return "jobArchived";
    case EventKind::slot_changed:
      return "slotChanged";
    case EventKind::task_created:
      return "taskCreated";
    case EventKind::task_changed:
      return "taskChanged";
    case EventKind::task_archived:
      return "taskArchived";
    case EventKind::host_changed:
      return "hostChanged";
    case EventKind::shard_assigned:
      return "shardAssigned";
    case EventKind::group_changed:
      return "groupChanged";
    case EventKind::cell_changed:
      return "cellChanged";
    case EventKind::task_moved:
      return "taskMoved";
  }
  return {};
}

std::string event_id_text(EventId id) { return to_text(id.index) + '.' + std::to_string(id.ordinal); }

Result<EventId> parse_event_id(std::string_view text) {
  EventId id;
  const auto dot = text.find('.');
  if (dot != std::string_view::npos && take_number(text.substr(0, dot), id.index.value) &&
      take_number(text.substr(dot + 1), id.ordinal))
    return id;
  return Error{ErrorCode::invalid_argument, "an event id is index.ordinal, such as 1042.3"};
}

void event_json(json::Writer& writer, const Event& event, const EventEntity& entity) {
  writer.begin_object();
  head_json(writer, event.id, event_name(event.kind), event.at);
  if (!event.job.is_nil()) text_json(writer, "jobId", to_text(event.job));
  if (concerns_job_state(event.kind)) text_json(writer, "jobState", state_text(event.job_state));
  if (concerns_task(event.kind)) task_members(writer, event);
  if (event.kind == EventKind::slot_changed) number_json(writer, "slot", event.slot.value);
  text_unless_empty(writer, "reasonCode", reason_text(event.reason));
  if (event.host.value != 0) number_json(writer, "hostId", event.host.value);
  if (event.kind == EventKind::shard_assigned) shard_members(writer, event);
  if (entity.job) {
    writer.key("job");
    job_json(writer, *entity.job, entity.counts);
  }
  if (entity.task) {
    writer.key("task");
    task_json(writer, *entity.task, entity.place);
  }
  writer.end_object();
}

void job_snapshot_json(json::Writer& writer, EventId at, const JobRecord& job, const JobCounts* counts) {
  writer.begin_object();
  head_json(writer, at, job_snapshot_name, job.created);
  text_json(writer, "jobId", to_text(job.id));
  text_json(writer, "jobState", state_text(job.state));
  writer.key("job");
  job_json(writer, job, counts);
  writer.end_object();
}

void task_snapshot_json(json::Writer& writer, EventId at, const TaskRecord& task, const TaskPlace& place) {
  writer.begin_object();
  head_json(writer, at, task_snapshot_name, task.step(task.state).at);
  text_json(writer, "jobId", to_text(task.job));
  text_json(writer, "taskId", to_text(task.id));
  number_json(writer, "slot", task.slot.value);
  text_json(writer, "taskState", state_text(task.state));
  writer.key("task");
  task_json(writer, task, place);
  writer.end_object();
}

void snapshot_end_json(json::Writer& writer, EventId at, Instant now) {
  writer.begin_object();
  head_json(writer, at, snapshot_end_name, now);
  writer.end_object();
}

void cut_off_json(json::Writer& writer, EventId at, Instant now, std::string_view reason) {
  writer.begin_object();
  head_json(writer, at, cut_off_name, now);
  text_json(writer, "reason", reason);
  writer.end_object();
}

std::string sse_frame(std::string_view name, EventId id, std::string_view data) {
  std::string frame = "id: " + event_id_text(id) + "\nevent: ";
  frame.append(name).append("\ndata: ").append(data).append("\n\n");
  return frame;
}

}  // namespace troupe::api
