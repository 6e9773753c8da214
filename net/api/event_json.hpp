#pragma once
// The stream of events: server-sent events whose data is one flat JSON object.
//
// A stream is a snapshot (jobSnapshot..., taskSnapshot..., snapshotEnd) and then what happens (jobCreated,
// taskChanged,
// ...). The frame's id is "index.ordinal"; a client that comes back with it as Last-Event-ID goes on after
// it.

#include <optional>
#include <string>
#include <string_view>

#include "net/api/entity_json.hpp"
#include "storage/model/outcome.hpp"

namespace troupe::api {

/// "jobCreated", "taskChanged", ...: the frame's `event:` and the object's `kind`.
std::string_view event_name(EventKind kind);
constexpr std::string_view job_snapshot_name = "jobSnapshot";
constexpr std::string_view task_snapshot_name = "taskSnapshot";
constexpr std::string_view snapshot_end_name = "snapshotEnd";
constexpr std::string_view cut_off_name = "cutOff";

std::string event_id_text(EventId id);                  ///< "1042.3"
Result<EventId> parse_event_id(std::string_view text);  ///< errors: invalid_argument

/// The entity as it is now, to stand whole beside the fact; may be newer than the fact. Null: left out.
struct EventEntity {
  const JobRecord* job = nullptr;
  const JobCounts* counts = nullptr;
  const TaskRecord* task = nullptr;
  TaskPlace place{};
};
/// {id, kind, timestamp, jobId?, jobState?, taskId?, slot?, taskState?, taskStateBefore?,
/// movedFromAnotherJob?, movedFromJobId?, reasonCode?, hostId?, nodeId?, shard?, epoch?, job?, task?}. A
/// client that only wants to know "what is over" needs nothing but this line.
void event_json(json::Writer& writer, const Event& event, const EventEntity& entity = {});
/// One frame of a snapshot at `at`: {id, kind, timestamp, jobId, jobState, job} or the same of a task.
void job_snapshot_json(json::Writer& writer, EventId at, const JobRecord& job,
                       const JobCounts* counts = nullptr);
void task_snapshot_json(json::Writer& writer, EventId at, const TaskRecord& task,
                        const TaskPlace& place = {});
void snapshot_end_json(json::Writer& writer, EventId at, Instant now);
/// The last frame of a stream that is cut: {id, kind, timestamp, reason}. It has no id of its own to resume
/// from.
void cut_off_json(json::Writer& writer, EventId at, Instant now, std::string_view reason);

/// "id: ...\nevent: ...\ndata: ...\n\n". The data must be compact JSON (no line break).
std::string sse_frame(std::string_view name, EventId id, std::string_view data);
/// A comment that keeps an idle stream open and tells a dead client.
constexpr std::string_view sse_keep_alive = ": keep-alive\n\n";

}  // namespace troupe::api
