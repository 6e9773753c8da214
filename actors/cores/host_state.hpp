#pragma once
// The inside of HostCore: what it remembers between events, and its parts.

#include <map>
#include <optional>

#include "actors/cores/agenda.hpp"
#include "actors/cores/host_core.hpp"

namespace troupe::cores {

/// A live task of this host by the state, and what its agent says of it in this session.
struct HostTask {
  TaskFacts facts;
  std::optional<agent::TaskReport> reported;
  bool is_missing = false;   ///< the last full report did not mention it, nor did any report since
  bool is_settling = false;  ///< in an outstanding ReportTasks or EndTasks: its next step waits for that one
  TaskState proposed = TaskState::accepted;
  Instant propose_at;        ///< no proposal of `proposed` or less before then
  Instant order_at;          ///< no order about it before then
  std::uint32_t orders = 0;  ///< of the kind that its state wants
};

/// Reported by the agent, but not live here by the state.
struct Stranger {
  agent::TaskReport reported;
  Instant since;
  std::optional<Looked::Where> where;
  Instant ask_at;
  Instant order_at;
  std::uint32_t orders = 0;
};

/// What one call wants done; turned into effects at its end.
struct HostRound {
  Instant now;
  HostEffects effects;
  std::vector<agent::ContainerSpec> launches;
  std::vector<TaskId> kills;
  std::vector<TaskId> acknowledged;
  std::vector<TaskId> lookups;
  std::vector<ReportTasks::Status> statuses;
  std::vector<EndTasks::Item> lost;
};

struct HostCore::State {
  struct Outstanding {
    enum class Kind : std::uint8_t { open, close, report, end };
    Kind kind = Kind::open;
    SessionId session;          ///< open, close
    std::vector<TaskId> tasks;  ///< report, end
  };
  using Link = HostStatus::Link;

  State(NodeId self_id, std::string cell_name, Random seeded)
      : self(self_id), cell(std::move(cell_name)), random(seeded) {}

  void handle(HostRound& round, const Activated& event);
  void handle(HostRound& round, const TaskMoved& event);
  void handle(HostRound& round, const TaskGone& event);
  void handle(HostRound& round, const HostMoved& event);
  void handle(HostRound& round, const PolicyMoved& event);
  void handle(HostRound& round, const AgentUp& event);
  void handle(HostRound& round, const AgentDown& event);
  void handle(HostRound& round, const AgentSaid& event);
  void handle(HostRound& round, const Looked& event);
  void handle(HostRound& round, const Settled& event);
  void handle(HostRound& round, const Wake& event);

  // Session (host_session.cpp).
  void care_for_session(HostRound& round);
  void drop_link(HostRound& round);
  void follow_record(HostRound& round);
  Instant close_due() const;
  void close_link(HostRound& round, std::string why);
  void session_settled(HostRound& round, const Outstanding& proposal, const Settled& event);
  std::optional<Instant> session_wake() const;
  std::optional<Instant> lost_at() const;

  // Tasks (host_tasks.cpp).
  void consider(HostRound& round, const TaskId& id);
  void consider_all(HostRound& round);
  std::optional<Instant> care_for(HostRound& round, HostTask& task);
  std::optional<Instant> order(HostRound& round, HostTask& task);
  std::optional<Instant> pass_on(HostRound& round, HostTask& task);
  std::optional<Instant> declare_lost(HostRound& round, HostTask& task, std::string message);
  void take_report(HostRound& round, const agent::Report& report);
  void take_status(HostRound& round, const agent::TaskReport& report);
  void tasks_settled(HostRound& round, const Outstanding& proposal, const Settled& event);

  // Strangers (host_strangers.cpp).
  void meet(HostRound& round, const agent::TaskReport& report, std::optional<Looked::Where> where);
  std::optional<Instant> care_for(HostRound& round, const TaskId& id, Stranger& stranger, bool& done);
  std::optional<Instant> kill_stranger(HostRound& round, const TaskId& id, Stranger& stranger);

  void flush(HostRound& round);
  void send(HostRound& round, agent::ToAgent message);
  void propose(HostRound& round, CommandBody body, Outstanding what);
  void arm(HostRound& round);
  bool is_idle() const;

  NodeId self;
  std::string cell;
  Random random;

  HostRecord host;
  CellPolicy policy;
  bool is_activated = false;
  Index index;  ///< highest applied index seen
  std::map<TaskId, HostTask> tasks;
  std::map<TaskId, Stranger> strangers;
  Agenda agenda;

  Link link = Link::down;
  SessionId session;       ///< of the link; nil while down
  SessionId last_session;  ///< of the link before; its record is closed at once
  Instant link_since;      ///< opening or welcomed since
  Instant dead_since;      ///< without a link since
  Instant session_at;      ///< no proposal about sessions before then
  bool session_settling = false;
  bool is_open_taken = false;  ///< the log has the session; its record is on its way

  std::uint64_t count = 0;
  std::map<std::uint64_t, Outstanding> outstanding;
  Instant kills_since;  ///< start of the minute of kills_in_minute
  std::size_t kills_in_minute = 0;
  std::optional<Instant> armed;
  HostStatus counts;
};

/// first, twice that, ... up to the maximum.
milliseconds order_pause(std::uint32_t orders);

}  // namespace troupe::cores
