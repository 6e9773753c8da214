#pragma once
// Commands: what is proposed to the log. Numbered for ever; a body only grows at its end. Each may cover many
// entities, because what costs is the message, not the task. `command_table.hpp` says, for each, who may
// propose it, what it presupposes and why applying it twice is harmless.

#include <string>
#include <variant>
#include <vector>

#include "storage/base/msgpack.hpp"
#include "storage/model/records.hpp"

namespace troupe {

// ---- fences: a command is refused when what its proposer stood on is no longer so ----
struct NoFence {
  static constexpr auto fields() { return field_list(); }
  friend bool operator==(const NoFence&, const NoFence&) = default;
};
/// Proposed by the leader of this term, for itself; never forwarded.
struct TermFence {
  Term term;
  static constexpr auto fields() { return field_list(field("term", &TermFence::term)); }
  friend bool operator==(const TermFence&, const TermFence&) = default;
};
/// Proposed by the owner of a shard.
struct EpochFence {
  ShardId shard;
  Epoch epoch;
  static constexpr auto fields() {
    return field_list(field("shard", &EpochFence::shard), field("epoch", &EpochFence::epoch));
  }
  friend bool operator==(const EpochFence&, const EpochFence&) = default;
};
using Fence = std::variant<NoFence, TermFence, EpochFence>;

// ---- bodies ----
/// 1. Makes an empty log a cell.
struct BootstrapCell {
  std::string name;
  std::uint16_t shard_count = 64;
  CellPolicy policy;
  static constexpr auto fields() {
    return field_list(field("name", &BootstrapCell::name), field("shard_count", &BootstrapCell::shard_count),
                      field("policy", &BootstrapCell::policy));
  }
};
/// 2. Once every member's build knows the level, see feature_level.hpp.
struct RaiseLevel {
  std::uint32_t level = 0;
  static constexpr auto fields() { return field_list(field("level", &RaiseLevel::level)); }
};
/// 3. Moves shards; each move starts a new epoch.
struct AssignShards {
  struct Move {
    ShardId shard;
    Epoch expected;  ///< the epoch that the mover saw
    NodeId owner;
    static constexpr auto fields() {
      return field_list(field("shard", &Move::shard), field("expected", &Move::expected),
                        field("owner", &Move::owner));
    }
  };
  std::vector<Move> moves;
  static constexpr auto fields() { return field_list(field("moves", &AssignShards::moves)); }
};
/// A task that is to be ended so that another one has room.
struct Victim {
  TaskId task;
  Index version;  ///< still as its chooser saw it
  static constexpr auto fields() {
    return field_list(field("task", &Victim::task), field("version", &Victim::version));
  }
  friend bool operator==(const Victim&, const Victim&) = default;
};
/// Where a plan puts one task of a job that is made or grows.
struct PlannedPlace {
  SlotNumber slot;
  TaskId last;  ///< the slot's task as the plan saw it; nil: it never had one
  TaskId task;  ///< the new one
  HostId host;
  Index eligibility;
  std::vector<Victim> victims;  ///< not empty: the task waits until these have ended
  static constexpr auto fields() {
    using P = PlannedPlace;
    return field_list(field("slot", &P::slot), field("last", &P::last), field("task", &P::task),
                      field("host", &P::host), field("eligibility", &P::eligibility),
                      field("victims", &P::victims));
  }
  friend bool operator==(const PlannedPlace&, const PlannedPlace&) = default;
};
inline constexpr std::size_t planned_places_max = 1'000;

/// 4. A user's new job. With places it is made only if all of them hold.
struct CreateJob {
  JobId job;
  DescriptorPtr descriptor;
  std::vector<PlannedPlace> places{};
  static constexpr std::size_t fields_at_first = 2;
  static constexpr auto fields() {
    return field_list(field("job", &CreateJob::job), field("descriptor", &CreateJob::descriptor),
                      field("places", &CreateJob::places));
  }
};
/// 5. Starts the end of a job.
struct KillJob {
  JobId job;
  static constexpr auto fields() { return field_list(field("job", &KillJob::job)); }
};
/// 6. A service's new size; what is not given stays (desired is clamped into a new [min, max]). With places
/// it is taken only if all of them hold.
struct ResizeJob {
  JobId job;
  std::optional<std::uint32_t> min, desired, max;
  std::vector<PlannedPlace> places{};
  static constexpr std::size_t fields_at_first = 4;
  static constexpr auto fields() {
    return field_list(field("job", &ResizeJob::job), field("min", &ResizeJob::min),
                      field("desired", &ResizeJob::desired), field("max", &ResizeJob::max),
                      field("places", &ResizeJob::places));
  }
};
/// 7. The job actors' decisions about slots, all of one shard.
struct AdvanceSlots {
  struct Item {
    JobId job;
    SlotNumber slot;
    TaskId last;  ///< the slot's task as the decider saw it; nil for an empty slot
    SlotState to =
        SlotState::running;  ///< running: start `task`; waiting: until retry_at; done, failed: closed
    TaskId task;             ///< running
    Instant retry_at;        ///< waiting
    milliseconds delay{0};   ///< waiting: the delay behind retry_at, from which the next one grows
    static constexpr auto fields() {
      return field_list(field("job", &Item::job), field("slot", &Item::slot), field("last", &Item::last),
                        field("to", &Item::to), field("task", &Item::task),
                        field("retry_at", &Item::retry_at), field("delay", &Item::delay));
    }
  };
  std::vector<Item> items;
  static constexpr auto fields() { return field_list(field("items", &AdvanceSlots::items)); }
};
/// 8. Jobs with nothing left to do, all of one shard.
struct FinishJobs {
  struct Item {
    JobId job;
    Reason reason = Reason::normal;
    std::string message;
    static constexpr auto fields() {
      return field_list(field("job", &Item::job), field("reason", &Item::reason),
                        field("message", &Item::message));
    }
  };
  std::vector<Item> items;
  static constexpr auto fields() { return field_list(field("items", &FinishJobs::items)); }
};
/// 9. The scheduler's plan.
struct PlaceTasks {
  struct Item {
    TaskId task;
    Index task_version;  ///< still as the scheduler saw it
    HostId host;
    Index eligibility;  ///< likewise
    static constexpr auto fields() {
      return field_list(field("task", &Item::task), field("task_version", &Item::task_version),
                        field("host", &Item::host), field("eligibility", &Item::eligibility));
    }
    friend bool operator==(const Item&, const Item&) = default;
  };
  std::vector<Item> items;
  /// The first items, in runs of these lengths: each run is placed whole or not at all.
  std::vector<std::uint32_t> together{};
  static constexpr std::size_t fields_at_first = 1;
  static constexpr auto fields() {
    return field_list(field("items", &PlaceTasks::items), field("together", &PlaceTasks::together));
  }
};
/// 10. What hosts say of their tasks, of many hosts at once. Each host's part is fenced by its session.
struct ReportTasks {
  struct Status {
    TaskId task;
    TaskState state = TaskState::started;  ///< start_initiated, started or finished
    Reason reason = Reason::none;          ///< of finished
    std::int32_t exit_code = 0;
    std::int32_t signal = 0;
    std::string message;
    static constexpr auto fields() {
      return field_list(field("task", &Status::task), field("state", &Status::state),
                        field("reason", &Status::reason), field("exit_code", &Status::exit_code),
                        field("signal", &Status::signal), field("message", &Status::message));
    }
  };
  struct Part {
    HostId host;
    SessionId session;
    std::vector<Status> tasks;
    static constexpr auto fields() {
      return field_list(field("host", &Part::host), field("session", &Part::session),
                        field("tasks", &Part::tasks));
    }
  };
  std::vector<Part> parts;
  static constexpr auto fields() { return field_list(field("parts", &ReportTasks::parts)); }
};
/// 11. Starts the end of tasks: a user's (one, no fence) or a job or task actor's (of its shard).
struct KillTasks {
  struct Item {
    TaskId task;
    Reason reason = Reason::killed;
    std::string message;
    static constexpr auto fields() {
      return field_list(field("task", &Item::task), field("reason", &Item::reason),
                        field("message", &Item::message));
    }
  };
  std::vector<Item> items;
  static constexpr auto fields() { return field_list(field("items", &KillTasks::items)); }
};
/// 12. Ends tasks without their host's word: lost hosts, kills that never end. Fenced by the decider's shard.
struct EndTasks {
  struct Item {
    TaskId task;
    HostId host;  ///< where the decider believes it to be
    Reason reason = Reason::lost;
    std::string message;
    static constexpr auto fields() {
      return field_list(field("task", &Item::task), field("host", &Item::host),
                        field("reason", &Item::reason), field("message", &Item::message));
    }
  };
  std::vector<Item> items;
  static constexpr auto fields() { return field_list(field("items", &EndTasks::items)); }
};
/// 13. A host's first appearance, or its new shape.
struct RegisterHost {
  std::string name;
  std::string host_group;
  Resources resources;
  StringMap attributes;
  std::vector<std::string> drivers;
  static constexpr auto fields() {
    using C = RegisterHost;
    return field_list(field("name", &C::name), field("host_group", &C::host_group),
                      field("resources", &C::resources), field("attributes", &C::attributes),
                      field("drivers", &C::drivers));
  }
};
/// 14. An agent's link is up at the owner of its host: reports of this session count from now on.
struct OpenSession {
  HostId host;
  SessionId session;
  NodeId node;
  static constexpr auto fields() {
    return field_list(field("host", &OpenSession::host), field("session", &OpenSession::session),
                      field("node", &OpenSession::node));
  }
};
/// 15. Links that went down.
struct CloseSessions {
  struct Item {
    HostId host;
    SessionId session;
    static constexpr auto fields() {
      return field_list(field("host", &Item::host), field("session", &Item::session));
    }
  };
  std::vector<Item> items;
  static constexpr auto fields() { return field_list(field("items", &CloseSessions::items)); }
};
/// 16. An operator's word about a host.
struct SetHostPhase {
  HostId host;
  HostPhase phase = HostPhase::active;
  static constexpr auto fields() {
    return field_list(field("host", &SetHostPhase::host), field("phase", &SetHostPhase::phase));
  }
};
/// 17. Creates or changes a capacity group.
struct PutGroup {
  GroupRecord group;
  static constexpr auto fields() { return field_list(field("group", &PutGroup::group)); }
};

enum class EntityKind : std::uint8_t { job, task, host, group };
constexpr EntityKind max_value(EntityKind) { return EntityKind::group; }
std::string_view kind_text(EntityKind kind);

/// An entity's address: 16 bytes of a job's or task's id, a host's number in the first four, or a hash of a
/// group's name.
struct EntityRef {
  EntityKind kind = EntityKind::job;
  std::array<std::uint8_t, 16> key{};
  static EntityRef of(const JobId& id) { return {EntityKind::job, id.bytes}; }
  static EntityRef of(const TaskId& id) { return {EntityKind::task, id.bytes}; }
  static EntityRef of(HostId id);
  static EntityRef of_group(std::string_view name);
  JobId job() const { return JobId{key}; }
  TaskId task() const { return TaskId{key}; }
  HostId host() const;
  std::string text() const;  ///< "job/6f1c…", "host/7", "group/9b3e…": only the state knows its name
  static constexpr auto fields() {
    return field_list(field("kind", &EntityRef::kind), field("key", &EntityRef::key));
  }
  friend auto operator<=>(const EntityRef&, const EntityRef&) = default;
};
ShardId shard_of(const EntityRef& entity, std::uint16_t shard_count);

/// 18. Quarantines an entity whose actor keeps crashing; it has no duties until released.
struct SetAside {
  EntityRef entity;
  std::string why;
  static constexpr auto fields() {
    return field_list(field("entity", &SetAside::entity), field("why", &SetAside::why));
  }
};
/// 19. An operator's release.
struct Release {
  EntityRef entity;
  static constexpr auto fields() { return field_list(field("entity", &Release::entity)); }
};
/// 20. New limits and time-outs for the cell.
struct SetPolicy {
  CellPolicy policy;
  static constexpr auto fields() { return field_list(field("policy", &SetPolicy::policy)); }
};
/// 21. The group actors' alerts, all of one shard.
struct NoteGroups {
  struct Item {
    std::string name;
    Index expected;         ///< version of the condition that the decider saw
    Instant waiting_since;  ///< unset: the alert is over
    std::uint64_t waiting = 0;
    static constexpr auto fields() {
      return field_list(field("name", &Item::name), field("expected", &Item::expected),
                        field("waiting_since", &Item::waiting_since), field("waiting", &Item::waiting));
    }
  };
  std::vector<Item> items;
  static constexpr auto fields() { return field_list(field("items", &NoteGroups::items)); }
};
/// 22. A node's hash of its state at a sampled index. Changes nothing: each node compares it with its own.
struct CheckState {
  NodeId node;                        ///< whose it is
  Index sampled;                      ///< at this index
  std::uint32_t quorum = 0;           ///< nodes that must agree on another hash, for one to give way
  std::vector<std::uint64_t> shards;  ///< as StateHash
  std::uint64_t cell = 0;
  static constexpr auto fields() {
    using C = CheckState;
    return field_list(field("node", &C::node), field("sampled", &C::sampled), field("quorum", &C::quorum),
                      field("shards", &C::shards), field("cell", &C::cell));
  }
};

/// Names and values to be put, names to be taken away.
struct AttributesChange {
  StringMap put;
  std::vector<std::string> remove;
  bool is_empty() const { return put.empty() && remove.empty(); }
  static constexpr auto fields() {
    return field_list(field("put", &AttributesChange::put), field("remove", &AttributesChange::remove));
  }
};
/// 23. What of a job may change while it lives, beside its size. What is not given stays.
struct ChangeJob {
  JobId job;
  AttributesChange attributes;
  std::optional<bool> enabled;                ///< services
  std::optional<ServiceProcesses> processes;  ///< services
  std::optional<DisruptionBudget> budget;
  static constexpr auto fields() {
    return field_list(field("job", &ChangeJob::job), field("attributes", &ChangeJob::attributes),
                      field("enabled", &ChangeJob::enabled), field("processes", &ChangeJob::processes),
                      field("budget", &ChangeJob::budget));
  }
};
/// 24. What users note on a task.
struct ChangeTask {
  TaskId task;
  AttributesChange attributes;
  static constexpr auto fields() {
    return field_list(field("task", &ChangeTask::task), field("attributes", &ChangeTask::attributes));
  }
};
/// 25. Ends one task of a service and makes the service smaller by one, so that it is not replaced.
struct ShrinkJob {
  TaskId task;
  bool keep_min = false;  ///< refused where the size would fall below min; otherwise min follows
  std::string message;
  static constexpr auto fields() {
    return field_list(field("task", &ShrinkJob::task), field("keep_min", &ShrinkJob::keep_min),
                      field("message", &ShrinkJob::message));
  }
};

/// 26. The scheduler's plan of whom to end so that tasks that wait have room. Each item whole or not at all.
struct PreemptTasks {
  struct Item {
    TaskId task;  ///< that waits
    Index task_version;
    HostId host;  ///< of all its victims
    std::vector<Victim> victims;
    static constexpr auto fields() {
      return field_list(field("task", &Item::task), field("task_version", &Item::task_version),
                        field("host", &Item::host), field("victims", &Item::victims));
    }
    friend bool operator==(const Item&, const Item&) = default;
  };
  std::vector<Item> items;
  /// The first items, in runs of these lengths: each run whole or not at all.
  std::vector<std::uint32_t> together{};
  static constexpr std::size_t fields_at_first = 1;
  static constexpr auto fields() {
    return field_list(field("items", &PreemptTasks::items), field("together", &PreemptTasks::together));
  }
};
/// 27. Forgets a capacity group that nobody uses.
struct DeleteGroup {
  std::string name;
  static constexpr auto fields() { return field_list(field("name", &DeleteGroup::name)); }
};

/// 28. Somebody asked for what no command does, as a change of members: kept in the audit, nothing else.
struct NoteOperation {
  std::string what;  ///< "members/remove/3", "leader/2"
  static constexpr auto fields() { return field_list(field("what", &NoteOperation::what)); }
};
/// 29. The job actors' word that a job's relaunches wait for its budget, or do so no more; all of one shard.
struct NoteJobs {
  struct Item {
    JobId job;
    bool throttled = false;
    std::string reason;  ///< of throttled
    static constexpr auto fields() {
      return field_list(field("job", &Item::job), field("throttled", &Item::throttled),
                        field("reason", &Item::reason));
    }
  };
  std::vector<Item> items;
  static constexpr auto fields() { return field_list(field("items", &NoteJobs::items)); }
};

/// 30. A service's running task becomes one of another service: it runs on, under its id. The one gets
/// smaller by one, the other larger.
struct MoveTask {
  TaskId task;
  JobId source;  ///< whose it is, as the caller believes
  JobId target;
  static constexpr auto fields() {
    return field_list(field("task", &MoveTask::task), field("source", &MoveTask::source),
                      field("target", &MoveTask::target));
  }
};

/// Whose scheduling it is.
struct SchedulingScope {
  enum class Kind : std::uint8_t { cell, group, host };
  friend constexpr Kind max_value(Kind) { return Kind::host; }
  Kind kind = Kind::cell;
  std::string group;
  HostId host;
  std::string text() const;  ///< "cell", "group/payments", "host/7"
  static constexpr auto fields() {
    using S = SchedulingScope;
    return field_list(field("kind", &S::kind), field("group", &S::group), field("host", &S::host));
  }
  friend bool operator==(const SchedulingScope&, const SchedulingScope&) = default;
};
/// 31. Somebody pauses scheduling, or resumes it; who and why is in the envelope.
struct PauseScheduling {
  SchedulingScope scope;
  bool paused = true;
  static constexpr auto fields() {
    return field_list(field("scope", &PauseScheduling::scope), field("paused", &PauseScheduling::paused));
  }
};

/// 32. What waits to be tried again is tried now, and the job's budget of relaunches is full again.
struct RetryJob {
  JobId job;
  TaskId task;  ///< only the slot whose last task it is; nil: every one
  static constexpr auto fields() {
    return field_list(field("job", &RetryJob::job), field("task", &RetryJob::task));
  }
};

/// In the order of their numbers, the first being 1.
using CommandBody =
    std::variant<BootstrapCell, RaiseLevel, AssignShards, CreateJob, KillJob, ResizeJob, AdvanceSlots,
                 FinishJobs, PlaceTasks, ReportTasks, KillTasks, EndTasks, RegisterHost, OpenSession,
                 CloseSessions, SetHostPhase, PutGroup, SetAside, Release, SetPolicy, NoteGroups, CheckState,
                 ChangeJob, ChangeTask, ShrinkJob, PreemptTasks, DeleteGroup, NoteOperation, NoteJobs,
                 MoveTask, PauseScheduling, RetryJob>;

/// Which node asked, and its count: how the asker recognises the outcome when it applies the entry itself.
struct ProposalId {
  NodeId node;
  std::uint64_t life =
      0;  ///< of that process; a restarted node does not take an older life's outcomes for its own
  std::uint64_t count = 0;
  static constexpr auto fields() {
    return field_list(field("node", &ProposalId::node), field("life", &ProposalId::life),
                      field("count", &ProposalId::count));
  }
  friend auto operator<=>(const ProposalId&, const ProposalId&) = default;
};

/// The envelope around every command. The leader's time is the log entry's stamp.
struct Command {
  std::uint32_t level = 0;  ///< feature level that the body needs
  Fence fence;
  ProposalId proposal;
  std::string request;  ///< the caller's request id; empty for the cell's own commands
  std::string caller;
  std::string reason;  ///< X-Titus-CallReason, or an operator's word
  CommandBody body;
  std::uint16_t number() const { return static_cast<std::uint16_t>(body.index() + 1); }
};
std::string_view command_name(const Command& command);
/// The feature level that a build must know to apply the body alike: its command's, or that of a field it
/// uses. Without it an older build would drop what it does not know of, and come to another state.
std::uint32_t level_needed(const CommandBody& body);
/// What a user's command is about: "job/6f1c…", "host/7", "group/payments", "cell".
std::string subject_of(const CommandBody& body);

/// magic byte ∥ [number, level, fence, proposal, request, caller, reason, body]
Bytes encode(const Command& command);
/// Errors: corrupt; unavailable for a number that this build does not know (the node must stop, not skip).
Result<Command> decode_command(BytesView bytes);
/// The hash that tells whether a repeated request id came with the same body (ids minted by gateways left
/// out).
std::uint64_t request_hash(const CommandBody& body);

}  // namespace troupe
