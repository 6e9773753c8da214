#pragma once
// What the engine is told of hosts and tasks, and what it answers.

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
  Resources used;           ///< by live tasks placed there, by the state at `as_of`
  std::vector<JobId> jobs;  ///< one entry per such task whose job wants unique hosts; may be empty
  EventId as_of;            ///< the last event that `used` contains; of a copy, taken under one lock
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
  EventId order;             ///< of its creation: first come, first served within tier and priority
  DescriptorPtr descriptor;  ///< shared: tasks with the same one are not compared again
  Tier tier = Tier::flex;
  std::uint32_t priority = 0;  ///< higher first within the tier
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

/// Why a task waits.
struct Explanation {
  enum class Standing : std::uint8_t { unknown, waiting, in_flight };
  Standing standing = Standing::unknown;
  std::size_t position = 0;                    ///< waiting: how many are before it
  std::size_t hosts = 0;                       ///< in the inventory
  std::map<std::string, std::size_t> reasons;  ///< waiting: hosts per first reason that rules them out
  std::size_t fitting = 0;                     ///< hosts that would take it now: it waits for its turn only
  std::string last_refusal;                    ///< by the log
};

}  // namespace troupe::scheduler
