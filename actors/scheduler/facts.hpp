#pragma once
// What the engine is told of hosts, tasks and groups, and what it answers.

#include <algorithm>
#include <cstdint>
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
  std::uint64_t launches_left = LaunchRoom::unlimited;  ///< placements that limits and rests allow, likewise
  std::string paused{};                                 ///< its scheduling, by whom and why; empty: it is not
};

/// A task in Accepted.
struct QueuedTask {
  TaskId task;
  JobId job;
  Index version;
  EventId order;               ///< of its creation: first come, first served within group and priority
  DescriptorPtr descriptor;    ///< shared: tasks with the same one are not compared again
  std::uint32_t priority = 0;  ///< higher first within the group
  std::uint32_t gang = 0;      ///< so many of its job start at once or not at all; 0: it starts alone
};

/// A capacity group as the state has it. Groups that nobody has declared are Flex and promise nothing.
struct GroupFacts {
  std::string name;
  Tier tier = Tier::flex;
  Resources reservation;
  Resources used;       ///< by its placed tasks
  Resources leaving{};  ///< of `used`, by those that are being ended
  std::uint64_t launches_left = LaunchRoom::unlimited;
  std::uint64_t launches_most = LaunchRoom::unlimited;  ///< that are ever left
};

/// A task that is placed, as far as it may have to give way.
struct RunningTask {
  TaskId task;
  JobId job;
  Index version;
  DescriptorPtr descriptor;
  std::uint32_t priority = 0;
  Instant since;             ///< when it started, or was placed
  bool is_leaving = false;   ///< it is being ended
  bool may_be_moved = true;  ///< as far as its slot's past decides that
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
  /// What is placed there now. Without it nobody is preempted.
  std::function<void(HostId, std::vector<RunningTask>&)> running_on{};
  /// How many more of a job's tasks may be disrupted now; without it as many as one likes.
  std::function<std::uint32_t(const JobId&)> disruptions_left{};
};

struct Placement {
  TaskId task;
  JobId job;
  Index version;
  HostId host;
  Index eligibility;
};

/// Tasks to be ended so that one has room, which then is kept for it.
struct Preemption {
  TaskId task;
  JobId job;
  Index version;
  HostId host;
  std::vector<Victim> victims;
};

struct Plan {
  /// The first placements, in runs of these lengths: each run is to be taken whole or not at all.
  std::vector<std::uint32_t> together;
  std::vector<Placement> placements;    ///< to be proposed as one PlaceTasks; each is in flight until settled
  std::vector<Preemption> preemptions;  ///< to be proposed as one PreemptTasks; likewise
  std::vector<std::uint32_t> preempting_together{};  ///< likewise, of the first preemptions
  bool more = false;            ///< the budget ended first: call again, without waiting for this plan
  bool is_held = false;         ///< not before more launches are left: a gang's turn has come
  std::size_t evaluations = 0;  ///< places looked at in the trees
};

struct Budget {
  std::size_t placements_max = 1'000;
  /// By the cell's limit of launches: now, and ever at once. Of a gang larger than that, so many are enough.
  std::uint64_t launches_left = UINT64_MAX, launches_most = UINT64_MAX;
  bool admits(std::size_t placed, std::size_t gang) const {
    return std::min<std::uint64_t>(gang, launches_most) <=
           launches_left - std::min<std::uint64_t>(placed, launches_left);
  }
  std::size_t evaluations_max = 200'000;
  std::size_t preemptions_max = 1'000;
  std::size_t preemption_hosts_max = 2'000;  ///< whose tasks are looked at for victims; a gang looks at all
  bool gangs_preempt = true;                 ///< may they have others ended?
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

/// How a task that fits nowhere stands to those that might give way.
struct PreemptionStanding {
  enum class Kind : std::uint8_t {
    none,        ///< it fits somewhere, or has not been looked at
    no_right,    ///< it has no promise and no priority over anybody
    no_victims,  ///< nobody who may be ended stands where that would help
    looking,
    preempting,  ///< it waits for its victims to end
  };
  Kind kind = Kind::none;
  std::string host;             ///< preempting: where
  std::vector<TaskId> victims;  ///< preempting; for a gang, of all its tasks
  std::size_t hosts = 1;        ///< on which they are
};

/// Why a task waits.
struct Explanation {
  enum class Standing : std::uint8_t { unknown, waiting, resting, preempting, in_flight };
  Standing standing = Standing::unknown;
  std::size_t position = 0;                    ///< waiting: how many of its group are before it
  std::size_t gang = 0;                        ///< it starts with so many at once; 0: alone
  std::size_t gang_waiting = 0;                ///< of them, those that wait for it now
  std::size_t hosts = 0;                       ///< in the inventory
  std::map<std::string, std::size_t> reasons;  ///< hosts per first reason that rules them out
  std::size_t fitting = 0;                     ///< hosts that would take it now: it waits for its turn only
  std::string last_refusal;                    ///< by the log
  std::string held_back;  ///< by a limit of launches, or a pause, of its group or the cell; empty: none
  Instant held_until{};   ///< when time alone ends that, if nothing else is launched; unset: it does not
  GroupShare group;
  PreemptionStanding preemption;
  std::vector<NearHost> nearest;  ///< if none fits: those that lack least, the nearest first
  std::vector<Change> changes;    ///< if none fits: each alone would do; the smallest first
};

/// What would become of tasks that nobody has made yet.
struct Rehearsal {
  struct Place {
    HostId host;
    std::string host_name;
    Index eligibility;
    std::vector<RunningTask> victims;  ///< that would be ended for it
    bool waits = false;                ///< not placed at once: its victims, or others there, end first
  };
  std::vector<Place> places;         ///< in order; those behind them would wait
  std::optional<Explanation> waits;  ///< of the first that would wait; nullopt: none would
};

/// A place that a plan promised.
struct PromisedPlace {
  HostId host;
  std::vector<TaskId> victims;  ///< that are to end for it
};
/// One that does not hold, by its number.
struct BrokenPromise {
  std::size_t place = 0;
  std::string host_name;  ///< empty: the host is gone
  std::string why;
};

}  // namespace troupe::scheduler
