#pragma once
// What the engine is told of hosts, tasks and groups, and what it answers.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/outcome.hpp"

namespace troupe::scheduler {

struct HostFacts {
  HostId id;
  std::string name;
  std::string host_group;
  Resources total;
  Resources used;  ///< by live tasks placed there, by the state at `as_of`
  EventId as_of;   ///< the last event that `used` contains; of a copy, taken under one lock
  Index eligibility;
  HostPhase phase = HostPhase::active;
  bool connected = false;
  StringMap attributes;
  std::vector<std::string> drivers;
};

/// A task in Accepted.
struct QueuedTask {
  TaskId task;
  JobId job;
  Index version;
  EventId order;               ///< of its creation: first come, first served within group and priority
  DescriptorPtr descriptor;    ///< shared: tasks with the same one are not compared again
  std::uint32_t priority = 0;  ///< higher first within the group
};

/// A capacity group as the state has it. Groups that nobody has declared are Flex and promise nothing.
struct GroupFacts {
  std::string name;
  Tier tier = Tier::flex;
  Resources reservation;
  Resources used;  ///< by its placed tasks
};

/// A task that was placed and has ended.
struct EndedTask {
  TaskId task;
  JobId job;
  HostId host;
  Resources resources;
  EventId at;
  bool failed_to_start = false;  ///< by the host's fault, as far as one can tell
};

/// What the state knows beyond what the engine was told. Asked once for each job and host that needs it, so
/// that a new leader rebuilds nothing.
struct Lookups {
  using Place = std::pair<TaskId, HostId>;
  /// Where the live tasks of a job are placed.
  std::function<std::vector<Place>(const JobId&)> places_of{};
  /// Does a task live there that wants the host alone?
  std::function<bool(HostId)> is_exclusive{};
};

struct Placement {
  TaskId task;
  JobId job;
  Index version;
  HostId host;
  Index eligibility;
};

struct Plan {
  std::vector<Placement> placements;  ///< to be proposed as one PlaceTasks; each is in flight until settled
  bool more = false;                  ///< the budget ended first: call again, without waiting for this plan
  std::size_t evaluations = 0;        ///< places looked at in the trees
};

struct Budget {
  std::size_t placements_max = 1'000;
  std::size_t evaluations_max = 200'000;
};

/// The outcome of a placement, in log order.
struct Placed {
  EventId at;     ///< that placed it
  HostId host{};  ///< 0: where it was planned last; to be given after an outcome was unknown
};
struct Refused {
  ErrorCode code = ErrorCode::precondition_failed;
  std::string message;
};

/// What a host lacks for a task.
struct Lack {
  std::string reason;  ///< a resource, or a constraint's name
  std::string detail;  ///< for people
  friend bool operator==(const Lack&, const Lack&) = default;
};
struct NearHost {
  HostId host;
  std::string name;
  std::vector<Lack> lacks;
};

/// One change that would let the task be placed now; the engine has tried it.
struct Change {
  enum class Kind : std::uint8_t { resource, constraint, group };
  Kind kind = Kind::resource;
  std::string what;       ///< a resource, a constraint, or the group's name
  std::int64_t from = 0;  ///< resource: what is asked for
  std::int64_t to = 0;    ///< resource: the most that would fit
  std::size_t hosts = 0;  ///< that would take the task then
  friend bool operator==(const Change&, const Change&) = default;
};

/// How the task's capacity group stands, tasks in flight included.
struct GroupShare {
  std::string name;
  Tier tier = Tier::flex;
  Resources reservation;
  Resources used;
  bool is_above = false;   ///< more than its reservation: it borrows
  bool is_capped = false;  ///< this task would take it above its ceiling
};

/// Why a task waits.
struct Explanation {
  enum class Standing : std::uint8_t { unknown, waiting, resting, in_flight };
  Standing standing = Standing::unknown;
  std::size_t position = 0;                    ///< waiting: how many of its group are before it
  std::size_t hosts = 0;                       ///< in the inventory
  std::map<std::string, std::size_t> reasons;  ///< hosts per first reason that rules them out
  std::size_t fitting = 0;                     ///< hosts that would take it now: it waits for its turn only
  std::string last_refusal;                    ///< by the log
  GroupShare group;
  std::vector<NearHost> nearest;  ///< if none fits: those that lack least, the nearest first
  std::vector<Change> changes;    ///< if none fits: each alone would do; the smallest first
};

}  // namespace troupe::scheduler
