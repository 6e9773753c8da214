#pragma once
// What each command takes and does. Each answers its exit code and reports its own errors. The options are
// bound to these structs in cli_*_options.cpp.

#include <optional>
#include <string>
#include <vector>

#include "cmd/troupe/cli_context.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace troupe::cli {

struct JobRun {
  std::string name;     ///< of the application; the program's own name if empty
  std::string cpu;      ///< "0.5"; each amount that is empty is left to the cell
  std::string memory;   ///< MB
  std::string disk;     ///< MB
  std::string network;  ///< Mbit/s
  std::string gpu;
  std::string ports;
  std::string image;                     ///< NAME:TAG or NAME@DIGEST; empty: the hosts' own programs
  std::vector<std::string> env;          ///< K=V
  std::vector<std::string> attributes;   ///< K=V
  std::vector<std::string> constraints;  ///< K=V, hard
  std::uint32_t size = 1;
  std::uint32_t retries = 0;
  std::string runtime_limit;  ///< a duration
  std::string place_timeout = "30s";
  std::string team_email;
  std::string capacity_group;
  bool is_quiet = false;
  std::vector<std::string> command;
};
int job_run(Context& context, const JobRun& args);

struct JobSubmit {
  std::string file;
  std::string key;  ///< the Idempotency-Key; a new one if empty
  bool is_quiet = false;
};
int job_submit(Context& context, const JobSubmit& args);

struct JobPlan {
  std::string file;  ///< a descriptor; or a resize:
  std::string job{};
  std::optional<std::uint32_t> desired{};
  bool submits = false;
  bool needs_all = false;  ///< it is not submitted if a task would wait
};
int job_plan(Context& context, const JobPlan& args);

/// Checks a descriptor without asking anybody.
int job_validate(Context& context, const std::string& file);
struct JobInit {
  std::string file = "-";
  bool is_service = false;
};
int job_init(Context& context, const JobInit& args);

struct JobList {
  std::string state;
  std::string application;
  std::string where;  ///< a condition of net/api/selection.hpp; empty: all
  std::uint32_t page_size = 100;
  bool wants_all_pages = false;
};
int job_list(Context& context, const JobList& args);
int job_show(Context& context, const std::string& job);
int job_kill(Context& context, const std::string& job);

/// What commands take that change everything of which a condition holds.
struct BulkArgs {
  std::string where{};  ///< empty: the command names what it changes
  bool is_dry_run = false;
  bool is_confirmed = false;  ///< nobody is asked because they are many
  bool takes_all = false;     ///< nobody is asked because they are all
  std::optional<std::uint32_t> at_most{};
  std::uint32_t per_second = 10;
};
/// Each says what it would do, asks where that is needed, and does it, one after another.
int jobs_kill(Context& context, const BulkArgs& args);
int jobs_enable(Context& context, const BulkArgs& args);
int jobs_disable(Context& context, const BulkArgs& args);
int jobs_retry(Context& context, const BulkArgs& args);

struct JobLogs {
  std::string job;
  std::optional<std::int64_t> slot;
  bool wants_stderr = false;
  bool follows = false;
};
int job_logs(Context& context, const JobLogs& args);

struct JobScale {
  std::string job;
  std::optional<std::uint32_t> min, desired, max;
};
int job_scale(Context& context, const JobScale& args);

// ---- what changes on a job or task that lives ----
struct AttributesEdit {
  std::string id;
  std::vector<std::string> put;     ///< NAME=VALUE
  std::vector<std::string> remove;  ///< NAME
};
int job_attributes(Context& context, const AttributesEdit& args);
int task_attributes(Context& context, const AttributesEdit& args);
int job_enable(Context& context, const std::string& job);
int job_disable(Context& context, const std::string& job);
int job_retry(Context& context, const std::string& job);
struct JobProcesses {
  std::string job;
  bool holds_increase = false;
  bool holds_decrease = false;
};
int job_processes(Context& context, const JobProcesses& args);
struct JobBudget {
  std::string job;
  std::string file;
};
int job_budget(Context& context, const JobBudget& args);

struct JobWait {
  std::string job;
  std::string timeout;  ///< a duration; empty: for ever
};
int job_wait(Context& context, const JobWait& args);

struct TaskList {
  std::string job;
  std::string states;
  std::string where;
  std::uint32_t page_size = 100;
  bool wants_all_pages = false;
};
int task_list(Context& context, const TaskList& args);
int task_show(Context& context, const std::string& task);
int task_explain(Context& context, const std::string& task);

struct TaskKill {
  std::string task;
  bool shrinks = false;
  bool keeps_min = false;
  BulkArgs bulk{};  ///< instead of `task`
};
int task_kill(Context& context, const TaskKill& args);
int tasks_kill(Context& context, const TaskKill& args);  ///< those of `bulk`

struct TaskMove {
  std::string task;
  std::string job;  ///< the one that it goes to
};
int task_move(Context& context, const TaskMove& args);
int task_retry(Context& context, const std::string& task);

struct TaskLogs {
  std::string task;
  bool wants_stderr = false;
  bool follows = false;
};
int task_logs(Context& context, const TaskLogs& args);

int host_list(Context& context, const std::string& where);
int host_show(Context& context, const std::string& name);
int cell_status(Context& context);

// ---- acting on hosts ----
/// What a command makes of hosts: another phase, or scheduling that is paused or goes on.
struct PhaseVerb {
  std::string_view name;
  std::string_view phase;  ///< as it is told, too
  std::optional<bool> pauses{};
};
inline constexpr PhaseVerb drain_verb{"drain", "Draining"};
inline constexpr PhaseVerb undrain_verb{"undrain", "Active"};
inline constexpr PhaseVerb quarantine_verb{"quarantine", "Quarantined"};
inline constexpr PhaseVerb pause_verb{"pause-scheduling", "paused", true};
inline constexpr PhaseVerb resume_verb{"resume-scheduling", "resumed", false};

struct PhaseChange {
  PhaseVerb verb;
  std::vector<std::string> names{};  ///< or bulk.where; one of both
  BulkArgs bulk{};
  bool watches = false;   ///< until no task is left on them
  std::string timeout{};  ///< of watching; a duration; empty: for ever
};
/// Says what it would do, asks where that is needed, and does it, host after host. Every change carries the
/// caller and the reason of the options to the audit.
int change_phases(Context& context, const PhaseChange& args);

// ---- actors ----
struct ActorList {
  std::string where{};
  std::uint32_t node = 0;  ///< 0: the attached one
  bool asks_all = false;   ///< every node
  std::uint32_t limit = 100;
};
int actor_list(Context& context, const ActorList& args);
int actor_restart(Context& context, const std::string& entity);
int actor_release(Context& context, const std::string& entity);  ///< from its quarantine

// ---- capacity groups ----
/// What is empty stays, or is 0 of a new one. Amounts as they were typed.
struct GroupShape {
  std::string name;
  std::string tier{};
  std::string cpu{}, memory{}, disk{}, network{}, gpu{}, ports{};
  std::string count{}, tasks_max{}, jobs_max{};
  std::string launch_burst{}, launches_per_minute{}, launches_max{};
};
int group_list(Context& context);
int group_show(Context& context, const std::string& name);
int group_create(Context& context, const GroupShape& shape);
int group_update(Context& context, const GroupShape& shape);
int group_delete(Context& context, const std::string& name);

// ---- pausing scheduling, beside that of hosts ----
struct SchedulingChange {
  std::string group{};  ///< empty: the cell
  bool pauses = true;
  BulkArgs bulk{};
};
/// Says what it would do and, for a pause of the cell, asks.
int change_scheduling(Context& context, const SchedulingChange& args);

// ---- limits and audit ----
int limits(Context& context);
int cell_policy(Context& context);
int cell_set_policy(Context& context, const std::string& file);
struct AuditList {
  std::string caller, subject, command, request, outcome;
  std::string since;  ///< a duration back from now
  std::uint32_t page_size = 100;
  bool wants_all_pages = false;
};
int audit_list(Context& context, const AuditList& args);
struct AuditVerify {
  std::string against;                    ///< a file with heads that were saved before
  std::string save;                       ///< a file that the head is added to
  std::vector<std::string> signed_heads;  ///< nodes' audit.heads, as they were carried outside
  std::vector<std::string> keys;          ///< nodes' audit.pub, likewise
};
int audit_verify(Context& context, const AuditVerify& args);

// ---- the cell's members ----
struct MemberAdd {
  std::uint32_t node = 0;
  std::string address;  ///< host:port of its peer listener
};
struct TransferLeader {
  std::uint32_t node = 0;
  std::string timeout = "10s";
};
int members_list(Context& context);
int member_add(Context& context, const MemberAdd& args);
int member_promote(Context& context, std::uint32_t node);
int member_remove(Context& context, std::uint32_t node);
struct MemberHandOver {
  std::uint32_t node = 0;
  std::string time = "10m";  ///< at most; a duration
};
int member_hand_over(Context& context, const MemberHandOver& args);
int member_take_back(Context& context, std::uint32_t node);
int transfer_leader(Context& context, const TransferLeader& args);
struct ShardMove {
  std::uint32_t shard = 0;
  std::uint32_t node = 0;
};
int move_shard(Context& context, const ShardMove& args);
struct CellUpgrade {
  std::string hook{};
  std::string build{};  ///< empty: this program's own
  std::string hook_timeout = "5m";
  std::string return_timeout = "5m";
  bool is_dry_run = false;
  bool is_confirmed = false;
  bool holds_level = false;
  bool raises_level = false;
  bool takes_over = false;   ///< from a run that ended half-way
  milliseconds hook_max{0};  ///< read from hook_timeout
};
/// The nodes one after the other: handed over, replaced by the hook, waited for. Stops at what is wrong.
int cell_upgrade(Context& context, const CellUpgrade& args);

// ---- diagnosis ----
struct DebugBundle {
  std::uint32_t node = 0;  ///< 0: the one at --address
  bool takes_all = false;
  std::string file;  ///< new; "-": standard output; empty: named by cell, node and time
};
/// What nodes tell of themselves, in one .tar.gz.
int debug_bundle(Context& context, const DebugBundle& args);

// ---- procedures ----
struct ProcedureRun {
  std::string procedure{};  ///< a built-in one's name, or a file
  BulkArgs bulk{};
  std::uint32_t at_once = 1;
  std::string command{};  ///< at {command}
  std::string into{};     ///< at {into}
};
int run_procedure(Context& context, const ProcedureRun& args);
int list_procedures(Context& context);

// ---- traces ----
struct TraceStart {
  std::string entity;
  std::uint32_t messages = 1'000;  ///< of each node
  std::string time = "60s";
  bool waits = false;  ///< until it is off, then shows it
};
int trace_start(Context& context, const TraceStart& args);
int trace_show(Context& context, const std::string& id);
int trace_stop(Context& context, const std::string& id);

struct Events {
  std::string job;
  std::vector<std::string> only;  ///< NAME=VALUE, criteria as in the API
  std::uint64_t limit = 0;        ///< 0: for ever
};
int events(Context& context, const Events& args);

/// Options and help of each group.
void add_job_options(CLI::App& app, Context& context);
void add_task_options(CLI::App& app, Context& context);
void add_cell_options(CLI::App& app, Context& context);
void add_host_options(CLI::App& app, Context& context);
void add_actor_options(CLI::App& app, Context& context);
/// Below `troupe host`, and the console's `host`: drain, undrain, quarantine, pause-scheduling,
/// resume-scheduling.
void add_phase_options(CLI::App& hosts, Context& context);
/// `troupe capacity-group`.
void add_group_options(CLI::App& app, Context& context);
/// `troupe limits` and `troupe audit`.
void add_limit_options(CLI::App& app, Context& context);
/// `troupe completion`.
void add_completion_options(CLI::App& app, Context& context);
/// `troupe run`.
void add_run_options(CLI::App& app, Context& context);
/// `troupe trace`.
void add_trace_options(CLI::App& app, Context& context);
/// `troupe debug`.
void add_debug_options(CLI::App& app, Context& context);
/// pause-scheduling and resume-scheduling, below `troupe cell` and `troupe capacity-group`.
void add_scheduling_options(CLI::App& app, Context& context, const std::string& noun);
/// Below `troupe cell`.
void add_upgrade_options(CLI::App& cell, Context& context);
void add_policy_options(CLI::App& cell, Context& context);
/// Below `troupe job`: init, validate and what changes a job that lives.
void add_job_change_options(CLI::App& jobs, Context& context);
/// `task kill`, and `job kill, enable, disable, retry`: also the console's.
void add_task_kill(CLI::App& tasks, Context& context);
void add_job_acts(CLI::App& jobs, Context& context);
/// --where CONDITION, and how carefully the things of this name are changed.
CLI::Option* add_bulk(CLI::App& command, BulkArgs& args, const std::string& noun);
/// --where CONDITION
CLI::Option* add_where(CLI::App& command, std::string& where, const std::string& help);
/// NAME ID, below `troupe job` or `troupe task`.
void add_of_one(CLI::App& group, Context& context, const std::string& name, const std::string& help,
                int (*command)(Context&, const std::string&));
/// attributes ID --put NAME=VALUE --remove NAME
void add_attributes(CLI::App& group, Context& context, const std::string& what,
                    int (*command)(Context&, const AttributesEdit&));
/// Below `troupe cell`.
void add_member_options(CLI::App& cell, Context& context);

/// Runs a command; throws CLI::RuntimeError unless it ends well.
void finish_with(int exit_code);

}  // namespace troupe::cli
