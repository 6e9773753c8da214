#include "actors/gateway/handlers.hpp"
#include "actors/gateway/router.hpp"

namespace troupe::gateway {
namespace {

constexpr Route table[] = {
    {"POST", "/api/v3/jobs", ActHandler{create_job}},
    {"GET", "/api/v3/jobs", ReadHandler{list_jobs}},
    {"GET", "/api/v3/jobs/{id}", ReadHandler{get_job}},
    {"DELETE", "/api/v3/jobs/{id}", ActHandler{kill_job}},
    {"GET", "/api/v3/jobs/{id}/events", ActHandler{watch_job}},
    {"PUT", "/api/v3/jobs/{id}/instances", ActHandler{put_instances}},
    {"PUT", "/api/v3/jobs/{id}/capacityAttributes", ActHandler{put_capacity_attributes}},
    {"GET", "/api/v3/tasks", ReadHandler{list_tasks}},
    {"GET", "/api/v3/tasks/{id}", ReadHandler{get_task}},
    {"DELETE", "/api/v3/tasks/{id}", ActHandler{kill_task}},
    {"GET", "/api/v3/tasks/{id}/logs", ActHandler{read_logs}},
    {"GET", "/api/v3/hosts", ReadHandler{list_hosts}},
    {"GET", "/api/v3/hosts/{name}", ReadHandler{get_host}},
    {"PUT", "/api/v3/hosts/{name}/phase", ActHandler{put_host_phase}},
    {"GET", "/api/v3/events", ActHandler{watch_cell}},
    {"GET", "/api/v3/cell", ReadHandler{get_cell}},
    {"GET", "/api/v3/cell/members", ActHandler{list_members}},
    {"POST", "/api/v3/cell/members", ActHandler{add_member}},
    {"POST", "/api/v3/cell/members/{node}/promote", ActHandler{promote_member}},
    {"DELETE", "/api/v3/cell/members/{node}", ActHandler{remove_member}},
    {"PUT", "/api/v3/cell/leader", ActHandler{put_leader}},
    {"GET", "/api/v3/cell/status", ActHandler{get_cell_status}},
    {"POST", "/api/v3/cell/snapshots", ActHandler{take_snapshot}},
    {"GET", "/api/v3/cell/snapshots/{id}", ActHandler{get_snapshot}},
    {"GET", "/api/v3/cell/snapshots/{id}/files/{file}", ActHandler{read_snapshot_file}},
    {"DELETE", "/api/v3/cell/snapshots/{id}", ActHandler{drop_snapshot}},
    {"GET", "/api/v3/limits", ReadHandler{get_limits}},
    {"GET", "/api/v3/scheduler/results/{taskId}", ActHandler{get_scheduler_result}},
    {"POST", "/api/v3/entities/{kind}/{id}/release", ActHandler{release_entity}},
    {"GET", "/api/v3/console", ActHandler{ask_console}},
    {"GET", "/api/v3/status", ActHandler{get_health}},
    {"GET", "/health", ActHandler{get_health}},
    {"GET", "/metrics", ActHandler{get_metrics}},
};

}  // namespace

std::span<const Route> routes() { return table; }

}  // namespace troupe::gateway
