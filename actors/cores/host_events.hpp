#pragma once
// What a host's core is told and what it wants done.

#include <string>
#include <variant>
#include <vector>

#include "actors/agent/protocol.hpp"
#include "actors/cores/proposal.hpp"
#include "storage/model/records.hpp"

namespace troupe::cores {

/// A live task on this host, copied out of the state.
struct TaskFacts {
  TaskRecord task;
  DescriptorPtr descriptor;
};

// ---- events ----
/// First, and again whenever the actor has lost track of the state's events: replaces all that the core knew
/// of the state.
struct Activated {
  HostRecord host;
  CellPolicy policy;
  std::vector<TaskFacts> tasks;
};
/// Placed on this host and changed, or new here.
struct TaskMoved {
  TaskFacts facts;
};
/// Ended and archived.
struct TaskGone {
  TaskId task;
};
struct HostMoved {
  HostRecord host;
};
struct PolicyMoved {
  CellPolicy policy;
};
/// A new link, which replaces an earlier one. Its host is registered already.
struct AgentUp {
  agent::Hello hello;
};
struct AgentDown {};
struct AgentSaid {
  agent::Report report;
};
/// Where the tasks of a Lookup are, by the state.
struct Looked {
  enum class Where : std::uint8_t {
    here,       ///< live on this host: a TaskMoved is on its way
    elsewhere,  ///< live, but not placed here
    archived,
    never,  ///< nobody has heard of it
  };
  struct Item {
    TaskId task;
    Where where = Where::never;
  };
  std::vector<Item> tasks;
};
struct Wake {};
using HostEvent = std::variant<Activated, TaskMoved, TaskGone, HostMoved, PolicyMoved, AgentUp, AgentDown,
                               AgentSaid, Looked, Settled, Wake>;

// ---- effects, to be performed in their order ----
/// Dropped when there is no link.
struct SendToAgent {
  agent::ToAgent message;
};
/// Find these in the state (current, then archive) and answer with Looked; a lost answer is asked for again.
struct Lookup {
  std::vector<TaskId> tasks;
};
/// The agent dials again. The core regards the link as gone; AgentDown may follow and is harmless.
struct CloseLink {
  std::string why;
};
// Propose and WakeAt and Rest as everywhere. Several Propose may be outstanding. A ReportTasks body has one
// part; the actor may merge parts of several hosts into one command and gives each core its own outcome:
// Settled::refused then holds positions in `tasks` of that core's part. A part that is fenced off as a whole
// is How::refused.
using HostEffect = std::variant<Propose, SendToAgent, Lookup, CloseLink, WakeAt, Rest>;
using HostEffects = std::vector<HostEffect>;

}  // namespace troupe::cores
