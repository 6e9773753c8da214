#pragma once
// The records of the state: what is true of each entity. Written by apply only, on every node alike; packed,
// they are what lies in the current and archived tables. Times are state time.

#include <string>
#include <vector>

#include "storage/base/rare_list.hpp"
#include "storage/base/rare_map.hpp"
#include "storage/base/rare_text.hpp"
#include "storage/model/feature_level.hpp"
#include "storage/model/job_descriptor.hpp"
#include "storage/model/launch_limits.hpp"
#include "storage/model/state.hpp"
#include "storage/model/task_steps.hpp"

namespace troupe {

struct JobRecord {
  JobId id;
  DescriptorPtr descriptor;
  JobState state = JobState::accepted;
  Reason reason = Reason::none;  ///< why it is ending or ended
  std::string message;
  Capacity capacity;
  std::string caller;  ///< who submitted
  std::string call_reason;
  Instant created;
  Instant kill_initiated;
  Instant finished;
  Index created_at;          ///< log index; orders jobs made in the same millisecond
  Index version;             ///< log index of the last change
  RareText set_aside;        ///< not empty: quarantined, and why
  Disruptions disrupted{};   ///< of its tasks, within the interval of its budget's rate
  TokenBucket relaunches;    ///< for tasks that follow a failed one
  Instant throttled;         ///< since when such tasks have to wait for the bucket; unset: they do not
  RareText throttle_reason;  ///< for people
  static constexpr std::size_t fields_at_first = 14;
  static constexpr auto fields() {
    using R = JobRecord;
    return field_list(
        field("id", &R::id), field("descriptor", &R::descriptor), field("state", &R::state),
        field("reason", &R::reason), field("message", &R::message), field("capacity", &R::capacity),
        field("caller", &R::caller), field("call_reason", &R::call_reason), field("created", &R::created),
        field("kill_initiated", &R::kill_initiated), field("finished", &R::finished),
        field("created_at", &R::created_at), field("version", &R::version), field("set_aside", &R::set_aside),
        field("disrupted", &R::disrupted), field("relaunches", &R::relaunches),
        field("throttled", &R::throttled), field("throttle_reason", &R::throttle_reason));
  }
};

//   empty ──start──> running ──task ended──> ended ──decide──┬─> waiting ──start──> running
//                                                            └─> done | failed        (closed: batch only)
// A decision is the job actor's and comes by command; apply only moves running -> ended.
enum class SlotState : std::uint8_t { empty, running, ended, waiting, done, failed };
constexpr SlotState max_value(SlotState) { return SlotState::failed; }
constexpr bool is_closed(SlotState state) { return state == SlotState::done || state == SlotState::failed; }

/// One of a job's places. Its tasks follow one another; what must survive them lives here.
struct SlotRecord {
  SlotNumber number;
  SlotState state = SlotState::empty;
  TaskId task;                  ///< running: the live one; afterwards the last one; nil: never any
  TaskId original;              ///< the first one
  std::uint32_t resubmits = 0;  ///< tasks after the first
  std::uint32_t system_resubmits = 0;
  std::uint32_t eviction_resubmits = 0;
  Reason last_reason = Reason::none;  ///< how the last task ended
  std::int32_t last_exit_code = 0;
  Instant last_started;  ///< when the last task reached Started; unset if it did not
  Instant last_finished;
  milliseconds delay{0};  ///< the last retry delay; the next one grows from it
  Instant retry_at;       ///< waiting: when the next task may start
  static constexpr auto fields() {
    using R = SlotRecord;
    return field_list(field("number", &R::number), field("state", &R::state), field("task", &R::task),
                      field("original", &R::original), field("resubmits", &R::resubmits),
                      field("system_resubmits", &R::system_resubmits),
                      field("eviction_resubmits", &R::eviction_resubmits),
                      field("last_reason", &R::last_reason), field("last_exit_code", &R::last_exit_code),
                      field("last_started", &R::last_started), field("last_finished", &R::last_finished),
                      field("delay", &R::delay), field("retry_at", &R::retry_at));
  }
  friend bool operator==(const SlotRecord&, const SlotRecord&) = default;
};

struct TaskRecord {
  TaskId id;
  JobId job;
  SlotNumber slot;
  TaskId original;
  TaskId resubmit_of;  ///< nil for a slot's first
  std::uint32_t resubmits = 0;
  std::uint32_t system_resubmits = 0;
  std::uint32_t eviction_resubmits = 0;
  TaskState state = TaskState::accepted;
  HostId host;  ///< from launched on; 0 if it never was placed
  Index created_at;
  Index version;  ///< log index of the last change
  TaskSteps steps;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  RareText message;  ///< of the last change
  RareText set_aside;
  RareMap attributes;   ///< what users noted on it
  RareText moved_from;  ///< the id of the job that it came from last; empty: it was made for its own
  RareList<std::uint16_t> ports;  ///< of its host, for it alone until it has ended

  Step step(TaskState s) const { return steps[s]; }
  void enter(TaskState s, Step step) { steps.enter(s, step); }
  Instant created() const { return step(TaskState::accepted).at; }
  bool is_placed() const { return state >= TaskState::launched && host.value != 0; }
  static constexpr std::size_t fields_at_first = 17;
  static constexpr auto fields() {
    using R = TaskRecord;
    return field_list(
        field("id", &R::id), field("job", &R::job), field("slot", &R::slot), field("original", &R::original),
        field("resubmit_of", &R::resubmit_of), field("resubmits", &R::resubmits),
        field("system_resubmits", &R::system_resubmits), field("eviction_resubmits", &R::eviction_resubmits),
        field("state", &R::state), field("host", &R::host), field("created_at", &R::created_at),
        field("version", &R::version), field("steps", &R::steps), field("exit_code", &R::exit_code),
        field("signal", &R::signal), field("message", &R::message), field("set_aside", &R::set_aside),
        field("attributes", &R::attributes), field("moved_from", &R::moved_from), field("ports", &R::ports));
  }
};

/// May the scheduler place here?
enum class HostPhase : std::uint8_t {
  active,       ///< yes
  draining,     ///< no; what runs may end
  quarantined,  ///< no; suspected
};
constexpr HostPhase max_value(HostPhase) { return HostPhase::quarantined; }
std::string_view phase_text(HostPhase phase);
std::optional<HostPhase> host_phase_from_text(std::string_view text);

struct HostRecord {
  HostId id;
  std::string name;  ///< unique in the cell
  std::string host_group;
  Resources resources;  ///< what tasks may use
  StringMap attributes;
  std::vector<std::string> drivers;
  HostPhase phase = HostPhase::active;
  SessionId session;    ///< nil while disconnected
  NodeId session_node;  ///< the node that holds its agent's link
  Instant registered;
  Instant connected;
  Instant disconnected;  ///< unset while connected
  Index eligibility;     ///< log index of the last change of phase, attributes or resources
  Index version;
  RareText set_aside;
  bool is_connected() const { return !session.is_nil(); }
  static constexpr auto fields() {
    using R = HostRecord;
    return field_list(field("id", &R::id), field("name", &R::name), field("host_group", &R::host_group),
                      field("resources", &R::resources), field("attributes", &R::attributes),
                      field("drivers", &R::drivers), field("phase", &R::phase), field("session", &R::session),
                      field("session_node", &R::session_node), field("registered", &R::registered),
                      field("connected", &R::connected), field("disconnected", &R::disconnected),
                      field("eligibility", &R::eligibility), field("version", &R::version),
                      field("set_aside", &R::set_aside));
  }
};

enum class Tier : std::uint8_t { critical, flex };
constexpr Tier max_value(Tier) { return Tier::flex; }
std::string_view tier_text(Tier tier);

struct GroupRecord {
  std::string name;
  Tier tier = Tier::flex;
  Resources instance;  ///< one unit of the reservation
  std::uint32_t instance_count = 0;
  std::uint64_t tasks_max = 0;  ///< cap on live tasks; 0: the cell's only
  Index version;
  std::uint64_t jobs_max = 0;  ///< cap on live jobs; 0: the cell's only
  std::uint64_t launch_burst = 1;
  std::uint64_t launches_per_minute = 0;  ///< 0: no limit
  std::uint64_t launches_max = 0;         ///< under way; 0: no limit
  LaunchLimit launch_limit() const { return {{launch_burst, launches_per_minute}, launches_max}; }
  static constexpr std::size_t fields_at_first = 6;
  static constexpr auto fields() {
    using R = GroupRecord;
    return field_list(field("name", &R::name), field("tier", &R::tier), field("instance", &R::instance),
                      field("instance_count", &R::instance_count), field("tasks_max", &R::tasks_max),
                      field("version", &R::version), field("jobs_max", &R::jobs_max),
                      field("launch_burst", &R::launch_burst),
                      field("launches_per_minute", &R::launches_per_minute),
                      field("launches_max", &R::launches_max));
  }
  friend bool operator==(const GroupRecord&, const GroupRecord&) = default;
};

/// What the cell itself keeps of a capacity group, beside what was declared. Stored once there is something
/// to say.
struct GroupCondition {
  std::string name;
  Instant raised;             ///< the alert that its tasks wait too long; unset: none
  Instant noted;              ///< when its actor looked last, while the alert is raised
  Instant waiting_since;      ///< of the task that waited longest, at that time
  std::uint64_t waiting = 0;  ///< tasks that waited, likewise
  Index version;
  std::string set_aside;
  bool is_raised() const { return raised.is_set(); }
  static constexpr auto fields() {
    using C = GroupCondition;
    return field_list(field("name", &C::name), field("raised", &C::raised), field("noted", &C::noted),
                      field("waiting_since", &C::waiting_since), field("waiting", &C::waiting),
                      field("version", &C::version), field("set_aside", &C::set_aside));
  }
  friend bool operator==(const GroupCondition&, const GroupCondition&) = default;
};

/// The scheduling of the cell, a group or a host is paused: nothing is placed there, and nobody is ended for
/// it. What runs, runs on.
struct PauseRecord {
  Instant since;
  std::string by;      ///< who asked for it
  std::string reason;  ///< in their words
  static constexpr auto fields() {
    using R = PauseRecord;
    return field_list(field("since", &R::since), field("by", &R::by), field("reason", &R::reason));
  }
  friend bool operator==(const PauseRecord&, const PauseRecord&) = default;
};

/// Who cares for the entities of a shard.
struct ShardRecord {
  ShardId id;
  NodeId owner;  ///< 0: nobody yet
  Epoch epoch;   ///< grows with each assignment
  static constexpr auto fields() {
    return field_list(field("id", &ShardRecord::id), field("owner", &ShardRecord::owner),
                      field("epoch", &ShardRecord::epoch));
  }
  friend bool operator==(const ShardRecord&, const ShardRecord&) = default;
};

/// A token bucket: how fast callers may call an endpoint. Each node has its own.
struct RateRule {
  std::string name;            ///< unique; named in refusals
  std::string caller = "*";    ///< a pattern, * for any characters
  std::string endpoint = "*";  ///< likewise, of "POST /api/v3/jobs"
  std::uint32_t burst = 1;     ///< calls at once, from rest
  std::uint32_t per_minute = 60;
  bool is_shared = false;  ///< one bucket for all callers, instead of one for each
  static constexpr auto fields() {
    using R = RateRule;
    return field_list(field("name", &R::name), field("caller", &R::caller), field("endpoint", &R::endpoint),
                      field("burst", &R::burst), field("per_minute", &R::per_minute),
                      field("is_shared", &R::is_shared));
  }
  friend bool operator==(const RateRule&, const RateRule&) = default;
};
inline constexpr std::size_t rate_rules_max = 64;
inline constexpr std::size_t rate_text_bytes_max = 256;

/// Limits and time-outs that apply itself uses: replicated, so that every node applies alike.
struct CellPolicy {
  std::uint64_t jobs_max = 20'000;            ///< live
  std::uint64_t tasks_max = 1'000'000;        ///< live
  std::uint64_t requests_max = 1'000'000;     ///< remembered request ids
  milliseconds request_memory{3'600'000};     ///< how long a request id is remembered
  milliseconds launched_max{300'000};         ///< stuck in Launched
  milliseconds start_initiated_max{720'000};  ///< stuck in StartInitiated
  milliseconds kill_initiated_max{600'000};   ///< stuck in KillInitiated
  milliseconds host_lost_after{60'000};       ///< disconnected this long: its tasks are lost
  std::uint64_t caller_jobs_max = 0;          ///< live, of one submitter; 0: the cell's only
  std::uint64_t caller_tasks_max = 0;         ///< likewise
  std::uint64_t audit_max = 1'000'000;        ///< entries kept; the oldest go first
  std::vector<RateRule> rates{};              ///< the first that fits a call counts; none: no limit
  std::uint64_t level_max = level_unbounded;  ///< the cell's feature level is not raised above it by itself
  // Launches that follow a failure, of one job: so many at once beside one for each of its tasks, and so many
  // a minute for each of its tasks.
  std::uint64_t relaunch_burst = 10;
  std::uint64_t relaunches_per_minute = 2;  ///< 0: no limit
  // Of the cell, and of each host.
  std::uint64_t launch_burst = 1;
  std::uint64_t launches_per_minute = 0;  ///< 0: no limit
  std::uint64_t launches_max = 0;         ///< under way; 0: no limit
  std::uint64_t host_launch_burst = 1;
  std::uint64_t host_launches_per_minute = 0;
  std::uint64_t host_launches_max = 0;
  milliseconds host_rest_first{5'000};  ///< a host whose launches fail; 0: it does not rest
  milliseconds host_rest_max{300'000};
  static constexpr std::uint64_t level_unbounded = 1'000'000;
  LaunchLimit launch_limit() const { return {{launch_burst, launches_per_minute}, launches_max}; }
  LaunchLimit host_launch_limit() const {
    return {{host_launch_burst, host_launches_per_minute}, host_launches_max};
  }
  static constexpr std::size_t fields_at_first = 8;
  static constexpr auto fields() {
    using P = CellPolicy;
    return field_list(
        field("jobs_max", &P::jobs_max), field("tasks_max", &P::tasks_max),
        field("requests_max", &P::requests_max), field("request_memory", &P::request_memory),
        field("launched_max", &P::launched_max), field("start_initiated_max", &P::start_initiated_max),
        field("kill_initiated_max", &P::kill_initiated_max), field("host_lost_after", &P::host_lost_after),
        field("caller_jobs_max", &P::caller_jobs_max), field("caller_tasks_max", &P::caller_tasks_max),
        field("audit_max", &P::audit_max), field("rates", &P::rates), field("level_max", &P::level_max),
        field("relaunch_burst", &P::relaunch_burst),
        field("relaunches_per_minute", &P::relaunches_per_minute), field("launch_burst", &P::launch_burst),
        field("launches_per_minute", &P::launches_per_minute), field("launches_max", &P::launches_max),
        field("host_launch_burst", &P::host_launch_burst),
        field("host_launches_per_minute", &P::host_launches_per_minute),
        field("host_launches_max", &P::host_launches_max), field("host_rest_first", &P::host_rest_first),
        field("host_rest_max", &P::host_rest_max));
  }
  friend bool operator==(const CellPolicy&, const CellPolicy&) = default;
};

inline constexpr std::uint16_t shard_count_max = 256;  ///< an id's last byte routes

struct CellRecord {
  std::string name;                ///< empty: not bootstrapped yet
  std::uint16_t shard_count = 64;  ///< fixed at bootstrap
  std::uint32_t level = 0;         ///< feature level
  Instant now;                     ///< state time
  HostId last_host;                ///< the last number given
  CellPolicy policy;
  static constexpr auto fields() {
    using R = CellRecord;
    return field_list(field("name", &R::name), field("shard_count", &R::shard_count),
                      field("level", &R::level), field("now", &R::now), field("last_host", &R::last_host),
                      field("policy", &R::policy));
  }
};

/// Of a job that fails; none below the feature level that has budgets.
struct RelaunchLimit {
  std::uint64_t burst = 0;       ///< beside one for each task
  std::uint64_t per_minute = 0;  ///< for each task; 0: no limit
  BucketRule rule(const Capacity& size) const {
    const std::uint64_t tasks = std::max<std::uint64_t>(size.desired, 1);
    return {burst + tasks, per_minute * tasks};
  }
  friend bool operator==(const RelaunchLimit&, const RelaunchLimit&) = default;
};
inline bool has_budgets(const CellRecord& cell) { return cell.level >= level_of_budgets; }
inline RelaunchLimit relaunch_limit(const CellRecord& cell) {
  if (!has_budgets(cell)) return {};
  return {cell.policy.relaunch_burst, cell.policy.relaunches_per_minute};
}

/// The outcome of a mutation, by caller and request id. Refusals are remembered too.
struct RequestRecord {
  std::uint64_t body_hash = 0;  ///< of the command's body: the same id with another body is refused
  bool refused = false;
  ErrorCode error = ErrorCode::internal;  ///< if refused
  std::string message;                    ///< if refused
  std::string entity;                     ///< id of what was made or changed
  Index index;
  Instant expires;
  static constexpr auto fields() {
    using R = RequestRecord;
    return field_list(field("body_hash", &R::body_hash), field("refused", &R::refused),
                      field("error", &R::error), field("message", &R::message), field("entity", &R::entity),
                      field("index", &R::index), field("expires", &R::expires));
  }
};

/// What one caller's live jobs amount to.
struct CallerUse {
  std::uint64_t jobs = 0;
  std::uint64_t wanted = 0;  ///< tasks, by the sizes of its jobs
};

/// One mutation that somebody asked for: who, what, why, when, and what came of it. Each is chained to the
/// one before, so that none can be changed or left out without all later ones showing it.
struct AuditRecord {
  std::uint64_t ordinal = 0;  ///< 1 is the cell's first
  Index index;                ///< of the log entry
  Instant at;                 ///< state time
  std::uint16_t command = 0;  ///< number
  std::string caller;
  std::string reason;
  std::string request;
  std::string subject;  ///< "job/6f1c…", "host/7", "group/payments", "cell"
  bool refused = false;
  ErrorCode error = ErrorCode::internal;  ///< if refused
  std::string message;                    ///< if refused
  std::string digest;                     ///< SHA-256 of the log entry's bytes, in hex
  std::string chain;                      ///< audit_chain() up to here
  static constexpr auto fields() {
    using R = AuditRecord;
    return field_list(field("ordinal", &R::ordinal), field("index", &R::index), field("at", &R::at),
                      field("command", &R::command), field("caller", &R::caller), field("reason", &R::reason),
                      field("request", &R::request), field("subject", &R::subject),
                      field("refused", &R::refused), field("error", &R::error), field("message", &R::message),
                      field("digest", &R::digest), field("chain", &R::chain));
  }
  friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

/// Where the chain of the audit ends.
struct AuditHead {
  std::uint64_t last = 0;   ///< ordinal; 0: there is nothing yet
  std::uint64_t first = 1;  ///< the oldest that is kept
  std::string chain;        ///< of the last, over all entries ever
  static constexpr auto fields() {
    using H = AuditHead;
    return field_list(field("last", &H::last), field("first", &H::first), field("chain", &H::chain));
  }
  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

}  // namespace troupe
