#pragma once
// What is answered: jobs, tasks, hosts, groups and the cell in Titus' v3 shapes. Each function writes one
// JSON object. 64-bit numbers that are uint64 in Titus (times, delays, limits) are strings, as proto3 JSON
// has it.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/json/writer.hpp"
#include "storage/model/outcome.hpp"
#include "storage/model/records.hpp"
#include "storage/state/views.hpp"

namespace troupe::api {

/// {id, jobDescriptor, status, statusHistory, version}, throttled{since, reason} if its relaunches are held
/// back, with `counts` also summary{slots, tasks}. A batch
/// job's or service's current size stands in the descriptor.
void job_json(json::Writer& writer, const JobRecord& job, const JobCounts* counts = nullptr);

/// What a task's record does not say itself. Empty: left out of the context.
struct TaskPlace {
  std::string_view host{};
  std::string_view cell{};
  std::string_view zone{};
  std::string_view tier{};
  bool needs_migration = false;  ///< its host is being drained
};
/// {id, jobId, taskContext, status, statusHistory, logLocation, attributes, version}, ports if it was given
/// some, migrationDetails if it is to leave its host.
void task_json(json::Writer& writer, const TaskRecord& task, const TaskPlace& place = {});

/// {id, name, hostGroup, phase, connected, resources, used, attributes, drivers, taskCount, tasks, ...}.
void host_json(json::Writer& writer, const HostView& host);
/// In lists: how many tasks, but not which.
void host_json(json::Writer& writer, const HostRecord& host, const Resources& used, std::size_t tasks,
               const LaunchStanding& launches, const std::optional<PauseRecord>& pause = std::nullopt);

/// The shape of v2's management/applications, plus tasksMax, jobsMax and the limits of launches.
void group_json(json::Writer& writer, const GroupRecord& group);

/// How a node sees its cell.
struct CellStatus {
  NodeId node;    ///< who answers
  NodeId leader;  ///< 0: none known
  Term term;
  Index commit;
  Index applied;
  bool is_ready = false;   ///< caught up and allowed to serve
  std::string build{};     ///< of the node that answers
  std::uint64_t jobs = 0;  ///< live
  std::uint64_t tasks = 0;
  std::uint64_t hosts = 0;
  std::uint64_t hosts_connected = 0;
  std::uint64_t tasks_waiting = 0;   ///< to be placed
  std::uint64_t jobs_throttled = 0;  ///< whose relaunches wait for their budget
  std::uint64_t requests = 0;        ///< request ids that are remembered
  std::vector<NodeId> members{};
  std::optional<PauseRecord> pause{};  ///< of its scheduling
  std::uint64_t set_aside = 0;         ///< live entities
  std::string read_only{};             ///< why it takes no changes; empty: it does
};
/// The member `paused` {since, by, reason} of a cell, group or host whose scheduling is paused.
void pause_json(json::Writer& writer, const std::optional<PauseRecord>& pause);
void cell_json(json::Writer& writer, const CellRecord& cell, const CellStatus& status);

/// Why a task is not placed yet: how many hosts refused it for this reason, and a few of them.
struct PlacementRefusal {
  std::string reason;
  std::uint64_t hosts = 0;
  std::vector<std::string> samples{};
};
/// GET /scheduler/results/{taskId}: {"success": {"message"}} for a placed task, else {"failures":
/// {"failures": [...]}}.
void placement_json(json::Writer& writer, const TaskRecord& task, std::string_view host,
                    std::span<const PlacementRefusal> refusals);

}  // namespace troupe::api
