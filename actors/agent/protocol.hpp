#pragma once
// What an agent and the owner of its host say to each other, as msgpack over Channel::agent.
// Each order is idempotent; a report repeats until it is acknowledged.

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "storage/base/msgpack.hpp"
#include "storage/model/resources.hpp"
#include "storage/model/state.hpp"

namespace troupe::agent {

/// All that a driver needs to run one task.
struct ContainerSpec {
  TaskId task;
  JobId job;
  std::uint32_t slot = 0;
  std::vector<std::string> argv;           ///< entry point, then command; never empty
  std::map<std::string, std::string> env;  ///< the user's; the driver adds TITUS_* / TROUPE_* on top
  Resources resources;
  std::string image;                              ///< "name:tag" or "name@digest"; ignored by `process`
  std::map<std::string, std::string> attributes;  ///< the job's attributes; `sim` reads its script here
  milliseconds kill_grace{10'000};                ///< SIGTERM, this long, then SIGKILL
  std::uint32_t resubmits = 0;                    ///< of the slot's task before this one, for any reason
  static constexpr auto fields() {
    return field_list(field("task", &ContainerSpec::task), field("job", &ContainerSpec::job),
                      field("slot", &ContainerSpec::slot), field("argv", &ContainerSpec::argv),
                      field("env", &ContainerSpec::env), field("resources", &ContainerSpec::resources),
                      field("image", &ContainerSpec::image), field("attributes", &ContainerSpec::attributes),
                      field("kill_grace", &ContainerSpec::kill_grace),
                      field("resubmits", &ContainerSpec::resubmits));
  }
  friend bool operator==(const ContainerSpec&, const ContainerSpec&) = default;
};

/// Where a task stands on its host. `at` is the host's clock: information, never truth.
struct TaskReport {
  TaskId task;
  TaskState state = TaskState::launched;  ///< start_initiated, started or finished
  Reason reason = Reason::none;           ///< of finished
  std::int32_t exit_code = 0;             ///< of finished, when it exited
  std::int32_t signal = 0;                ///< of finished, when a signal ended it; else 0
  std::string message;
  Instant at;
  static constexpr auto fields() {
    return field_list(field("task", &TaskReport::task), field("state", &TaskReport::state),
                      field("reason", &TaskReport::reason), field("exit_code", &TaskReport::exit_code),
                      field("signal", &TaskReport::signal), field("message", &TaskReport::message),
                      field("at", &TaskReport::at));
  }
  friend bool operator==(const TaskReport&, const TaskReport&) = default;
};

// ---- agent to node ----
/// The first message on each link.
struct Hello {
  std::string host;  ///< name, unique in the cell
  std::string host_group;
  std::string cell;     ///< the cell it belongs to; empty before its first welcome
  Index highest_index;  ///< highest log index that it has obeyed
  Resources resources;
  std::map<std::string, std::string> attributes;
  std::vector<std::string> drivers;
  static constexpr auto fields() {
    return field_list(field("host", &Hello::host), field("host_group", &Hello::host_group),
                      field("cell", &Hello::cell), field("highest_index", &Hello::highest_index),
                      field("resources", &Hello::resources), field("attributes", &Hello::attributes),
                      field("drivers", &Hello::drivers));
  }
  friend bool operator==(const Hello&, const Hello&) = default;
};
/// `full`: every task that the agent knows; otherwise only what changed.
struct Report {
  SessionId session;
  bool full = false;
  std::vector<TaskReport> tasks;
  static constexpr auto fields() {
    return field_list(field("session", &Report::session), field("full", &Report::full),
                      field("tasks", &Report::tasks));
  }
  friend bool operator==(const Report&, const Report&) = default;
};
/// The answer to a Call, by its number.
struct CallAnswer {
  std::uint64_t call = 0;
  std::uint8_t error = 0;  ///< 0: none, else 1 + ErrorCode
  std::string message;     ///< of the error
  Bytes data;              ///< the log's bytes
  std::uint64_t next_offset = 0;
  bool ended = false;  ///< the task has ended and all that it wrote has been read
  static constexpr auto fields() {
    return field_list(field("call", &CallAnswer::call), field("error", &CallAnswer::error),
                      field("message", &CallAnswer::message), field("data", &CallAnswer::data),
                      field("next_offset", &CallAnswer::next_offset), field("ended", &CallAnswer::ended));
  }
  friend bool operator==(const CallAnswer&, const CallAnswer&) = default;
};
using FromAgent = std::variant<Hello, Report, CallAnswer>;

// ---- node to agent ----
/// This node does not own the host: dial that one.
struct Redirect {
  std::string address;
  static constexpr auto fields() { return field_list(field("address", &Redirect::address)); }
  friend bool operator==(const Redirect&, const Redirect&) = default;
};
/// The session is in the log: reports are taken and orders follow.
struct Welcome {
  std::string cell;
  SessionId session;
  Index index;
  static constexpr auto fields() {
    return field_list(field("cell", &Welcome::cell), field("session", &Welcome::session),
                      field("index", &Welcome::index));
  }
  friend bool operator==(const Welcome&, const Welcome&) = default;
};
/// Not taken; the agent logs why and dials again after its longest back-off.
struct Refused {
  std::string reason;
  static constexpr auto fields() { return field_list(field("reason", &Refused::reason)); }
  friend bool operator==(const Refused&, const Refused&) = default;
};
/// Run these. Known ones are reported again, not started twice.
struct Launch {
  SessionId session;
  Index index;  ///< log index of the state that this order comes from
  std::vector<ContainerSpec> tasks;
  static constexpr auto fields() {
    return field_list(field("session", &Launch::session), field("index", &Launch::index),
                      field("tasks", &Launch::tasks));
  }
  friend bool operator==(const Launch&, const Launch&) = default;
};
/// End these. An unknown one is reported as finished (lost), so that the order settles.
struct Kill {
  SessionId session;
  Index index;
  std::vector<TaskId> tasks;
  static constexpr auto fields() {
    return field_list(field("session", &Kill::session), field("index", &Kill::index),
                      field("tasks", &Kill::tasks));
  }
  friend bool operator==(const Kill&, const Kill&) = default;
};
/// The end of these is durable in the log: stop reporting it. Their logs stay until the agent's retention.
struct Acknowledge {
  SessionId session;
  std::vector<TaskId> tasks;
  static constexpr auto fields() {
    return field_list(field("session", &Acknowledge::session), field("tasks", &Acknowledge::tasks));
  }
  friend bool operator==(const Acknowledge&, const Acknowledge&) = default;
};
enum class LogStream : std::uint8_t { standard_output, standard_error };
constexpr LogStream max_value(LogStream) { return LogStream::standard_error; }
/// Read a task's log from an offset; if there is nothing yet and the task runs, wait up to `wait` for more.
struct Call {
  std::uint64_t call = 0;
  TaskId task;
  LogStream stream = LogStream::standard_output;
  std::uint64_t offset = 0;
  std::uint32_t bytes_max = 0;
  milliseconds wait{0};
  static constexpr auto fields() {
    return field_list(field("call", &Call::call), field("task", &Call::task), field("stream", &Call::stream),
                      field("offset", &Call::offset), field("bytes_max", &Call::bytes_max),
                      field("wait", &Call::wait));
  }
  friend bool operator==(const Call&, const Call&) = default;
};
using ToAgent = std::variant<Redirect, Welcome, Refused, Launch, Kill, Acknowledge, Call>;

}  // namespace troupe::agent
