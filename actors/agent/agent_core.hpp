#pragma once
// An agent's decisions: what it tells its cell, which orders it obeys, what it remembers.

#include <set>
#include <span>
#include <variant>
#include <vector>

#include "actors/agent/link_plan.hpp"
#include "actors/agent/log_calls.hpp"
#include "actors/agent/task_book.hpp"

namespace troupe::agent {

// ---- events ----
/// Events of another dial than the latest are ignored: they come from links that the agent has given up.
struct LinkUp {
  std::uint64_t dial = 0;
};
struct LinkDown {
  std::uint64_t dial = 0;
};  ///< also when dialling failed
struct NodeMessage {
  std::uint64_t dial = 0;
  ToAgent message;
};
struct DriverNews {
  TaskReport report;
};
/// What Driver::adopt returned. The core dials for the first time after it.
struct Adopted {
  std::vector<TaskId> tasks;
};
/// Why the host is unfit for new tasks; empty: it is fit. The first comes before Adopted.
struct HostProbed {
  std::vector<std::string> problems;
};
struct LogRead {
  std::uint64_t call = 0;
  Result<LogChunk> outcome;
};
struct Tick {};
using Event = std::variant<LinkUp, LinkDown, NodeMessage, DriverNews, Adopted, HostProbed, LogRead, Tick>;

// ---- effects, to be performed in their order ----
/// Dropped when the link of that dial is gone.
struct SendToNode {
  std::uint64_t dial = 0;
  FromAgent message;
};
/// Closes any other link. Answered by LinkUp or LinkDown.
struct Dial {
  std::uint64_t dial = 0;
  std::string address;
};
struct HangUp {
  std::uint64_t dial = 0;
};
struct LaunchTask {
  ContainerSpec spec;
};
struct StopTask {
  TaskId task;
  milliseconds grace{0};
};
struct DiscardTask {
  TaskId task;
};
/// Answered by LogRead.
struct ReadLog {
  LogCalls::Read read;
};
/// One batch, durable before any later effect is performed. If it cannot be written, the agent stops.
struct WriteJournal {
  JournalChanges changes;
};
/// A Tick is wanted at that time; replaces every earlier wish.
struct WakeAt {
  Moment at;
};
using Effect =
    std::variant<SendToNode, Dial, HangUp, LaunchTask, StopTask, DiscardTask, ReadLog, WriteJournal, WakeAt>;
using Effects = std::vector<Effect>;

/// What the host is, from its own configuration.
struct AgentConfig {
  std::string host;
  std::string host_group;
  Resources resources;
  std::map<std::string, std::string> attributes;
  std::vector<std::string> drivers;    ///< what they are enough for is storage/model/isolation.hpp's rule
  std::vector<std::string> bootstrap;  ///< node addresses; at least one
  LinkTimes link;
  std::size_t tasks_max = 4'096;       ///< running, or ended and not acknowledged; a launch beyond is refused
  std::size_t settled_max = 4'096;     ///< acknowledged ones remembered; beyond it the oldest is forgotten
  std::size_t report_tasks_max = 512;  ///< in one report; a full one holds all of them
  milliseconds report_delay{2};        ///< changes wait this long for company
  milliseconds repeat_every{2'000};    ///< ends that are not acknowledged
  milliseconds full_every{60'000};     ///< a full report again
};

/// The host's attribute that says why it is unfit; such a host names no drivers, so that nothing is placed on
/// it.
constexpr std::string_view health_attribute = "troupe.health";
constexpr std::size_t health_bytes_max = 512;

/// Counted and shown; never a reason to act.
struct AgentStatus {
  LinkPlan::Phase link = LinkPlan::Phase::waiting;
  std::string address;
  std::string cell;
  SessionId session;  ///< nil while not welcomed
  Index highest_index;
  std::size_t live = 0, ended = 0, settled = 0, log_reads = 0;
  std::uint64_t launches = 0, repeated_launches = 0, kills = 0, unknown_kills = 0, reports = 0;
  std::uint64_t refused_other_cell = 0;  ///< welcomes of another cell
  std::uint64_t refused_session = 0;     ///< orders of another session, or before any welcome
  std::uint64_t refused_index = 0;       ///< kill orders of an older state than one obeyed before
  std::uint64_t refused_limit = 0;       ///< launches beyond tasks_max
  std::uint64_t refused_isolation = 0;   ///< launches that no driver here isolates enough for
  std::uint64_t refused_by_node = 0;
  std::string last_refusal;  ///< for people
};

/// Owner: the agent's actor (or the simulator), one thread. Pure: no I/O, clock, thread or log. What survives
/// a crash is what its WriteJournal effects wrote: accepted tasks, ends until acknowledged, its cell and the
/// highest index obeyed.
///
/// Promises, whatever is lost, repeated or restarted: no task is launched twice; each end is reported until
/// it is acknowledged; no kill is obeyed from another cell, another session or an older state; no task runs
/// with less isolation than its job asks for, whatever the order says.
class AgentCore {
 public:
  AgentCore(AgentConfig config, Random random);
  /// What an earlier life journaled, before the first event. Errors: corrupt.
  Result<void> restore(const std::vector<std::pair<Bytes, Bytes>>& entries);
  /// `wall` only dates reports.
  Effects on(Instant wall, Moment now, const Event& event);
  AgentStatus status() const;
  const TaskBook& tasks() const { return book_; }

 private:
  struct Now;
  void handle(Now& now, const LinkUp& event);
  void handle(Now& now, const LinkDown& event);
  void handle(Now& now, const NodeMessage& event);
  void handle(Now& now, const DriverNews& event);
  void handle(Now& now, const Adopted& event);
  void handle(Now& now, const HostProbed& event);
  void handle(Now& now, const LogRead& event);
  void handle(Now& now, const Tick& event);
  void obey(Now& now, const Redirect& order);
  void obey(Now& now, const Welcome& order);
  void obey(Now& now, const Refused& order);
  void obey(Now& now, const Launch& order);
  void obey(Now& now, const Kill& order);
  void obey(Now& now, const Acknowledge& order);
  void obey(Now& now, const Call& order);

  Hello hello() const;
  bool is_of_session(const SessionId& session);
  void lose_session();
  bool isolates_enough(const ContainerSpec& spec) const;
  void raise_index(Index index, JournalChanges& journal);
  void take_launch(Now& now, const ContainerSpec& spec, JournalChanges& journal, Effects& launches);
  void take_kill(Now& now, const TaskId& task, JournalChanges& journal, Effects& stops);
  void write(Now& now, JournalChanges journal);
  void send(Now& now, FromAgent message);
  void changed(Now& now, const TaskId& task);
  void report_full(Now& now);
  void report_changes(Now& now);
  void follow_link_deadline(Now& now);
  void follow_report_deadlines(Now& now);
  void arm(Now& now);
  JournalChange meta() const;

  AgentConfig config_;
  Random random_;
  LinkPlan link_;
  LogCalls calls_;
  TaskBook book_;
  bool is_adopted_ = false;
  std::string cell_;
  SessionId session_;  ///< nil while not welcomed
  SessionId last_session_;
  Index highest_;
  std::vector<std::string> problems_;  ///< of the host
  std::set<TaskId> changed_;
  std::optional<Moment> report_at_;
  std::optional<Moment> repeat_at_;
  std::optional<Moment> full_at_;
  std::optional<Moment> armed_;
  AgentStatus counts_;
};

}  // namespace troupe::agent
