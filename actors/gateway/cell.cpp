#include <numeric>

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/health.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/entity_json.hpp"
#include "storage/base/build_id.hpp"

namespace troupe::gateway {
namespace {

std::uint64_t live_tasks(const CellFigures& cell) {
  return std::accumulate(cell.live_tasks.begin(), cell.live_tasks.end(), std::uint64_t{0});
}

std::string health_json(const NodeContext& node, const std::string& why) {
  json::Writer writer;
  writer.begin_object();
  writer.key("status");
  writer.text(why.empty() ? "SERVING" : "NOT_SERVING");
  if (!why.empty()) {
    writer.key("why");
    writer.text(why);
  }
  writer.key("node");
  writer.uint(node.self.value);
  writer.key("leader");
  writer.uint(node.status.leader.load());
  writer.key("term");
  writer.text(std::to_string(node.status.term.load()));
  writer.key("commit");
  writer.text(std::to_string(node.status.commit.load()));
  writer.key("applied");
  writer.text(std::to_string(node.status.applied.load()));
  writer.end_object();
  return writer.take();
}

}  // namespace

http::Response get_cell(const NodeContext& node, const Call& call) {
  if (const auto checked = check_parameters(call, {"consistency"}); !checked.ok())
    return http::error_response(checked.error());
  const CellFigures cell = node.reads().cell();
  api::CellStatus status;
  status.node = node.self;
  status.leader = NodeId{node.status.leader.load()};
  status.term = Term{node.status.term.load()};
  status.commit = Index{node.status.commit.load()};
  status.applied = Index{node.status.applied.load()};
  status.is_ready = why_not_serving(node).empty();
  status.build = build_id();
  status.jobs = cell.live_jobs;
  status.tasks = live_tasks(cell);
  status.hosts = cell.hosts;
  status.hosts_connected = cell.hosts_connected;
  status.tasks_waiting = cell.waiting;
  status.jobs_throttled = cell.throttled_jobs;
  status.requests = cell.requests;
  status.pause = cell.pause;
  status.set_aside = cell.set_aside;
  status.read_only = why_read_only(node);
  for (const NodeId id : node.book.voters()) status.members.push_back(id);
  json::Writer writer;
  api::cell_json(writer, cell.record, status);
  return http::json_response(200, writer.take());
}

void get_health(Services& services, const CallPtr& call) {
  const std::string why = why_not_serving(services.node());
  auto response = http::json_response(why.empty() ? 200 : 503, health_json(services.node(), why));
  if (!why.empty()) response.headers["retry-after"] = "1";
  call->answer(std::move(response));
}

void get_metrics(Services& services, const CallPtr& call) {
  http::Response response;
  response.headers["content-type"] = "text/plain; version=0.0.4; charset=utf-8";
  response.body = services.probe().scrape(services.node());
  call->answer(std::move(response));
}

}  // namespace troupe::gateway
