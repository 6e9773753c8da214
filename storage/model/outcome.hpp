#pragma once
// What applying a command made true, told to its proposer and to everybody who follows the state.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/command.hpp"

namespace troupe {

/// Position of an event: the same on every node, so that a stream resumes elsewhere.
struct EventId {
  Index index;
  std::uint32_t ordinal = 0;
  friend auto operator<=>(const EventId&, const EventId&) = default;
};

enum class EventKind : std::uint8_t {
  job_created,
  job_changed,   ///< state, capacity or quarantine
  job_archived,  ///< finished, and moved out of the current tables
  slot_changed,  ///< ended, waiting or closed: its job may have something to do
  task_created,
  task_changed,
  task_archived,  ///< finished, and moved out of the current tables
  host_changed,
  shard_assigned,
  group_changed,
  cell_changed,
  task_moved,  ///< to another job: it runs on
};
std::string_view kind_text(EventKind kind);

/// One fact. Which members are set follows from the kind.
struct Event {
  EventId id;
  EventKind kind = EventKind::cell_changed;
  Instant at;
  JobId job;
  TaskId task;
  HostId host;
  ShardId shard;  ///< of the entity, or the one assigned
  NodeId node;    ///< shard_assigned: the owner
  Epoch epoch;    ///< shard_assigned
  JobState job_state = JobState::accepted;
  TaskState task_state = TaskState::accepted;
  TaskState task_before = TaskState::accepted;  ///< task_changed, task_archived
  SlotNumber slot;
  Reason reason = Reason::none;
  DescriptorPtr descriptor;  ///< of the job, with job_created and all task events
  JobId moved_from;          ///< task_moved: `job` is whose it is now
  EntityRef entity() const;  ///< whose actor it concerns first
};

/// Why one item of a batch was not applied; the others were.
struct ItemRefusal {
  std::uint32_t item = 0;  ///< its position in the body
  ErrorCode code = ErrorCode::precondition_failed;
  std::string message;
};

struct Outcome {
  ProposalId proposal;
  Index index;
  std::optional<Error> error;        ///< the whole command was refused
  std::vector<ItemRefusal> refused;  ///< of a batch that was taken
  std::string entity;                ///< id of what was made: job id, host number
  bool repeated = false;             ///< answered from the request table
};

/// What one call of apply did.
struct Applied {
  Index index;  ///< the last entry applied
  Term term;
  Instant now;  ///< state time
  std::vector<Event> events;
  std::vector<Outcome> outcomes;
};
using AppliedPtr = std::shared_ptr<const Applied>;

}  // namespace troupe
