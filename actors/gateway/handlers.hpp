#pragma once
// What stands behind the routes, one file per resource.

#include "actors/gateway/services.hpp"

namespace troupe::gateway {

// ---- jobs.cpp ----
void create_job(Services& services, const CallPtr& call);
void kill_job(Services& services, const CallPtr& call);
void put_instances(Services& services, const CallPtr& call);
void put_capacity_attributes(Services& services, const CallPtr& call);
http::Response list_jobs(const NodeContext& node, const Call& call);
http::Response get_job(const NodeContext& node, const Call& call);

// ---- plans.cpp ----
void plan(Services& services, const CallPtr& call);
void submit_plan(Services& services, const CallPtr& call);

// ---- job_changes.cpp ----
void put_job_attributes(Services& services, const CallPtr& call);
void delete_job_attributes(Services& services, const CallPtr& call);
void retry_job(Services& services, const CallPtr& call);
void enable_job(Services& services, const CallPtr& call);
void disable_job(Services& services, const CallPtr& call);
void put_job_processes(Services& services, const CallPtr& call);
void put_disruption_budget(Services& services, const CallPtr& call);

// ---- tasks.cpp ----
void kill_task(Services& services, const CallPtr& call);
void put_task_attributes(Services& services, const CallPtr& call);
void delete_task_attributes(Services& services, const CallPtr& call);
void move_task(Services& services, const CallPtr& call);
void retry_task(Services& services, const CallPtr& call);
http::Response list_tasks(const NodeContext& node, const Call& call);
http::Response get_task(const NodeContext& node, const Call& call);

// ---- hosts.cpp ----
void put_host_phase(Services& services, const CallPtr& call);
/// A path may name a host or give its number.
std::optional<HostId> find_host(const Reads& reads, std::string_view text);
http::Response list_hosts(const NodeContext& node, const Call& call);
http::Response get_host(const NodeContext& node, const Call& call);

// ---- groups.cpp ----
void post_application(Services& services, const CallPtr& call);
void put_application(Services& services, const CallPtr& call);
void delete_application(Services& services, const CallPtr& call);
http::Response list_applications(const NodeContext& node, const Call& call);
http::Response get_application(const NodeContext& node, const Call& call);
http::Response list_groups(const NodeContext& node, const Call& call);
http::Response get_group(const NodeContext& node, const Call& call);

// ---- scheduling.cpp ----
void put_cell_scheduling(Services& services, const CallPtr& call);
void put_group_scheduling(Services& services, const CallPtr& call);
void put_host_scheduling(Services& services, const CallPtr& call);

// ---- cell.cpp ----
http::Response get_cell(const NodeContext& node, const Call& call);
void get_health(Services& services, const CallPtr& call);
void get_metrics(Services& services, const CallPtr& call);

// ---- limits.cpp ----
void get_limits(Services& services, const CallPtr& call);
void put_policy(Services& services, const CallPtr& call);

// ---- audit.cpp ----
http::Response list_audit(const NodeContext& node, const Call& call);

// ---- openapi.cpp ----
void get_openapi(Services& services, const CallPtr& call);

// ---- members.cpp ----
void list_members(Services& services, const CallPtr& call);
void add_member(Services& services, const CallPtr& call);
void promote_member(Services& services, const CallPtr& call);
void remove_member(Services& services, const CallPtr& call);
void hand_over(Services& services, const CallPtr& call);
void take_back(Services& services, const CallPtr& call);
void put_shard_owner(Services& services, const CallPtr& call);
void put_leader(Services& services, const CallPtr& call);

// ---- standing.cpp ----
void get_cell_status(Services& services, const CallPtr& call);

// ---- traces.cpp ----
void start_trace(Services& services, const CallPtr& call);
void get_trace(Services& services, const CallPtr& call);
void stop_trace(Services& services, const CallPtr& call);

// ---- backups.cpp ----
void take_snapshot(Services& services, const CallPtr& call);
void get_snapshot(Services& services, const CallPtr& call);
void read_snapshot_file(Services& services, const CallPtr& call);
void drop_snapshot(Services& services, const CallPtr& call);

// ---- debug.cpp ----
void get_debug(Services& services, const CallPtr& call);

// ---- events.cpp ----
void watch_job(Services& services, const CallPtr& call);
void watch_cell(Services& services, const CallPtr& call);

// ---- logs.cpp ----
void read_logs(Services& services, const CallPtr& call);

// ---- results.cpp ----
void get_scheduler_result(Services& services, const CallPtr& call);

// ---- operators.cpp ----
void release_entity(Services& services, const CallPtr& call);
void list_actors(Services& services, const CallPtr& call);
void restart_actor(Services& services, const CallPtr& call);
/// What an order is noted as in the audit before `give` carries it out: it leaves no entry of its own in the
/// log.
void note_then(Services& services, const CallPtr& call, const std::string& what, std::function<void()> give);
void ask_console(Services& services, const CallPtr& call);

}  // namespace troupe::gateway
