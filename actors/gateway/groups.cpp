// Capacity groups: Titus' applications of its management API, and how each stands.

#include <algorithm>

#include "actors/gateway/handlers.hpp"
#include "actors/gateway/mutation.hpp"
#include "net/api/bodies.hpp"
#include "net/api/entity_json.hpp"
#include "net/api/resources_json.hpp"
#include "storage/model/preemption.hpp"

namespace troupe::gateway {
namespace {

constexpr std::string_view applications = "/api/v2/management/applications";

Error no_such_group(std::string_view name) {
  return {ErrorCode::not_found, "there is no capacity group " + std::string(name)};
}

std::string group_url(const std::string& name) { return std::string(applications) + '/' + name; }

void amounts(json::Writer& writer, std::string_view key, const Resources& resources) {
  writer.key(key);
  api::resources_json(writer, resources);
}

Resources headroom_of(const Resources& reservation, const Resources& used) {
  Resources left = reservation;
  left -= used;
  for (const auto member : {&Resources::cpu_milli, &Resources::memory_mb, &Resources::disk_mb,
                            &Resources::network_mbps, &Resources::gpu, &Resources::ports})
    left.*member = std::max<std::int64_t>(left.*member, 0);
  return left;
}

void standing_json(json::Writer& writer, const GroupView& group) {
  const Resources reservation = reservation_of(group.record);
  writer.begin_object();
  writer.key("name");
  writer.text(group.record.name);
  writer.key("tier");
  writer.text(tier_text(group.record.tier));
  amounts(writer, "reservation", reservation);
  amounts(writer, "used", group.use.placed);
  amounts(writer, "headroom", headroom_of(reservation, group.use.placed));
  writer.key("jobs");
  writer.uint(group.use.jobs);
  writer.key("tasks");
  writer.uint(group.use.tasks);
  writer.key("tasksWanted");
  writer.uint(group.use.wanted);
  writer.key("tasksMax");
  writer.uint(group.record.tasks_max);
  writer.key("tasksStarting");
  writer.uint(group.use.starting);
  writer.key("tasksWaiting");
  writer.uint(group.waiting);
  writer.key("waitingSince");
  writer.text(std::to_string(group.waiting_since.ms));
  writer.key("isAlertRaised");
  writer.boolean(group.condition.is_raised());
  api::pause_json(writer, group.pause);
  writer.end_object();
}

http::Response list_with(const NodeContext& node, const Call& call,
                         void (*write)(json::Writer&, const GroupView&)) {
  if (const auto checked = check_parameters(call, {"consistency"}); !checked.ok())
    return http::error_response(checked.error());
  json::Writer writer;
  writer.begin_array();
  for (const GroupView& group : node.reads().group_views()) write(writer, group);
  writer.end_array();
  return http::json_response(200, writer.take());
}

http::Response get_with(const NodeContext& node, const Call& call,
                        void (*write)(json::Writer&, const GroupView&)) {
  if (const auto checked = check_parameters(call, {"consistency"}); !checked.ok())
    return http::error_response(checked.error());
  const std::string& name = call.captured.at(0);
  const auto group = node.reads().group(name);
  if (!group) return http::error_response(no_such_group(name));
  json::Writer writer;
  write(writer, *group);
  return http::json_response(200, writer.take());
}

void record_json(json::Writer& writer, const GroupView& group) { api::group_json(writer, group.record); }

}  // namespace

http::Response list_applications(const NodeContext& node, const Call& call) {
  return list_with(node, call, record_json);
}
http::Response get_application(const NodeContext& node, const Call& call) {
  return get_with(node, call, record_json);
}
http::Response list_groups(const NodeContext& node, const Call& call) {
  return list_with(node, call, standing_json);
}
http::Response get_group(const NodeContext& node, const Call& call) {
  return get_with(node, call, standing_json);
}

void post_application(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  auto group = api::parse_group(call->request.body, std::nullopt);
  if (!group.ok()) return call->fail(group.error());
  services.when_fresh(call, api::Consistency::linearizable, [&services, call, group = group.value()] {
    if (services.node().reads().group(group.name))
      return call->fail({ErrorCode::conflict, "there is a capacity group " + group.name +
                                                  " already; change it with PUT " + group_url(group.name)});
    mutate(services, call, PutGroup{group}, {.status = 201, .entity_url = group_url(group.name)});
  });
}

void put_application(Services& services, const CallPtr& call) {
  if (const auto checked = check_json_body(*call); !checked.ok()) return call->fail(checked.error());
  auto group = api::parse_group(call->request.body, call->captured.at(0));
  if (!group.ok()) return call->fail(group.error());
  services.when_fresh(call, api::Consistency::linearizable, [&services, call, group = group.value()] {
    if (!services.node().reads().group(group.name)) return call->fail(no_such_group(group.name));
    mutate(services, call, PutGroup{group}, {.status = 200, .entity_url = group_url(group.name)});
  });
}

void delete_application(Services& services, const CallPtr& call) {
  if (const auto checked = check_parameters(*call, {}); !checked.ok()) return call->fail(checked.error());
  const std::string& name = call->captured.at(0);
  mutate(services, call, DeleteGroup{name}, {.status = 200, .entity_url = group_url(name)});
}

}  // namespace troupe::gateway
